import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openEnergy } from "../../agent/base/energy.js";

const root = mkdtempSync(join(tmpdir(), "sterna-powercap-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A zone of powercap as the kernel shows it. */
function zone(machine: string, name: string, files: Readonly<Record<string, string>>): void {
  const folder = join(root, machine, "sys/class/powercap", name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), `${text}\n`);
}

test("packages are added, once each, and a counter may wrap", () => {
  const package0 = { name: "package-0", max_energy_range_uj: "1000" };
  zone("two", "intel-rapl:0", { ...package0, energy_uj: "900" });
  zone("two", "intel-rapl:0:0", { name: "core", energy_uj: "7" });
  zone("two", "intel-rapl:1", { name: "package-1", energy_uj: "50", max_energy_range_uj: "1000" });
  zone("two", "intel-rapl:2", { name: "psys", energy_uj: "5", max_energy_range_uj: "1000" });
  zone("two", "intel-rapl-mmio:0", { ...package0, energy_uj: "900" });
  const meter = openEnergy(join(root, "two"));
  if (typeof meter === "string") throw new Error(meter);
  expect(meter.used_uJ()).toBe(0);
  zone("two", "intel-rapl:0", { energy_uj: "950" });
  zone("two", "intel-rapl:1", { energy_uj: "70" });
  zone("two", "intel-rapl:0:0", { energy_uj: "999" });
  zone("two", "intel-rapl:2", { energy_uj: "999" });
  expect(meter.used_uJ()).toBe(70);
  zone("two", "intel-rapl:0", { energy_uj: "30" });
  expect(meter.used_uJ()).toBe(80);
  expect(meter.used_uJ()).toBe(0);
});

test("a machine that tells nothing says why", () => {
  expect(openEnergy(join(root, "bare"))).toBe("this kernel has no powercap");
  zone("types", "intel-rapl", { enabled: "1" });
  expect(openEnergy(join(root, "types"))).toBe("powercap shows no package of this processor");
  zone("hidden", "intel-rapl:0", { name: "package-0" });
  expect(openEnergy(join(root, "hidden"))).toMatch(/energy_uj cannot be read; root may$/);
});
