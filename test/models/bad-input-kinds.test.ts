//! Gas turbine, bearing rig and drone with a channel told in a wrong unit, a clock that jumps, a
//! stop while instruments lie, and a machine that is broken from its first reading: nothing of the
//! first three is taken for the machine, and the last is found.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BEARING_CHANNELS } from "../../agent/sensors/plants/bearing-channels.js";
import { QUADROTOR_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { GAS_TURBINE_CHANNELS } from "../../agent/sensors/plants/gas-turbine-channels.js";
import type { PlantChannel } from "../../agent/sensors/plants/plant.js";
import { fly } from "./drone-rig.js";
import { type Raised, type RigOptions, run } from "./rig.js";

const baselineOf = (asset: string): unknown =>
  JSON.parse(readFileSync(`config/baselines/${asset}.json`, "utf8"));
const BASELINES = {
  "gas-turbine": baselineOf("demo-gt01"),
  bearing: baselineOf("demo-br01"),
  quadrotor: baselineOf("demo-qd01"),
};
const AT_s = 1200;
const END_s = 2400;

const machine = (raised: readonly Raised[]): string[] =>
  raised.filter((alarm) => alarm.class === "machine").map(({ id, at_s }) => `${id} at ${at_s}`);

type Kind = "gas-turbine" | "bearing";
const PERIOD_ms = { "gas-turbine": 4000, bearing: 4000 } as const;
const live = (kind: Kind, options: Partial<RigOptions>): Raised[] =>
  run({
    ...{ kind, seed: 3, baseline: BASELINES[kind], duration_s: 3600 },
    ...{ period_ms: PERIOD_ms[kind], blockEvery_ms: 600_000, ...options },
  });

/** What a gateway hears, in SI, of a sender that means another unit than the config states. */
const fahrenheit = (kelvin: number): number => 273.15 + (kelvin - 273.15) * 1.8 + 32;
const by =
  (factor: number) =>
  (value: number): number =>
    value * factor;
const WRONG: Readonly<Record<string, (value: number) => number>> = {
  Cel: fahrenheit,
  K: by(1.8),
  hPa: by(1 / 33.86),
  kPa: by(1 / 6.895),
  Pa: by(1 / 100),
  MW: by(1.341),
  kN: by(0.2248),
  N: by(0.2248),
  "N.m": by(0.7376),
  rpm: by(Math.PI / 30),
  "rad/s": by(30 / Math.PI),
  deg: by(Math.PI / 180),
  "kg/s": by(2.2046),
  "mm/s{rms}": by(1 / 25.4),
  "m/s2{rms}": by(1 / 9.80665),
  "m/s2": by(1 / 9.80665),
  "m/s": by(1.9438),
  m: by(3.2808),
  A: by(1000),
  V: by(1000),
  "%": by(0.01),
  uT: by(10),
};
const scalarsOf = (channels: readonly PlantChannel[]): PlantChannel[] =>
  channels.filter(({ shape, unit }) => shape === "scalar" && unit !== "1");

/** From the middle of the run for twenty minutes, as after an update of its sender. */
const told =
  (channel: PlantChannel, from_s: number, to_s: number) =>
  (name: string, value: number, t_s: number): number =>
    name === channel.name && t_s >= from_s && t_s < to_s
      ? (WRONG[channel.unit]?.(value) ?? Number.NaN)
      : value;

describe("a channel in another unit is never the machine", () => {
  for (const [kind, list] of [
    ["gas-turbine", GAS_TURBINE_CHANNELS],
    ["bearing", BEARING_CHANNELS],
  ] as const) {
    for (const channel of scalarsOf(list)) {
      test(`${kind} ${channel.name}, not in ${channel.unit}`, () => {
        expect(WRONG[channel.unit]).toBeDefined();
        expect(machine(live(kind, { lie: told(channel, AT_s, END_s) }))).toEqual([]);
      });
    }
  }

  test("quadrotor, every channel", () => {
    for (const channel of scalarsOf(QUADROTOR_CHANNELS)) {
      expect(WRONG[channel.unit], channel.unit).toBeDefined();
      const lie = told(channel, 60, 120);
      const baseline = BASELINES.quadrotor;
      const { alarms } = fly({ baseline, seed: 5, duration_s: 180, period_ms: 400, lie });
      expect(machine(alarms), channel.name).toEqual([]);
    }
  });
});

describe.each(["gas-turbine", "bearing"] as const)("%s", (kind) => {
  test("a clock that jumps, by an hour or by ten seconds, on or back", () => {
    for (const jump_ms of [3_600_000, -3_600_000, 10_000, -10_000]) {
      const clock_ms = (t_s: number): number => (t_s > AT_s && t_s < END_s ? jump_ms : 0);
      expect(machine(live(kind, { clock_ms })), `${jump_ms} ms`).toEqual([]);
    }
  });

  test("instruments that lie while it stops, one and two at once", () => {
    const stop = kind === "bearing" ? "rest" : "shutdown";
    const list = scalarsOf(kind === "bearing" ? BEARING_CHANNELS : GAS_TURBINE_CHANNELS);
    const modes = ["stuck", "drift", "bias", "scale"];
    list.forEach((channel, i) => {
      const lie = (k: number, at_s: number): string =>
        `${kind}:sensor:${list[k % list.length]?.name}:${modes[(i + k) % modes.length]}@${at_s}s`;
      const one = [lie(i, AT_s), `${stop}@${AT_s + 300}s`];
      for (const inject of [one, [...one, lie(i + 3, AT_s + 600)]]) {
        const said = live(kind, { inject, sensorsEnd_s: 3000 });
        expect(machine(said), `${channel.name}: ${inject.join(", ")}`).toEqual([]);
      }
    });
  });
});

test("a machine that starts broken is found", () => {
  const gas = live("gas-turbine", { inject: "journal_bearing@0s", duration_s: 3600 });
  expect(gas.map(({ id }) => id)).toContain("bearing-2");
  const inject = "outer_race@0s";
  const rig = live("bearing", { inject, blockEvery_ms: 60_000 });
  expect(rig.map(({ id }) => id)).toContain("bearing-damage");
});
