//! Small shifts: what drivers explain, evidence that adds up, and lines that tell a jam from a lie.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { explained, fitExplained, type Sample } from "../../agent/models/chain/explained.js";
import { PitchWatch } from "../../agent/models/chain/pitch.js";
import { limitsOf } from "../../agent/models/chain/port.js";
import { independentScale, SHIFT_s, ShiftTest } from "../../agent/models/chain/shift.js";
import { Slope } from "../../agent/models/chain/slope.js";
import { TowerWatch } from "../../agent/models/chain/tower.js";
import { Validity } from "../../agent/models/chain/validity.js";
import type { Baseline } from "../../agent/models/setup.js";
import { createTurbineMonitor } from "../../agent/models/turbine.js";
import { TURBINE_PORTS } from "../../agent/models/turbine-ports.js";

const DEGREE = Math.PI / 180;

describe("what drivers explain", () => {
  const chance = prng(1, "explained");
  const sample = (wrong = 0): Sample => {
    const [a, b] = [10 * chance.next(), chance.normal()];
    return { y: 0.3 * a - 2 * b + 0.5 * b * b + 0.05 * chance.normal() + wrong, drivers: [a, b] };
  };

  test("a line and squares are found, a few bad hours or not", () => {
    const samples = Array.from({ length: 300 }, (_, i) => sample(i % 30 === 0 ? 15 : 0));
    const fit = fitExplained(samples);
    if (fit === null) throw new Error("no fit");
    const rests = Array.from({ length: 200 }, () => sample()).map(
      ({ y, drivers }) => y - explained(fit, drivers, 100),
    );
    const rms = Math.sqrt(rests.reduce((sum, rest) => sum + rest * rest, 0) / rests.length);
    expect(rms).toBeLessThan(0.2);
    expect(explained(fit, [Number.NaN, 0], 100)).toBeNaN();
    expect(explained(undefined, [1, 2], 100)).toBe(0);
    expect(fitExplained(samples.slice(0, 10))).toBeNull();
  });

  test("never more than its bound, whatever the drivers", () => {
    const fit = fitExplained(Array.from({ length: 100 }, () => sample())) ?? [];
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const part = explained(fit, [a, b], 8);
        return Number.isNaN(part) || Math.abs(part) <= 8;
      }),
    );
  });
});

describe("evidence of a shift", () => {
  const evidenceOf = (shift: number, means: number): number => {
    const chance = prng(2, "shift");
    const shiftTest = new ShiftTest(1);
    for (let i = 0; i < means; i++) shiftTest.step(SHIFT_s, shift + chance.normal());
    return shiftTest.evidence;
  };

  test("noise alone stays below the limit of the rules, a shift of its own size does not", () => {
    expect(evidenceOf(0, 30 * 144)).toBeLessThan(20);
    expect(evidenceOf(1, 60)).toBeGreaterThan(20);
    expect(evidenceOf(-1, 60)).toBeLessThan(5);
  });

  test("a shift beyond one spread is found sooner by a test of its own, and noise no oftener", () => {
    const meansTo20 = (large: boolean): number => {
      const one = new ShiftTest(1, large);
      let count = 0;
      while (!(one.evidence > 20)) {
        one.step(SHIFT_s, 1.5);
        count += 1;
      }
      return count;
    };
    expect(meansTo20(false)).toBe(17);
    expect(meansTo20(true)).toBe(11);
    const noisy = new ShiftTest(1, true);
    const chance = prng(5, "shift");
    for (let i = 0; i < 60 * 144; i++) noisy.step(SHIFT_s, 0.8 * chance.normal());
    expect(noisy.evidence).toBeLessThan(20);
    // One reading of any size proves nothing.
    const wild = new ShiftTest(1, true);
    for (let i = 0; i < 4; i++) wild.step(SHIFT_s, 1000);
    expect(wild.evidence).toBeLessThan(20);
  });

  test("what was not known drops the open mean and leaves the evidence", () => {
    const one = new ShiftTest(1);
    for (let i = 0; i < 8; i++) one.step(SHIFT_s, 4);
    const before = one.evidence;
    one.step(SHIFT_s - 1, 4);
    one.step(1, Number.NaN);
    one.step(1, 4);
    expect(one.evidence).toBe(before);
    expect(new ShiftTest(Number.NaN).evidence).toBeNaN();
  });

  test("what lasts from hour to hour counts for less", () => {
    expect(independentScale(1, 0)).toBeCloseTo(Math.sqrt(6));
    expect(independentScale(1, 0.8)).toBeCloseTo(3 * Math.sqrt(6));
    expect(independentScale(1, 1)).toBeLessThan(12);
  });
});

test("a line forgets: the slope of the last hours, with its error", () => {
  const chance = prng(3, "slope");
  const slope = new Slope(600);
  for (let i = 0; i < 2000; i++) slope.add(chance.normal(), 5, 10);
  for (let i = 0; i < 1000; i++) {
    const x = chance.normal();
    slope.add(x, 1 - 2 * x + 0.1 * chance.normal(), 10);
  }
  const { line } = slope;
  expect(Math.abs(line.slope + 2)).toBeLessThan(4 * line.slopeError);
  expect(line.atZero).toBeCloseTo(1, 1);
  expect(line.count).toBeLessThan(62);
});

describe("tower", () => {
  /** Shaking in m/s2 as the accelerometer says it, by wind and speed. */
  const verdict = (level: (shake: number, speed: number) => number, minutes: number) => {
    const chance = prng(4, "tower");
    const watch = new TowerWatch({ ratio: 1, flutter: 0.0225 });
    for (let i = 0; i < 6 * minutes; i++) {
      const speed = 0.9 + 0.05 * Math.sin(i / 40);
      const wind = 9 + 2 * Math.sin(i / 60);
      const shake = (0.03 + 0.006 * wind) * (0.3 + 0.7 * speed) * Math.exp(0.15 * chance.normal());
      watch.step(10, level(shake, speed), wind, speed);
    }
    return watch;
  };

  test("an imbalance adds in square, an offset and a gain do not", () => {
    const imbalance = verdict((shake, speed) => Math.hypot(shake, 0.15 * speed * speed), 60);
    expect(imbalance.imbalance_mps2).toBeCloseTo(0.15, 2);
    expect(imbalance.sensorOff).toBe(false);
    for (const level of [(s: number) => s + 0.1, (s: number) => 1.8 * s]) {
      const wrong = verdict(level, 60);
      expect(wrong.sensorOff).toBe(true);
      expect(wrong.imbalance_mps2).toBeNaN();
    }
    const healthy = verdict((shake) => shake, 600);
    expect(healthy.imbalance_mps2).toBe(0);
    expect(healthy.sensorOff).toBe(false);
  });
});

describe("pitch", () => {
  const watch = (read: (demand_deg: number) => number): PitchWatch => {
    const chance = prng(6, "pitch");
    const one = new PitchWatch();
    for (let i = 0; i < 1420; i++) {
      const demand = 6 + 5 * Math.sin(i / 50);
      one.step(10, {
        pitch_rad: (read(demand) + 0.03 * chance.normal()) * DEGREE,
        demand_rad: demand * DEGREE,
        speed: 1,
        windRatio: 1,
      });
    }
    return one;
  };

  test("blades that follow less and less are found long before they are a degree off", () => {
    const slips = watch((demand) => demand + 0.05 * (10 - demand));
    expect(slips.slip_rad / DEGREE).toBeCloseTo(0.5, 1);
    expect(watch((demand) => demand).slip_rad).toBe(0);
    // A gain that is wrong has its zero at zero, an offset no slope.
    expect(watch((demand) => 0.97 * demand).slip_rad).toBe(0);
    expect(watch((demand) => demand + 0.5).slip_rad).toBe(0);
  });

  test("a sensor that was wrong for minutes leaves no slope behind", () => {
    const one = new PitchWatch();
    const chance = prng(7, "pitch");
    for (let i = 0; i < 1420; i++) {
      const demand = i < 700 ? 6 + 5 * Math.sin(i / 50) : 0;
      const wrong = i >= 700 && i < 760 ? 8 : 0;
      one.step(10, {
        pitch_rad: (demand + wrong + 0.03 * chance.normal()) * DEGREE,
        demand_rad: demand * DEGREE,
        speed: 1,
        windRatio: 1,
      });
      expect(one.slip_rad || 0).toBe(0);
    }
  });

  test("far off: a jam, an offset, a gain", () => {
    const jam = watch(() => 9);
    expect(jam.sensorOff).toBe(false);
    expect(jam.jam_rad).toBeGreaterThan(0);
    for (const read of [(d: number) => d + 5, (d: number) => 1.5 * d]) {
      const wrong = watch(read);
      expect(wrong.sensorOff).toBe(true);
      expect(wrong.jam_rad).toBeNaN();
    }
  });
});

describe("belief", () => {
  const row = TURBINE_PORTS.find(({ name }) => name === "nacelleTemp");
  if (row === undefined) throw new Error("no port");

  test("comes back after a step back, though the air is another by then", () => {
    const validity = new Validity([row], () => Number.NaN);
    const feed = (value_K: number, from_s: number, to_s: number): void => {
      for (let t_s = from_s; t_s < to_s; t_s += 10) {
        validity.take(0, value_K + 0.01 * (t_s % 7), 1000 * t_s);
      }
    };
    feed(290, 0, 600);
    expect(validity.code(0)).toBe(0);
    feed(310, 600, 7200);
    expect(validity.code(0)).not.toBe(0);
    feed(297, 7200, 7800 + 3600);
    expect(validity.code(0)).toBe(0);
    expect(limitsOf(row).jumpStep).toBeLessThan(7);
  });

  test("does not come back where a model of the channel says otherwise, nor by silence", () => {
    const validity = new Validity([row, { ...row, name: "other" }], () => Number.NaN);
    const feed = (value_K: number, from_s: number, to_s: number): void => {
      for (let t_s = from_s; t_s < to_s; t_s += 10) {
        validity.take(0, value_K + 0.01 * (t_s % 7), 1000 * t_s);
        validity.agree(0, false);
      }
    };
    feed(290, 0, 600);
    feed(310, 600, 1200);
    // The machine cools, and the wrong reading passes where the right one was.
    for (let t_s = 1200; t_s < 4000; t_s += 10) feed(310 - (t_s - 1200) / 100, t_s, t_s + 10);
    expect(validity.raw(0)).toBeLessThan(290);
    expect(validity.code(0)).not.toBe(0);
    validity.agree(0, true);
    expect(validity.code(0)).toBe(0);
    // Beyond its range, then silent: only a reading after the hold ends that.
    validity.take(0, 1000, 4_000_000);
    for (let t_s = 4000; t_s < 6000; t_s += 10) {
      validity.take(1, 290 + 0.01 * (t_s % 11), 1000 * t_s);
    }
    expect(validity.code(0)).not.toBe(0);
    feed(282, 6000, 6020);
    expect(validity.code(0)).toBe(0);
  });

  test("a balance cannot keep a channel in doubt that is doubted for itself", () => {
    const validity = new Validity([row, { ...row, name: "other" }], () => Number.NaN);
    for (let t_s = 0; t_s < 4000; t_s += 10) {
      const stuck = t_s > 300 && t_s < 900;
      validity.take(0, stuck ? 290 : 290 + 0.01 * (t_s % 7), 1000 * t_s);
      validity.take(1, 290 + 0.01 * (t_s % 11), 1000 * t_s);
      // As a mean would that has heard nothing new since.
      if (t_s > 500 && t_s < 1000) validity.accuse(0);
    }
    expect(validity.code(0)).toBe(0);
  });
});

test("an older baseline keeps the gross limits, and what it lacks is said", () => {
  const demo = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8")) as Baseline;
  const old = Object.entries(demo.values).filter(([name]) => !name.endsWith(".scale"));
  const offOf = (baseline: Baseline | null): string[] =>
    createTurbineMonitor({
      id: "wt",
      nameplate: { ratedPower: 5e6, rotorRadius: 63, gearRatio: 97 },
      baseline,
      backend: reference,
    }).off.filter((text) => text.startsWith("small shifts"));
  expect(offOf(demo)).toEqual([]);
  expect(offOf(null)).toEqual([]);
  expect(offOf({ ...demo, values: Object.fromEntries(old) })).toHaveLength(6);
});
