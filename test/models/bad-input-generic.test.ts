//! What a generic machine's monitor must not do whatever its channels say: crash, call one lying
//! instrument the machine, or miss a machine that is off longer than the instrument lies.
import { describe, expect, test } from "vitest";
import { BASELINE, type Change, COLUMNS, fresh, pump, START_ms, USE } from "./generic-pump.js";
import { GenericRig } from "./generic-rig.js";

const STEP_ms = 300_000;
const DAY_ms = 86_400_000;
const ON = 10.6;
const OFF = 11;
const NAMES = COLUMNS.slice(1).map(({ name }) => name);
/** Some ten spreads of each channel about its middle of a load. */
const SIZE = [0, 7, 14, 7, 3];

type Lie = (value: number, channel: number, days: number) => number;
const LIES: Readonly<Record<string, Lie>> = {
  stuck: (_, channel) => [0, 60, 480, 294, 0.2][channel] ?? 0,
  bias: (value, channel) => value + (SIZE[channel] ?? 0),
  drift: (value, channel, days) => value + (2 * (SIZE[channel] ?? 0) * days) / (OFF - ON),
  scale: (value) => 1.3 * value,
  "wrong unit": (value) => 1.8 * value + 32,
  noise: (value, channel, days) => value + (SIZE[channel] ?? 0) * Math.sin(1e6 * days),
  spikes: (value, _, days) => (Math.sin(1e4 * days) > 0.9 ? 10 * value : value),
  dropout: () => Number.NaN,
  zero: () => 0,
  saturation: (value, channel) => Math.min(value, [0, 150, 450, 300, 0.5][channel] ?? 0),
  infinite: () => Number.POSITIVE_INFINITY,
};

const lying =
  (lie: Lie, channel: number, from = ON, to = OFF): Change =>
  (row, day) => {
    if (day > from && day < to) row[channel] = lie(row[channel] ?? 0, channel, day - from);
  };
const both =
  (a: Change, b: Change): Change =>
  (row, day) => {
    a(row, day);
    b(row, day);
  };
/** The machine itself: three channels leave together. */
const broken =
  (from: number): Change =>
  (row, day) => {
    if (day < from) return;
    row[1] = (row[1] ?? 0) - 12;
    row[2] = (row[2] ?? 0) - 24;
    row[3] = (row[3] ?? 0) + 12;
  };

describe("an instrument that lies for ten hours is never the machine", () => {
  for (const [i, name] of NAMES.entries()) {
    test(name, () => {
      for (const [mode, lie] of Object.entries(LIES)) {
        expect(pump(fresh(), 10, 1.9, lying(lie, i + 1), STEP_ms), mode).not.toContain("machine");
      }
    });
  }

  test("nor one that sets the operating point: other loads are not judged", () => {
    for (const [mode, lie] of Object.entries(LIES)) {
      expect(pump(fresh(), 10, 1.9, lying(lie, 0), STEP_ms), mode).not.toContain("machine");
    }
  });

  test("large lies are told", () => {
    for (const mode of ["bias", "scale", "wrong unit", "zero"]) {
      const said = pump(fresh(), 10, 1.9, lying(LIES[mode] as Lie, 2), STEP_ms);
      expect(said, mode).toEqual(["sensor"]);
    }
  });
});

test("two instruments one after the other are two sensors", () => {
  const modes = Object.values(LIES);
  modes.forEach((lie, i) => {
    const other = modes[(i + 3) % modes.length] as Lie;
    const two = both(lying(lie, 2), lying(other, 4, ON + 0.3, OFF + 0.3));
    expect(pump(fresh(), 10, 1.9, two, STEP_ms), Object.keys(LIES)[i]).not.toContain("machine");
  });
});

test("a machine that breaks while an instrument lies is found, and after it too", () => {
  for (const mode of ["stuck", "bias", "zero", "dropout", "wrong unit"]) {
    for (const channel of [1, 4]) {
      const during = both(broken(ON + 0.1), lying(LIES[mode] as Lie, channel));
      expect(pump(fresh(), 10, 1.9, during, STEP_ms), `${mode} ${channel}`).toContain("machine");
    }
  }
});

test("clocks that jump, repeat and stand still: no machine is raised, and a fault is found after", () => {
  const rig = fresh();
  pump(rig, 10, 2, undefined, STEP_ms);
  const now_ms = START_ms + 12 * DAY_ms;
  // Back by years, to the same instant, a day ahead and back: what is older is not heard.
  for (const t_ms of [0, START_ms, now_ms, now_ms, now_ms + DAY_ms, now_ms, now_ms + DAY_ms]) {
    rig.feed(t_ms, [20, 60, 480, 294, 0.2]);
    expect(rig.alarm).toBeNull();
  }
  // A clock that runs ahead may be told of its instruments.
  expect(pump(rig, 12, 1.9, undefined, STEP_ms)).not.toContain("machine");
  expect(pump(rig, 14, 2, broken(15), STEP_ms)).toContain("machine");
});

test("a machine that is off from its first hour is found", () => {
  expect(pump(fresh(), 10, 1.5, broken(0), STEP_ms)).toContain("machine");
});

test("a damaged memory and a baseline of another version are said, and judged by none", () => {
  const rig = fresh();
  pump(rig, 10, 1, undefined, STEP_ms);
  const { memory } = rig.fitted.stage.save();
  const again = fresh();
  again.fitted.stage.restore({ progress: null, baseline: null, adapted: null, memory });
  expect(again.fitted.stage.save().memory).toEqual(memory);
  for (const bad of [7, [], [{ past: 3, window: [{ t_s: "x" }], odd: [99] }], [[]]]) {
    const other = fresh();
    other.fitted.stage.restore({ progress: null, baseline: null, adapted: null, memory: bad });
    expect(pump(other, 10, 0.5, undefined, STEP_ms)).toEqual([]);
  }
  const vectors = { ...BASELINE.vectors, "with.3": [1] };
  const old = new GenericRig(COLUMNS, USE, { baseline: { ...BASELINE, vectors } });
  expect(old.fitted.off.join()).toContain("commission anew");
  expect(pump(old, 10, 1, broken(0), STEP_ms)).toEqual([]);
});
