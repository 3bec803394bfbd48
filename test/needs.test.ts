//! What the table of needs says, measured: with every port a fault is named, without one that its
//! alarm needs it is not. The slow machines (turbine, drone) were measured by the same code, once.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NEEDS } from "../agent/rules/needs.js";
import { parseInjection } from "../agent/sensors/plants/injection.js";
import { createPlant } from "../agent/sensors/plants/kinds.js";
import type { Noted } from "../agent/watch.js";
import { wire } from "./models/rig.js";

const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };

/** Fault, the alarm that names it, and within how many minutes. */
const FAULTS = {
  bearing: {
    file: "br01",
    rows: [
      ["outer_race", "bearing-damage", 25],
      ["lubrication", "lubrication", 60],
    ],
  },
  "gas-turbine": {
    file: "gt01",
    rows: [
      ["compressor_fouling", "compressor-fouling", 30],
      ["turbine_erosion", "turbine-performance", 30],
      ["combustor", "combustor", 30],
      ["filter_clogging", "inlet-filter", 30],
      ["oil_cooler", "oil-cooler", 40],
      ["journal_bearing", "bearing-2", 40],
      ["rotor_imbalance", "rotor-imbalance", 60],
    ],
  },
} as const;
type Kind = keyof typeof FAULTS;

/** Whether the alarm comes on a machine of which one channel is missing. */
function raises(kind: Kind, [fault, rule, minutes]: readonly [string, string, number], less = "") {
  const plant = createPlant(kind, {
    asset: "test",
    seed: 201,
    start_ms: 1_800_000_000_000,
    period_ms: 5_000,
    blockEvery_ms: 60_000,
  });
  const injection = parseInjection(`${fault}@60s`);
  if ("fault" in injection) throw new Error(injection.fault);
  plant.inject(injection);
  const channels = plant.channels.filter(({ name }) => name !== less);
  const file = `config/baselines/demo-${FAULTS[kind].file}.json`;
  const { watch } = wire({ kind, channels }, { baseline: JSON.parse(readFileSync(file, "utf8")) });
  const ids = plant.channels.map(({ name }) => channels.findIndex((own) => own.name === name));
  const changes: Noted[] = [];
  for (let t_ms = plant.now_ms(), left = minutes * 12; left > 0; left--, t_ms += 5_000) {
    plant.advance(t_ms, {
      scalar: (i, at_ms, value) => {
        const channel = ids[i] ?? -1;
        if (channel < 0) return;
        const times = { t_ms: at_ms, r_ms: at_ms };
        watch.accept(
          { kind: "sample", channel, ...times, value, quality: "good" },
          LIMITS,
          changes,
        );
      },
      block: (i, block) => {
        const channel = ids[i] ?? -1;
        if (channel >= 0) {
          watch.accept({ kind: "block", channel, r_ms: t_ms, ...block }, LIMITS, changes);
        }
      },
    });
    if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
    if (changes.some((change) => change.rule.id === rule && change.to === "raise")) return true;
  }
  return false;
}

describe.each(["bearing", "gas-turbine"] as const)("%s", (kind) => {
  const rows: readonly (readonly [string, string, number])[] = FAULTS[kind].rows;
  test.each(rows)("%s", (...row) => {
    expect(raises(kind, row)).toBe(true);
    for (const port of (NEEDS[kind]?.[row[1]] ?? "").split(" ")) {
      expect([port, raises(kind, row, port)]).toEqual([port, false]);
    }
  });
});
