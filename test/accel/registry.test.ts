import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type Driver, openBackend, probeAll } from "../../agent/accel/registry.js";

const absent: Driver = {
  name: "fpga",
  tier: "exact",
  probe: () => "no board on /dev/spidev0.0",
  open: () => {
    throw new Error("opened although absent");
  },
};
const present: Driver = {
  name: "reference",
  tier: "exact",
  probe: () => null,
  open: () => reference,
};

test("auto takes what is present and says why others were skipped", () => {
  expect(openBackend("auto", [absent, present])).toEqual({
    backend: reference,
    skipped: ["fpga: no board on /dev/spidev0.0"],
    why: "the only one present",
  });
});

test("auto measures those present and takes the fastest, with the times as its reason", () => {
  const slow = (name: string, ms: number): Driver => ({
    name,
    tier: "exact",
    probe: () => null,
    open: () => ({
      ...reference,
      name,
      load: () => ({
        infer(): void {
          const until = performance.now() + ms;
          while (performance.now() < until);
        },
        reset(): void {},
      }),
    }),
  });
  const opened = openBackend("auto", [slow("tortoise", 20), slow("hare", 0.05), present]);
  if (typeof opened === "string") throw new Error(opened);
  expect(opened.backend.name).toBe("hare");
  expect(opened.why).toMatch(/^measured: tortoise [\d.]+ us, hare [\d.]+ us$/);
});

test("a device that is named is used or refused, never replaced", () => {
  const refused = openBackend("fpga", [absent, present]);
  expect(refused).toContain('"fpga" cannot be used: fpga: no board on /dev/spidev0.0');
  expect(openBackend("gpu", [absent, present])).toContain(
    "write one of auto, plan, fpga, reference",
  );
});

test("probeAll lists every device in order, with the reason", () => {
  expect(probeAll([absent, present])).toEqual([
    { name: "fpga", tier: "exact", available: false, why: "no board on /dev/spidev0.0" },
    { name: "reference", tier: "exact", available: true, why: "" },
  ]);
  expect(probeAll().at(-1)).toMatchObject({ name: "reference", available: true });
});
