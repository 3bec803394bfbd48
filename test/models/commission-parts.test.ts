//! Parts of commissioning and of what follows it, each by itself.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounded, Correction } from "../../agent/models/chain/correction.js";
import { median, spread, Thinned } from "../../agent/models/chain/robust.js";
import { Slices } from "../../agent/models/commission-slices.js";

describe("parts", () => {
  test("a thinned sample is even, bounded and deterministic", () => {
    const thinned = new Thinned<number>(64);
    for (let i = 0; i < 10_000; i++) thinned.add(i);
    expect(thinned.values.length).toBeLessThanOrEqual(64);
    expect(thinned.count).toBe(10_000);
    const steps = thinned.values.slice(1).map((v, i) => v - (thinned.values[i] ?? 0));
    expect(new Set(steps).size).toBe(1);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([])).toBeNaN();
    expect(spread([1, 2, 3, 4, 1000])).toBeCloseTo(1.4826, 4);
  });

  test("slices end with time, silence, a flight or blocks", () => {
    const hourly = new Slices({ by: "time", s: 3600 });
    let rows = 0;
    for (let s = 0; s <= 7200; s += 60) {
      rows += hourly.at(1000 * s, 2).length;
      hourly.add("x", s);
    }
    expect(rows).toBe(2);
    expect(hourly.at(1000 * 9000, 2)).toHaveLength(1);
    const flights = new Slices({ by: "flight", least_s: 60, all_s: 120 });
    const flown: number[] = [];
    for (let s = 0; s < 1000; s += 10) {
      const state = Number(s % 500 > 100 && s % 500 < 400);
      for (const row of flights.at(1000 * s, state)) flown.push(row.end_ms - row.t_ms);
      flights.add("x", s);
    }
    expect(flown).toHaveLength(2);
    const blocks = new Slices({ by: "blocks", records: [], blocks: 8 });
    let full = 0;
    for (let hour = 0; hour < 17; hour++) {
      full += blocks.at(3_600_000 * hour, 1).length;
      blocks.countBlock();
      blocks.add("x", hour);
    }
    expect(full).toBe(2);
  });

  test("a trained network never explains more than its bound", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        (g, most) => {
          return Math.abs(bounded(3, g, most) - 3) <= most + 1e-12;
        },
      ),
    );
    const net = (g: number) =>
      new Correction({
        hash: "sha256:x",
        tier: "exact",
        corrects: [{ output: "a.residual", most: 10 }],
        infer: (_, __, out) => void out.fill(g),
      });
    for (const [g, at] of [
      [1e9, 10],
      [-1e9, -10],
      [Number.NaN, 0],
    ] as const) {
      const one = net(g);
      one.step(() => 0, 1);
      expect(one.of("a.residual")).toBeCloseTo(at, 9);
      expect(one.of("other")).toBe(0);
    }
  });
});
