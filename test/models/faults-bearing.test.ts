//! The bearing rig: its faults, its sensors, its healthy hours; and real bearings of public sets.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { TrendWatch } from "../../agent/models/bearing-trend.js";
import { commission } from "../../agent/models/convert/baseline.js";
import { createBearing } from "../../agent/sensors/plants/bearing.js";
import { BEARING_CHANNELS } from "../../agent/sensors/plants/bearing-channels.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { type RigOptions, run } from "./rig.js";

const plant = createBearing({ asset: "test", seed: 77, blockEvery_ms: 60_000 });
const baseline = JSON.parse(JSON.stringify(commission(plant, 4, 1000, "simulated")));
const AT_s = 1800;
const rig = (options: Partial<RigOptions>) =>
  run({ kind: "bearing", baseline, seed: 3, duration_s: AT_s + 3600, ...options });

const EXPECTED: Readonly<Record<string, string>> = {
  outer_race: "bearing-damage",
  inner_race: "bearing-damage",
  rolling_element: "bearing-damage",
  lubrication: "lubrication",
  accel_loose: "sensor-accel",
};

describe("faults of the rig, each within an hour", () => {
  for (const { name, class: kind } of FAULTS.filter((row) => row.kind === "bearing")) {
    test(name, () => {
      const alarms = rig({ inject: `${name}@${AT_s}s` });
      if (kind === "event") expect(alarms).toEqual([]);
      else {
        const shown = alarms.filter((a) => !a.folded).map((a) => [a.id, a.class]);
        expect(shown).toEqual([[EXPECTED[name], kind]]);
        expect(alarms[0]?.at_s).toBeGreaterThan(AT_s);
      }
    });
  }
});

describe("sensors, every mode", () => {
  for (const { name } of BEARING_CHANNELS.filter((c) => c.shape === "scalar")) {
    test(name, () => {
      for (const mode of SENSOR_FAULTS) {
        const other = name === "ambientTemp" ? "bearingTemp" : "ambientTemp";
        const inject = `bearing:sensor:${name}:${mode}${mode === "swap" ? `:${other}` : ""}@${AT_s}s`;
        const alarms = rig({ inject, blockEvery_ms: 120_000 });
        expect(
          alarms.filter((a) => a.class !== "sensor"),
          inject,
        ).toEqual([]);
        // A ceiling above the reading, and little of it below, does nothing.
        if (mode !== "saturation") expect(alarms.length, inject).toBeGreaterThan(0);
      }
    });
  }
});

test("healthy at several speeds and loads: nothing", () => {
  for (const [i, speed_radps] of [120, 157, 180].entries()) {
    for (const load_N of [2500, 4000]) {
      const options = { seed: 201 + i, duration_s: 7200, plant: { speed_radps, load_N } };
      expect(rig(options), `${speed_radps} rad/s, ${load_N} N`).toEqual([]);
    }
  }
});

// Protocol: first half of life healthy, second faulty; normal and 3 sigma from the first 15 %.
const FEMTO = join(
  import.meta.dirname,
  "../../../shared/data/femto_pronostia/features_learning_set.csv.gz",
);
const found = [FEMTO, process.env["STERNA_FEMTO"] ?? ""].find((file) => existsSync(file));

test.skipIf(found === undefined)("FEMTO run to failure (needs ../shared/data)", () => {
  const [, ...lines] = gunzipSync(readFileSync(found ?? ""))
    .toString()
    .trim()
    .split("\n");
  const lives = new Map<string, number[][]>();
  for (const line of lines) {
    const cells = line.split(",");
    const name = cells[1] ?? "";
    lives.set(name, [...(lives.get(name) ?? []), cells.slice(4, 6).map(Number)]);
  }
  let [ours, theirs, detected, theirDetected] = [0, 0, 0, 0];
  for (const [name, life] of lives) {
    const mine = judge(life, trendAlarm(life));
    const plain = judge(life, sigmaAlarm(life));
    ours += mine.episodes;
    theirs += plain.episodes;
    detected += mine.found ? 1 : 0;
    theirDetected += plain.found ? 1 : 0;
    process.stdout.write(
      `femto ${name}: false ${mine.episodes} (3 sigma ${plain.episodes}), ` +
        `found at ${(100 * mine.at).toFixed(0)} % of life\n`,
    );
  }
  process.stdout.write(`femto: ${ours} against ${theirs}, ${detected}/${theirDetected} found\n`);
  expect(detected).toBeGreaterThanOrEqual(theirDetected);
  expect(ours).toBeLessThanOrEqual(0.05 * theirs);
});

function judge(life: readonly number[][], alarm: readonly boolean[]) {
  const half = Math.floor(life.length / 2);
  const rises = (from: number, to: number): number =>
    alarm.slice(from, to).filter((on, i) => on && !alarm[from + i - 1]).length;
  const first = alarm.findIndex((on, i) => on && i >= half);
  return { episodes: rises(0, half), found: first >= 0, at: first / life.length };
}

function trendAlarm(life: readonly number[][]): boolean[] {
  const start = life.slice(0, Math.floor(0.15 * life.length));
  const watches = [0, 1].map((axis) => {
    const sorted = start.map((row) => Math.log(row[axis] as number)).sort((a, b) => a - b);
    return new TrendWatch(sorted[sorted.length >> 1] as number);
  });
  let on = false;
  return life.map((row) => {
    const rise = Math.max(...watches.map((watch, axis) => watch.add(row[axis] as number)));
    on = on ? !(rise < 0.4) : rise > 0.69;
    return on;
  });
}

function sigmaAlarm(life: readonly number[][]): boolean[] {
  const start = life.slice(0, Math.floor(0.15 * life.length));
  const limits = [0, 1].map((axis) => {
    const values = start.map((row) => row[axis] as number);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    return mean + 3 * Math.sqrt(variance);
  });
  return life.map((row) => row.some((v, axis) => v > (limits[axis] as number)));
}
