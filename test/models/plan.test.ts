//! The planner against every placement there is, and what it says where none will do.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Device, NO_LIMITS, placeUnits, type Unit } from "../../agent/models/plan.js";

const device = (name: string, over: Partial<Device> = {}): Device => ({
  name,
  tier: "exact",
  call_us: 1,
  value_us: 0,
  memory_bytes: 1e9,
  power_W: 1,
  ...over,
});
const unit = (name: string, core_us: Unit["core_us"], over: Partial<Unit> = {}): Unit => ({
  name,
  weights_bytes: 100,
  valuesIn: 10,
  valuesOut: 10,
  core_us,
  ...over,
});

function latency(
  units: readonly Unit[],
  devices: readonly Device[],
  path: readonly number[],
): number {
  let total = 0;
  units.forEach((one, i) => {
    const at = devices[path[i] as number] as Device;
    const core = one.core_us[at.name];
    total += typeof core === "number" ? core : Number.POSITIVE_INFINITY;
    if (i === 0 || path[i - 1] !== path[i]) total += at.call_us + at.value_us * one.valuesIn;
    if (path[i + 1] !== path[i]) total += at.value_us * one.valuesOut;
  });
  return total;
}

const NAMES = ["a", "b", "c"];
const cost = fc.option(fc.integer({ min: 1, max: 40 }), { nil: "too wide", freq: 6 });

test("no placement is cheaper than the one found", () => {
  const devices = fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { minLength: 3, maxLength: 3 });
  const chain = fc.array(fc.tuple(cost, cost, cost, fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(devices, chain, (rows, costs) => {
      const all = rows.map(([call_us, tenths], d) =>
        device(NAMES[d] as string, { call_us, value_us: tenths / 10 }),
      );
      const units = costs.map(([a, b, c, values], i) => {
        const valuesOut = costs[i + 1]?.[3] ?? 7;
        return unit(`u${i}`, { a, b, c }, { valuesIn: values, valuesOut });
      });
      let best = Number.POSITIVE_INFINITY;
      for (let code = 0; code < 3 ** units.length; code++) {
        const path = units.map((_, i) => Math.floor(code / 3 ** i) % 3);
        best = Math.min(best, latency(units, all, path));
      }
      const found = placeUnits(units, all, NO_LIMITS);
      if (typeof found === "string") expect(best).toBe(Number.POSITIVE_INFINITY);
      else {
        expect(found.latency_us).toBeCloseTo(best, 9);
        const path = found.devices.map((name) => NAMES.indexOf(name));
        expect(latency(units, all, path)).toBeCloseTo(best, 9);
        expect(placeUnits(units, all, NO_LIMITS)).toEqual(found);
      }
    }),
  );
});

test("memory: the weights of a device never exceed what it holds", () => {
  const small = device("small", { memory_bytes: 250 });
  const units = [5, 1, 9, 3].map((saved, i) => unit(`u${i}`, { small: 1, cpu: 1 + saved }));
  const found = placeUnits(units, [small, device("cpu", { call_us: 0 })], NO_LIMITS);
  if (typeof found === "string") throw new Error(found);
  expect(found.devices.filter((name) => name === "small").length).toBeLessThanOrEqual(2);
  expect(found.devices[2]).toBe("small");
  const alone = placeUnits(units, [small], NO_LIMITS);
  expect(alone).toBe("the network does not fit the memory of the devices allowed");
});

test("tier: a device that is not exact is used only where that is allowed, and is stated", () => {
  const units = [unit("dense", { cpu: 50, tpu: 2 })];
  const both = [device("cpu"), device("tpu", { tier: "within 1" })];
  const strict = placeUnits(units, both, NO_LIMITS);
  expect(strict).toMatchObject({ devices: ["cpu"], tier: "exact" });
  expect(placeUnits(units, both, { ...NO_LIMITS, exact: false })).toMatchObject({
    devices: ["tpu"],
    tier: "within 1",
  });
});

test("power and time: a budget bars a device; energy is preferred as far as time allows", () => {
  const units = [unit("dense", { big: 10, little: 40 })];
  const both = [device("big", { power_W: 10 }), device("little", { power_W: 1 })];
  const limits = { ...NO_LIMITS, prefer: "energy" } as const;
  expect(placeUnits(units, both, limits)).toMatchObject({ devices: ["little"], energy_uJ: 41 });
  expect(placeUnits(units, both, { ...limits, latency_max_ms: 0.02 })).toMatchObject({
    devices: ["big"],
  });
  expect(placeUnits(units, both, { ...NO_LIMITS, power_max_W: 5 })).toMatchObject({
    devices: ["little"],
  });
  expect(placeUnits(units, both, { ...NO_LIMITS, latency_max_ms: 0.001 })).toBe(
    "the fastest placement takes 11.0 us, over the budget of 1 us",
  );
  const unknown = [device("big", { power_W: null }), device("little")];
  expect(placeUnits(units, unknown, { ...NO_LIMITS, power_max_W: 5 })).toMatchObject({
    devices: ["little"],
  });
  expect(placeUnits(units, both, { ...NO_LIMITS, allow: [] })).toBe(
    "no device is left; big is not used: the config does not allow it; little is not used: the config does not allow it",
  );
});

test("what can run nowhere is named, with the reason of each device", () => {
  const never = [unit("layer 3", { a: "it has no pool", b: "too wide" })];
  expect(placeUnits(never, [device("a"), device("b")], NO_LIMITS)).toBe(
    "layer 3 can run on no device; a: it has no pool; b: too wide",
  );
  const found = placeUnits(
    [unit("layer 3", { a: "it has no pool", b: 2 })],
    [device("a"), device("b")],
    NO_LIMITS,
  );
  if (typeof found === "string") throw new Error(found);
  expect(found.why[0]).toBe("layer 3 on b (a cannot: it has no pool, b 2.00 us)");
});

test("what is printed adds up to the whole, with the crossing of each device", () => {
  const time = fc.double({ min: 0.01, max: 9, noNaN: true });
  const part = fc.tuple(time, time, fc.integer({ min: 1, max: 900 }));
  const price = fc.double({ min: 0, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 40 }), price, (parts, call_us) => {
      const both = [device("a", { call_us, value_us: 0.0007 }), device("b", { call_us: 0.1 })];
      const units = parts.map(([a, b, valuesIn], i) => {
        const valuesOut = parts[i + 1]?.[2] ?? 5;
        return unit(`u${i}`, { a, b }, { valuesIn, valuesOut });
      });
      const found = placeUnits(units, both, NO_LIMITS);
      if (typeof found === "string") throw new Error(found);
      const sum = found.devices.reduce((total, name, i) => {
        const line = found.why[i] ?? "";
        return total + Number(new RegExp(`\\b${name} ([\\d.]+) us`).exec(line)?.[1]);
      }, 0);
      const crossing = Number(/values in and out: (-?[\d.]+) us/.exec(found.why.at(-2) ?? "")?.[1]);
      const whole = Number(/^in all ([\d.]+) us/.exec(found.why.at(-1) ?? "")?.[1]);
      expect(sum + crossing).toBeCloseTo(whole, 6);
      const calls = found.devices.filter((name, i) => name !== found.devices[i - 1]).length;
      expect(found.why.at(-2)).toMatch(new RegExp(`^${calls} calls? and \\d+ values`));
    }),
    { numRuns: 50 },
  );
});
