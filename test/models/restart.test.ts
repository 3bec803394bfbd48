//! A restart in the middle of a fault: the alarm that stands neither clears nor comes again, whether
//! what the monitors knew was kept a moment ago or an hour ago.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { IDLE } from "../../agent/latches.js";
import { evaluate } from "../../agent/rules/evaluate.js";
import type { Change } from "../../agent/rules/rule.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { createPlant, isPlantKind } from "../../agent/sensors/plants/kinds.js";
import { feed, PLATES, rangesOf, wire } from "./rig.js";

const PERIOD_s = 10;
const START_ms = 1_800_000_000_000;

type Restart = { readonly at_h: number; readonly end_h: number; readonly kept_h: number | null };

/** Alarms of the demo's machine as `+rule` and `-rule`, with `restart` between them. */
function alarms(kind: string, file: string, inject: string, restart: Restart): string[] {
  if (!isPlantKind(kind)) throw new Error(kind);
  const options = { asset: "test", seed: 61, start_ms: START_ms, period_ms: 1000 * PERIOD_s };
  const plant = createPlant(kind, { ...options, blockEvery_ms: 1e12, ...{ inner_s: 0.1 } });
  const injection = parseInjection(inject);
  if ("fault" in injection) throw new Error(injection.fault);
  plant.inject(injection);
  const baseline: unknown = JSON.parse(readFileSync(`config/baselines/${file}.json`, "utf8"));
  expect(PLATES[kind]).toBeDefined();
  let wires = wire(plant, { baseline, unruled: true });
  let kept = { ...wires.stage.save(), memory: [] as readonly unknown[] };
  const latches = wires.rules.map(() => IDLE);
  const ranges = rangesOf(plant);
  const said: string[] = [];
  for (let t_s = PERIOD_s; t_s <= restart.end_h * 3600; t_s += PERIOD_s) {
    const t_ms = START_ms + 1000 * t_s;
    if (t_s === (restart.kept_h ?? -1) * 3600) kept = wires.stage.save();
    if (t_s === restart.at_h * 3600) {
      wires = wire(plant, { baseline, unruled: true });
      wires.stage.restore(JSON.parse(JSON.stringify(kept)));
      said.push("restart");
    }
    const { watch, rules } = wires;
    feed(plant, wires, ranges, t_ms);
    rules.forEach((rule, i) => {
      rule.on.observe(watch.frame, t_ms);
      rule.off?.observe(watch.frame, t_ms);
      const judged = evaluate(rule, latches[i] ?? IDLE, watch.frame, t_ms, t_ms);
      latches[i] = judged.latch;
      const change: Change | null = judged.change;
      if (change !== null) said.push(`${change.to === "raise" ? "+" : "-"}${rule.id}`);
    });
  }
  return said;
}

test.each([
  ["wind-turbine", "demo-wt01", "gen_cooling*0.6@1h", "generator-cooling", 5, 0],
  ["wind-turbine", "demo-wt01", "gear_loss*0.6@1h", "gearbox-oil", 5, 1],
  ["wind-turbine", "demo-wt01", "main_bearing*0.6@1h", "main-bearing", 8, 1],
  ["gas-turbine", "demo-gt01", "oil_cooler*0.8@1h", "oil-cooler", 4, 1],
  ["gas-turbine", "demo-gt01", "journal_bearing*0.8@1h", "bearing-2", 4, 0],
  ["gas-turbine", "demo-gt01", "rotor_imbalance*0.8@1h", "rotor-imbalance", 4, 1],
] as const)("%s %s: %s", (kind, file, inject, rule, at_h, before_h) => {
  // Of an hour ago: after a power cut.
  const said = alarms(kind, file, inject, { at_h, end_h: at_h + 1.5, kept_h: at_h - before_h });
  expect(said).toEqual([`+${rule}`, "restart"]);
});

test("blades that lose power: the evidence of hours goes on", () => {
  const restart = { at_h: 8, end_h: 10, kept_h: 7 };
  const said = alarms("wind-turbine", "demo-wt01", "blade*0.8@1h", restart);
  expect(said).toEqual(["+rotor-performance", "restart"]);
});

test("what was kept of another day or is damaged is left", () => {
  const restart = { at_h: 2, end_h: 2.2, kept_h: null };
  const wires = wire(createPlant("wind-turbine", { asset: "test", seed: 1 }), { baseline: null });
  for (const memory of [["x"], [{ t_ms: 1, values: { "rotor.evidence.small": "9" } }], 7, null]) {
    wires.stage.restore({ progress: null, baseline: null, adapted: null, memory });
  }
  expect(alarms("wind-turbine", "demo-wt01", "gust@1h", restart)).toEqual(["restart"]);
});
