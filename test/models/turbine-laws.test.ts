//! Bad input of a wind turbine: whatever instruments do, alone or two at once, while it runs, stops
//! or is broken itself, nothing crashes, no machine alarm comes of it, and no real one is silenced
//! for longer than the fault lasts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { TURBINE_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { createWindTurbine } from "../../agent/sensors/plants/wind-turbine.js";
import { collect, feed, type Raised, rangesOf, wire } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8"));
const START_ms = 1_800_000_000_000;
const PERIOD_ms = 10_000;
const HOUR_s = 3600;
const CHANNELS = TURBINE_CHANNELS.filter((c) => c.shape === "scalar").map((c) => c.name);

type Event = {
  readonly name: string;
  readonly from_s: number;
  readonly to_s: number;
  readonly severity?: number;
};

/** A turbine for some hours at a reading every ten seconds, each event begun and mended. */
function live(seed: number, hours: number, events: readonly Event[], wind_mps = 10) {
  const plant = createWindTurbine({
    asset: "test",
    seed,
    start_ms: START_ms,
    period_ms: PERIOD_ms,
    blockEvery_ms: 6 * HOUR_s * 1000,
    inner_s: 0.1,
    wind_mps,
  });
  const wires = wire(plant, { baseline });
  const { watch, changes, signals } = wires;
  const ranges = rangesOf(plant);
  const sides = events
    .flatMap(({ name, from_s, to_s, severity = 1 }) => {
      const injection = parseInjection(name);
      if ("fault" in injection) throw new Error(injection.fault);
      return [
        { ...injection, at_s: from_s, severity },
        { ...injection, at_s: to_s, severity: 0 },
      ];
    })
    .sort((a, b) => a.at_s - b.at_s);
  for (let t_s = 10; t_s <= hours * HOUR_s; t_s += 10) {
    while ((sides[0]?.at_s ?? Number.POSITIVE_INFINITY) <= t_s) {
      const side = sides.shift();
      if (side !== undefined) plant.inject(side);
    }
    const t_ms = START_ms + 1000 * t_s;
    feed(plant, wires, ranges, t_ms);
  }
  const get = (name: string): number => watch.frame[signals.get(name)?.index ?? -1] ?? Number.NaN;
  return { raised: collect(changes, START_ms), get };
}

const machine = (raised: readonly Raised[]): string[] =>
  raised.filter((alarm) => alarm.class === "machine").map(({ id, at_s }) => `${id} at ${at_s}`);
const sensor = (channel: string, mode: string): string => {
  const partner = channel === "nacelleTemp" ? "oilTemp" : "nacelleTemp";
  return `wind-turbine:sensor:${channel}:${mode}${mode === "swap" ? `:${partner}` : ""}`;
};
/** A swap is not mended by its injector. */
const MODES = SENSOR_FAULTS.filter((mode) => mode !== "swap");
const modeAt = (i: number): string => MODES[i % MODES.length] ?? "stuck";

describe("no machine alarm comes of instruments", () => {
  CHANNELS.forEach((channel, row) => {
    test(`${channel} alone, at full and at a third`, () => {
      for (const [k, severity] of [1, 0.33].entries()) {
        const name = sensor(channel, modeAt(2 * row + k));
        const events = [{ name, from_s: 1200, to_s: 1200 + 2 * HOUR_s, severity }];
        expect(machine(live(3, 3, events).raised), `${name} ${severity}`).toEqual([]);
      }
    });
  });

  test("two at once, drawn from all, while the turbine runs, is curtailed or stops", () => {
    const chance = prng(5, "pairs");
    for (let i = 0; i < 12; i++) {
      const pick = (): string => {
        const channel = CHANNELS[Math.floor(chance.next() * CHANNELS.length)] ?? "power";
        return sensor(channel, modeAt(Math.floor(100 * chance.next())));
      };
      const hours = { from_s: 1200, to_s: 1200 + 1.5 * HOUR_s };
      const [one, two] = [pick(), pick()];
      const other = ["stop", "curtail", "gust"][i % 3] ?? "stop";
      const events = [
        { name: one, ...hours },
        { name: two, ...hours },
        { name: other, from_s: 2400, to_s: 4200 },
      ];
      expect(machine(live(20 + i, 2.5, events).raised), `${one}, ${two}, ${other}`).toEqual([]);
    }
  });

  test("an offset of the tower's accelerometer, small or large, is its own", () => {
    for (const severity of [0.3, 0.6, 1]) {
      const name = sensor("towerAccel", "bias");
      const { raised } = live(1, 5, [{ name, from_s: 1200, to_s: 4.5 * HOUR_s, severity }]);
      expect(machine(raised), String(severity)).toEqual([]);
      expect(raised.map(({ id }) => id)).toContain("sensor-towerAccel");
    }
  });
});

describe("no real alarm is silenced for longer than the instrument is broken", () => {
  const FOUND: readonly (readonly [fault: string, alarm: string, channels: readonly string[]])[] = [
    ["gen_cooling", "generator-cooling", ["windingTemp", "nacelleTemp", "power"]],
    ["gear_loss", "gearbox-oil", ["oilTemp", "nacelleTemp", "power"]],
  ];
  for (const [fault, alarm, channels] of FOUND) {
    test(fault, () => {
      channels.forEach((channel, k) => {
        const name = sensor(channel, ["bias", "stuck", "drift"][k % 3] ?? "bias");
        const broken = { name, from_s: 1000, to_s: 1000 + 2 * HOUR_s };
        const events = [{ name: fault, from_s: 1200, to_s: 9 * HOUR_s }, broken];
        const { raised } = live(3, 6, events, 11);
        const first = raised.find(({ id }) => id === alarm);
        // Ten minutes until it is believed, and as long as the fault takes without it.
        expect(first?.at_s ?? Number.NaN, name).toBeLessThan(broken.to_s + 2.5 * HOUR_s);
      });
    });
  }

  test("an instrument that is mended is believed again, whatever the weather did meanwhile", () => {
    for (const [channel, mode] of [
      ["power", "stuck"],
      ["nacelleTemp", "bias"],
      ["nacelleTemp", "scale"],
      ["windingTemp", "bias"],
      ["windSpeed", "stuck"],
    ] as const) {
      const name = sensor(channel, mode);
      const { get } = live(4, 8, [{ name, from_s: 1200, to_s: 6 * HOUR_s, severity: 0.6 }]);
      expect(get(`${channel}.fault`), name).toBe(0);
    }
  });

  test("a machine that starts broken alarms as soon as it is known to work", () => {
    const { raised } = live(3, 4, [{ name: "gen_cooling", from_s: 0, to_s: 9 * HOUR_s }], 11);
    expect(machine(raised)[0]).toContain("generator-cooling");
  });
});
