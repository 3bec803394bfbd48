import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { Slips, slipOf } from "../../agent/models/generic-slips.js";
import type { Baseline } from "../../agent/models/setup.js";
import { readUnit } from "../../agent/models/suspect.js";
import { BASELINE, type Change, COLUMNS, learnt, pump, START_ms, USE } from "./generic-pump.js";
import { type Column, GenericRig } from "./generic-rig.js";

/** The pump with some channels declared in another unit than those it was commissioned in. */
const declared = (units: Readonly<Record<string, string>>): GenericRig =>
  new GenericRig(
    COLUMNS.map(({ name, unit }) => ({ name, unit: units[name] ?? unit })),
    USE,
    { baseline: BASELINE },
  );

function evidenceOf(rig: GenericRig, output: string): string[] {
  const [monitor] = rig.fitted.monitors;
  const at = monitor?.outputs.findIndex(({ name }) => name === output) ?? -1;
  return [...(monitor?.explain(at)?.evidence ?? [])];
}

const times =
  (column: number, factor: number): Change =>
  (row) => {
    row[column] = (row[column] ?? 0) * factor;
  };

describe("a unit declared wrongly", () => {
  test("of a reading is its sensor, with the unit that fits, and never the machine", () => {
    const rig = declared({ flow: "MW" }); // it sends kW
    expect(pump(rig, 7, 0.5, times(1, 1000))).toEqual(["sensor"]);
    const [first, second] = evidenceOf(rig, "flow.fault");
    expect(first).toBe("flow: declared MW, but kW would fit");
    expect(second).toMatch(/^[\d.]+ MW is far from the [\d.]+ to [\d.]+ MW that were learnt/);
  });

  test("of a setting is told, too, which nothing else judges", () => {
    const rig = declared({ load: "kW" }); // it sends W
    expect(pump(rig, 7, 0.5, times(0, 1000))).toEqual(["sensor"]);
    expect(evidenceOf(rig, "load.fault")[0]).toMatch(/^load: declared kW, but W would fit/);
  });

  const kW = readUnit("kW", false);
  const cel = readUnit("Cel", true);
  const kelvin = readUnit("K", false);
  const one = readUnit("1", false);
  if (kW === null || cel === null || kelvin === null || one === null) throw new Error("units");

  test("is asked for beyond three learnt ranges, and where another unit fits ten times better", () => {
    const reach = { low: 0, high: 100e3 };
    expect(slipOf(400e3, reach, kW, false)).toBeNull();
    expect(slipOf(401e3, reach, kW, false)?.text).toBe("W");
    // As far, and no unit brings it back: another season, another load, a broken instrument.
    expect(slipOf(401e3, { low: 99e3, high: 100e3 }, kW, false)).toBeNull();
    const weather = { low: 283, high: 298 };
    expect(slipOf(290 + 273.15, weather, cel, true)?.text).toBe("K");
    expect(slipOf(17, weather, kelvin, false)?.text).toBe("Cel");
    expect(slipOf(330, weather, cel, true)).toBeNull();
    // A broken instrument at 1e9 is no percentage.
    expect(slipOf(1e9, { low: 0, high: 100 }, one, false)).toBeNull();
  });

  test("takes three hours to be told and 36 to end, and is kept over a restart of the same unit", () => {
    const channels = [{ name: "p", unit: "kW", point: false }];
    const reaches = new Map([["p", { low: 0, high: 100e3 }]]);
    const slips = new Slips(channels, reaches);
    for (let k = 0; k < 17; k++) expect(slips.take("p", 5e7, 600)).toBeNaN();
    expect([slips.doubts("p"), slips.told("p")]).toEqual([true, null]);
    slips.take("p", 5e7, 600);
    expect(slips.told("p")?.meant.text).toBe("W");
    const kept: unknown = JSON.parse(JSON.stringify(slips.save()));
    const again = new Slips(channels, reaches);
    again.restore(kept);
    expect(again.told("p")?.meant.text).toBe("W");
    const mended = new Slips([{ name: "p", unit: "W", point: false }], reaches);
    mended.restore(kept);
    expect(mended.told("p")).toBeNull();
    // At rest it is 0 in any unit.
    for (let k = 0; k < 215; k++) expect(slips.take("p", 0, 600)).toBeNaN();
    expect(slips.take("p", 0, 600)).toBe(0);
    expect(slips.told("p")).toBeNull();
    for (const damaged of [null, 3, [3], [["p"]], [["q", "kW", 1]]]) again.restore(damaged);
  });
});

test("the machine's alarm says what was expected, and what else it may be", () => {
  const off: Change = (row) => {
    row[1] = (row[1] ?? 0) - 40;
    row[2] = (row[2] ?? 0) - 40;
    row[0] = 50;
  };
  const rig = declared({});
  expect(pump(rig, 7, 1, off)).toContain("machine");
  const evidence = evidenceOf(rig, "health.index");
  const said = /spreads above its normal \(now [\d.]+ 1, foretold ([\d.]+) to ([\d.]+)\)/;
  const [, low, high] = said.exec(evidence[0] ?? "") ?? [];
  expect(Number(low)).toBeLessThan(Number(high));
  expect(evidence.at(-2)).toMatch(/^\d of 4 channels judged are off by more than 1.5 spreads$/);
  expect(evidence.at(-1)).toMatch(
    /^other explanation: the setting load is stuck: it has said 50 1 for \d+ h$/,
  );
  const moving = declared({});
  pump(moving, 7, 1, (row) => {
    row[1] = (row[1] ?? 0) - 40;
    row[2] = (row[2] ?? 0) - 40;
  });
  expect(evidenceOf(moving, "health.index").at(-1)).toBe(
    "other explanation: a setting reads wrongly (load)",
  );
});

const NAMES = ["weather", "power", "flow", "heat", "speed"];
const MACHINE: readonly Column[] = NAMES.map((name) => {
  return { name, unit: name === "power" ? "kW" : "1" };
});

/**
 * Four channels follow a load, each a little of the weather; ten-minute means. `own`: what each does
 * by itself, as a share of what the load does; with more than a third they are no twins.
 */
function machine(
  rig: GenericRig,
  own: number,
  [from, to]: readonly [number, number],
  change: Change = () => {},
): string[] {
  const chance = prng(5 + from, "machine");
  const seen = new Set<string>();
  let [load, weather] = [0, 0];
  for (let k = from; k < to; k++) {
    load += -0.05 * load + 0.3 * chance.normal();
    weather += -0.02 * weather + 0.1 * chance.normal();
    const driven = [2, 3, -1, 4].map((by) => {
      return by * (load + own * chance.normal()) + 0.3 * weather;
    });
    const row = [weather, ...driven];
    change(row, k);
    rig.feed(START_ms + k * 600_000, row);
    if (rig.alarm !== null) seen.add(rig.alarm);
  }
  return [...seen];
}

function commissioned(settings: readonly string[], own: number): Baseline {
  const use = { cycle: null, settings, records: false };
  const rig = new GenericRig(MACHINE, use, { want: { amount: 6, by: "hand" } });
  machine(rig, own, [0, 893]);
  return learnt(rig);
}

test("a channel far off is its sensor, though it leaves no other one judged", () => {
  const use = { cycle: null, settings: ["weather"], records: false };
  const rig = new GenericRig(MACHINE, use, { baseline: commissioned(["weather"], 0.35) });
  const far: Change = (row) => {
    row[3] = 1e6;
  };
  expect(machine(rig, 0.35, [1000, 1200], far)).toEqual(["sensor"]);
});

test("what was never below zero is not foretold there, what swings about it is", () => {
  const columns = ["load", "swing"].map((name) => ({ name, unit: "kW" }));
  const use = { cycle: null, settings: [], records: false };
  const feed = (rig: GenericRig, from: number, to: number, low: number): void => {
    const chance = prng(5 + from, "swing");
    for (let k = from; k < to; k++) {
      const load = low > 0 ? low : 5e5 * (1 + Math.sin(k / 20));
      const swing = load - 5e5 + 1e5 * chance.normal();
      rig.feed(START_ms + k * 600_000, [load + Math.abs(2e5 * chance.normal()), swing]);
    }
  };
  const rig = new GenericRig(columns, use, { want: { amount: 6, by: "hand" } });
  feed(rig, 0, 893, 0);
  const judging = new GenericRig(columns, use, { baseline: learnt(rig) });
  feed(judging, 6000, 6200, 1);
  const said = evidenceOf(judging, "health.index").join("; ");
  expect(said).toMatch(/load is [^(]*\(now [\d.]+ kW, foretold 0 to [\d.]+\)/);
  expect(said).toMatch(/swing is [^(]*\(now -[\d.]+ kW, foretold -[\d.]+ to -?[\d.]+\)/);
});

describe("which channel to name under settings", () => {
  const advice = (settings: readonly string[]): readonly string[] =>
    commissioned(settings, 0.01).provenance?.advice ?? [];

  test("the load is named where weather alone was; where it is named nothing is said", () => {
    const [said] = advice(["weather"]);
    const gain = "3 of 3 channels would be foretold at least twice as well";
    expect(said).toBe(
      `name power under settings, if it sets the load: ${gain}; so would flow, heat, speed do`,
    );
    expect(advice(["weather", "power"])).toEqual([]);
  });
});
