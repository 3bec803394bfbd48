//! What the processor says it has used: the counters of RAPL, as the kernel's powercap shows them.
//! They count whole packages, whatever runs on them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Counters wrap at `range_uJ`. */
type Zone = { readonly file: string; readonly range_uJ: number };

export type EnergyMeter = {
  /** Microjoules of all packages since the last call; since the opening at the first. */
  used_uJ(): number;
};

/** `root` stands for `/`; a text says why nothing is known. */
export function openEnergy(root = "/"): EnergyMeter | string {
  const folder = join(root, "sys/class/powercap");
  let names: string[];
  try {
    // intel-rapl:0 is a package (AMD's too); intel-rapl:0:1 a part of it that it counts already,
    // and intel-rapl-mmio:0 the same package by another way.
    names = readdirSync(folder).filter((name) => /^intel-rapl:\d+$/.test(name));
  } catch {
    return "this kernel has no powercap";
  }
  // psys counts the whole machine, packages included.
  const packages = names.filter((name) => textOf(join(folder, name, "name")) !== "psys");
  const [first] = packages;
  if (first === undefined) return "powercap shows no package of this processor";
  const zones = packages.map((name): Zone => {
    const file = join(folder, name, "energy_uj");
    return {
      file,
      range_uJ: Number(textOf(join(folder, name, "max_energy_range_uj")) ?? Number.NaN),
    };
  });
  const counts = zones.map(({ file }) => countOf(file));
  const hidden = zones.find((_, i) => Number.isNaN(counts[i]));
  if (hidden !== undefined) return `${hidden.file} cannot be read; root may`;
  return {
    used_uJ(): number {
      return zones.reduce((sum, { file, range_uJ }, i) => {
        const [before, now] = [counts[i] as number, countOf(file)];
        counts[i] = now;
        return sum + (now >= before ? now - before : now - before + range_uJ);
      }, 0);
    },
  };
}

/** Long beside the millisecond in which the counters are written anew. */
const POWER_ms = 30;

/** Watts of all packages while `work` is repeated; null where the counters stood still. */
export function power_W(meter: EnergyMeter, work: () => void): number | null {
  meter.used_uJ();
  const start = performance.now();
  while (performance.now() - start < POWER_ms) work();
  const used_uJ = meter.used_uJ();
  const spent_us = 1000 * (performance.now() - start);
  return used_uJ > 0 ? used_uJ / spent_us : null;
}

function countOf(file: string): number {
  const text = textOf(file) ?? "";
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}
