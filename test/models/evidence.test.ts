//! What an alarm tells besides its value: expectation, balances, agreeing channels, what else.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { KINDS } from "../../agent/assets.js";
import { type Balance, balanceOf } from "../../agent/models/balance.js";
import { BEARING_BALANCES } from "../../agent/models/bearing-balances.js";
import { DRONE_BALANCES } from "../../agent/models/drone-balances.js";
import { GAS_TURBINE_BALANCES } from "../../agent/models/gas-turbine-balances.js";
import { TURBINE_BALANCES } from "../../agent/models/turbine-balances.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { createPlant, isPlantKind } from "../../agent/sensors/plants/kinds.js";
import type { Noted } from "../../agent/watch.js";
import { feed, rangesOf, wire } from "./rig.js";

const BALANCES: Readonly<Record<string, readonly Balance[]>> = {
  "wind-turbine": TURBINE_BALANCES,
  "gas-turbine": GAS_TURBINE_BALANCES,
  quadrotor: DRONE_BALANCES,
  bearing: BEARING_BALANCES,
};
const DEMO: Readonly<Record<string, string>> = {
  "wind-turbine": "wt",
  "gas-turbine": "gt",
  quadrotor: "qd",
  bearing: "br",
};
/** Told by the spectrum, or by a block's figures. */
const OF_BLOCKS = /^(hssBearing\.damage|hssAccel\.\w+)$/;

describe.each(Object.keys(BALANCES))("%s", (kind) => {
  const rows = BALANCES[kind] ?? [];
  const row = KINDS[kind];
  const monitors = row?.monitors({
    id: "test",
    nameplate: {},
    baseline: null,
    backend: reference,
    channels: new Set(),
    want: null,
  });

  test("balances name outputs and ports that there are", () => {
    const outputs = new Set(monitors?.monitors.flatMap((m) => m.outputs.map(({ name }) => name)));
    const ports = new Set(row?.ports.map(({ name }) => name));
    for (const { output, also = [], beyond, reads } of rows) {
      const named = [...also, ...(output === null ? [] : [output])];
      const limit = typeof beyond === "string" ? [beyond] : [];
      expect([...named, ...limit].filter((name) => !outputs.has(name))).toEqual([]);
      expect(reads.filter((name) => !ports.has(name))).toEqual([]);
    }
  });

  test("every rule about the machine rests on one", () => {
    const bare = row?.rules.filter(({ class: of, when }) => {
      const names = when.match(/[A-Za-z][\w.]*\w/g) ?? [];
      const told = names.some(
        (name) => balanceOf(rows, name) !== undefined || OF_BLOCKS.test(name),
      );
      return of === "machine" && !told;
    });
    expect(bare?.map(({ id }) => id)).toEqual([]);
  });
});

/** The first change of this alarm, of the demo's machine with a fault. */
function raised(kind: string, inject: string, rule: string, hours: number, period_ms: number) {
  if (!isPlantKind(kind)) throw new Error(kind);
  const start_ms = 1_800_000_000_000;
  const options = { asset: "test", seed: 77, start_ms, period_ms, blockEvery_ms: 1e12 };
  const plant = createPlant(kind, options);
  const injection = parseInjection(inject);
  if ("fault" in injection) throw new Error(injection.fault);
  plant.inject(injection);
  const file = `config/baselines/demo-${DEMO[kind]}01.json`;
  const wires = wire(plant, { baseline: JSON.parse(readFileSync(file, "utf8")) });
  const ranges = rangesOf(plant);
  const found = (): Noted | undefined => wires.changes.find((change) => change.rule.id === rule);
  for (let t_ms = start_ms; t_ms < start_ms + hours * 3.6e6; t_ms += period_ms) {
    feed(plant, wires, ranges, t_ms);
    if (found() !== undefined) break;
  }
  return found()?.finding ?? null;
}

describe("an alarm tells what was expected, which balances hold, who agrees and what else", () => {
  test.each([
    ["wind-turbine", "gen_cooling@3h", "generator-cooling", 6, 10_000, "heat of the gear oil"],
    ["gas-turbine", "journal_bearing@1h", "bearing-2", 4, 10_000, "heat of bearing 1"],
    ["quadrotor", "rotor_thrust@60s", "rotor-1-thrust", 0.1, 200, "rotor 3 against the others"],
    ["bearing", "lubrication@1h", "lubrication", 4, 10_000, ""],
  ] as const)("%s: %s", (kind, inject, rule, hours, period_ms, passed) => {
    const finding = raised(kind, inject, rule, hours, period_ms);
    const said = finding?.evidence.join("\n") ?? "";
    expect(finding?.expected).toBe(0);
    expect(said).toMatch(/off by [\d.]+( \S+)?, holds within/);
    expect(said).toContain("balances failed: ");
    if (passed !== "") expect(said).toMatch(new RegExp(`balances passed: .*${passed}`));
    expect(said).toContain("channels that agree: ");
    expect(said).toContain("other explanation: ");
  });

  test("of an instrument: what it should say, and that it may be right", () => {
    const lie = "wind-turbine:sensor:windingTemp:bias@1h";
    const finding = raised("wind-turbine", lie, "sensor-windingTemp", 2, 10_000);
    expect(finding?.unit).toBe("Cel");
    expect(finding?.expected).toBeGreaterThan(20);
    expect(finding?.sigma).toBeGreaterThan(0);
    expect(finding?.evidence.join("\n")).toMatch(/other explanation: .*did change so fast/);
  });
});
