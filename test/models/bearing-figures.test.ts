//! A bearing whose sensors send rms alone, through ports, commissioning and rules of the product.
import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { isRefused } from "../../agent/models/commission.js";
import type { Baseline } from "../../agent/models/setup.js";
import { collect, type Wired, wire } from "./rig.js";

const MACHINE: Wired = {
  kind: "bearing",
  channels: ["accelRms", "accelRms2"].map((name) => {
    return { name, unit: "m/s2{rms}", shape: "scalar" };
  }),
  nameplate: {},
};
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
const START_ms = 1_700_000_000_000;
const STEP_ms = 60_000;

type Records = readonly (readonly [first: number, second: number])[];

function play(wired: ReturnType<typeof wire>, records: Records, from = 0): void {
  records.forEach((values, i) => {
    const t_ms = START_ms + (from + i) * STEP_ms;
    values.forEach((value, channel) => {
      const sample = { kind: "sample", channel, t_ms, r_ms: t_ms, value, quality: "good" } as const;
      wired.watch.accept(sample, LIMITS, wired.changes);
    });
    if (wired.watch.next_ms() <= t_ms) wired.watch.advance(t_ms, wired.changes);
  });
}

const random = prng(8, "figures");
const calm = (count: number, by = 1): Records =>
  Array.from({ length: count }, () => {
    const noisy = (level: number): number => level * by * (1 + 0.04 * random.normal());
    return [noisy(3), noisy(5)] as const;
  });

function learn(records: Records): Baseline | string {
  const wired = wire(MACHINE, { baseline: null, want: { amount: records.length, by: "hand" } });
  play(wired, records);
  const outcome = wired.stage.finish("figures", null);
  if (outcome === null) return "nothing";
  return isRefused(outcome) ? outcome.refused.join("; ") : outcome;
}

const BASELINE = learn(calm(120));

function alarms(records: Records): [string, string][] {
  if (typeof BASELINE === "string") throw new Error(BASELINE);
  const wired = wire(MACHINE, { baseline: BASELINE });
  play(wired, [...calm(30), ...records, ...calm(30)]);
  return collect(wired.changes, START_ms).map(({ id, class: kind }) => [id, kind]);
}

describe("commissioning", () => {
  test("two readings of one moment are one block", () => {
    if (typeof BASELINE === "string") throw new Error(BASELINE);
    expect(BASELINE.provenance?.amount).toBe("120 blocks");
    expect(BASELINE.values["accelRms.level.middle"]).toBeCloseTo(Math.log(3), 1);
    expect(BASELINE.values["accelRms2.level.middle"]).toBeCloseTo(Math.log(5), 1);
  });

  test("fewer than the kind asks for are refused", () => {
    expect(learn(calm(40))).toContain("too short");
  });
});

describe("alarms", () => {
  test("healthy records, and one wild one among them: none", () => {
    expect(alarms(calm(200))).toEqual([]);
    expect(alarms([[3000 / 9, 5]])).toEqual([]);
  });

  test("both sides of twice as loud, and one direction is enough", () => {
    expect(alarms(calm(60, 1.8))).toEqual([]);
    expect(alarms(calm(60, 2.2))).toEqual([["vibration-rise", "machine"]]);
    const one = calm(60, 2.2).map(([first], i) => [first, 5 + 0.01 * (i % 7)] as const);
    expect(alarms(one)).toEqual([["vibration-rise", "machine"]]);
  });

  test("a reading of nothing is its sensor's fault", () => {
    const silent = calm(30).map(([, second]) => [0, second] as const);
    expect(alarms(silent)).toEqual([["sensor-accelRms", "sensor"]]);
    const stuck = calm(30).map(([, second]) => [3, second] as const);
    expect(alarms(stuck)).toEqual([["sensor-accelRms", "sensor"]]);
  });

  test("one that is silent hides nothing that the other hears", () => {
    const half = calm(60, 2.5).map(([, second]) => [0, second] as const);
    expect(alarms(half).map(([id]) => id)).toContain("vibration-rise");
  });
});
