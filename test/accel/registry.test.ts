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

test("auto takes the first that is present and says why others were skipped", () => {
  expect(openBackend("auto", [absent, present])).toEqual({
    backend: reference,
    skipped: ["fpga: no board on /dev/spidev0.0"],
  });
});

test("a device that is named is used or refused, never replaced", () => {
  const refused = openBackend("fpga", [absent, present]);
  expect(refused).toContain('"fpga" cannot be used: fpga: no board on /dev/spidev0.0');
  expect(openBackend("gpu", [absent, present])).toContain("write one of auto, fpga, reference");
});

test("probeAll lists every device in order, with the reason", () => {
  expect(probeAll([absent, present])).toEqual([
    { name: "fpga", tier: "exact", available: false, why: "no board on /dev/spidev0.0" },
    { name: "reference", tier: "exact", available: true, why: "" },
  ]);
  expect(probeAll().at(-1)).toMatchObject({ name: "reference", available: true });
});
