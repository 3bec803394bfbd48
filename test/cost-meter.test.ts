import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Alarms } from "../agent/alarms.js";
import { costMeter } from "../agent/cost-meter.js";
import type { Noted } from "../agent/noted.js";
import { compileRules } from "../agent/rules/compile.js";
import type { Change, Rule } from "../agent/rules/rule.js";
import { createPlant } from "../agent/sensors/plants/kinds.js";
import { sterna } from "./fixtures/agent.js";
import { DATA, unit as siOf, table } from "./models/suspect-sets.js";

const PRICE = { perJoule: 0.12 / 3.6e6, currency: "EUR" };
const HOUR_ms = 3_600_000;

function ruleOf(rule_class: "machine" | "sensor"): Rule {
  const times = { for_ms: 0, clearFor_ms: 0, version: 1, severity: "warning" } as const;
  const row = { id: "slow", when: "x > 1", clear: null, text: "", action: "", source: "test" };
  const signal = { name: "x", index: 0, dim: "1", kind: "", point: false };
  const full = { ...row, ...times, class: rule_class, foldedInto: [] };
  const [rule] = compileRules([full], "a", new Map([["x", signal]])).rules;
  if (rule === undefined) throw new Error("no rule");
  return rule;
}
const RULE = ruleOf("machine");

function change(to: "raise" | "clear", onset_ms: number, at_ms: number, rule = RULE): Change {
  const times = { onset_ms, detected_ms: at_ms, source_ms: at_ms };
  return { asset: "a", rule, to, value: null, limit: null, stale: [], ...times };
}

/** A meter, and a way to tell it what was expected and given at a time. */
function meter() {
  const made = costMeter(PRICE, "expectedPower", "power");
  const tell = (t_ms: number, expected_W: number, given_W: number): void => {
    const frame = { get: (i: number) => (i === 0 ? expected_W : given_W), set: () => {} };
    made.monitor.onSample(frame, 0, t_ms);
  };
  const cost = (to: "raise" | "clear", onset_ms: number, at_ms: number, rule = RULE) =>
    made.of(change(to, onset_ms, at_ms, rule));
  return { tell, cost };
}

test("a megawatt lost for an hour at 0.12 EUR/kWh are 120 EUR, part of it at the raise", () => {
  const { tell, cost } = meter();
  for (let s = 0; s <= 3_600; s += 60) tell(s * 1_000, 3e6, 2e6);
  expect(cost("raise", 0, HOUR_ms / 4)?.amount).toEqual({ v: expect.closeTo(30, 9), u: "EUR" });
  expect(cost("clear", 0, HOUR_ms)).toEqual({
    amount: { v: expect.closeTo(120, 9), u: "EUR" },
    whole: true,
  });
});

test("noise does not add up, a surplus is no gain, and what is unknown costs nothing", () => {
  const noisy = meter();
  for (let s = 0; s <= 3_600; s += 10)
    noisy.tell(s * 1_000, 2e6, 2e6 + (s % 20 === 0 ? 1e5 : -1e5));
  expect(noisy.cost("raise", 0, HOUR_ms)?.amount.v).toBeLessThan(0.1);
  const rich = meter();
  for (let s = 0; s <= 60; s += 10) rich.tell(s * 1_000, 1e6, 2e6);
  expect(rich.cost("raise", 0, 60_000)?.amount.v).toBe(0);
  const blind = meter();
  expect(blind.cost("raise", 0, 0)).toBeNull();
  for (let s = 0; s <= 60; s += 10) blind.tell(s * 1_000, Number.NaN, 2e6);
  expect(blind.cost("raise", 0, 60_000)).toBeNull();
  const gap = meter();
  gap.tell(0, 3e6, 2e6);
  gap.tell(2 * HOUR_ms, 3e6, 2e6);
  expect(gap.cost("raise", 0, 2 * HOUR_ms)?.amount.v).toBe(0);
  const sensor = meter();
  for (let s = 0; s <= 60; s += 10) sensor.tell(s * 1_000, 3e6, 2e6);
  expect(sensor.cost("raise", 0, 60_000, ruleOf("sensor"))).toBeNull();
});

test("any course of powers costs what its sum says", () => {
  const course = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 120 }), fc.double({ min: 0, max: 5e6, noNaN: true })),
    {
      minLength: 2,
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(course, (steps) => {
      const { tell, cost } = meter();
      let [t_s, energy_J] = [0, 0];
      for (const [dt_s, lost_W] of steps) {
        tell(t_s * 1_000, 5e6, 5e6 - lost_W);
        t_s += dt_s;
        energy_J += lost_W * dt_s; // a value holds until the next
      }
      const wanted = energy_J * PRICE.perJoule;
      expect(cost("raise", 0, t_s * 1_000)?.amount.v).toBeCloseTo(wanted, 6);
      tell((t_s + 50) * 1_000, 5e6, 5e6);
      const last_J = 50 * (steps.at(-1)?.[1] ?? 0);
      const total = wanted + last_J * PRICE.perJoule;
      expect(cost("clear", 0, (t_s + 500) * 1_000)?.amount.v).toBeCloseTo(total, 6);
    }),
    { numRuns: 200 },
  );
});

test("after a restart the total is what was stated and what came since, and says that some is missing", () => {
  const place = { root: "r", site: "s" };
  const always = () => true;
  const own = { ruleOf: () => RULE, folded: () => [] };
  const options = { place, ...own, knows: always, commissioned: always };
  const noted = (one: Change, cost: Noted["cost"]): Noted => ({
    ...one,
    finding: null,
    monitor: null,
    quality: "good",
    cost: cost ?? null,
  });
  const first = meter();
  for (let s = 0; s <= 3_600; s += 60) first.tell(s * 1_000, 3e6, 2e6);
  const before = new Alarms(options);
  const raise = change("raise", 0, HOUR_ms);
  const [raised] = before.apply(noted(raise, first.cost("raise", 0, HOUR_ms)));
  expect(raised?.alarm.cost?.v).toBeCloseTo(120, 9);
  const stored = raised === undefined ? [] : [JSON.parse(JSON.stringify(raised.alarm))];

  const second = meter();
  for (let s = 0; s <= 3_600; s += 60) second.tell(2 * HOUR_ms + s * 1_000, 3e6, 2e6);
  const again = new Alarms(options, stored);
  const clear = change("clear", 0, 3 * HOUR_ms);
  const [cleared] = again.apply(noted(clear, second.cost("clear", 0, 3 * HOUR_ms)));
  expect(cleared?.alarm.cost?.v).toBeCloseTo(240, 9);
  expect(cleared?.alarm.marks).toEqual(["cost-incomplete"]);
});

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-cost-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

type Said = {
  readonly subject: string;
  readonly data: {
    readonly transition: string;
    readonly onset: string;
    readonly sourceTime: string;
    readonly cost?: { readonly v: number; readonly u: string };
  };
};

/** The transitions of a recording, with and without a price. */
function replayed(config: string, lines: readonly object[]) {
  const recording = join(dir, "recording.ndjson");
  writeFileSync(recording, lines.map((line) => JSON.stringify(line)).join("\n"));
  const run = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    const { code, out, err } = sterna("replay", recording, "--config", file);
    if (code !== 0) throw new Error(err);
    return out;
  };
  const priced = run("priced.yaml", config);
  const plain = run("plain.yaml", config.replace(/^ *price: .*\n/m, ""));
  const read = (out: string): Said[] =>
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  return { priced, plain, said: read(priced) };
}

const RULES = `    rules:
      - { id: weak, when: "power < 0.8 * expectedPower && expectedPower > 500 kW", for: 30 min, clear: "power > 0.9 * expectedPower", severity: warning, class: machine }
`;

test.skipIf(!existsSync(DATA))(
  "a real turbine below its own curve: raise and total, as the sum says",
  () => {
    const read = table("yalova_scada/T1_2018_01-06.csv.gz");
    const columnOf = (word: string): readonly number[] =>
      [...read].find(([key]) => key.includes(word))?.[1] ?? [];
    // Published as "KWh": the curve's power in kW.
    const [given, expected] = [columnOf("ActivePower"), columnOf("Theoretical")];
    const count = 3_000;
    const at = (i: number): number => 1_514_764_800_000 + i * 600_000;
    const lines = Array.from({ length: count }, (_, i) => [
      { t: at(i), a: "wt", c: "expectedPower", v: expected[i] },
      { t: at(i), a: "wt", c: "power", v: given[i] },
    ]).flat();
    const config = `gateway: { id: gw, site: s }
time: { behindMax: 3650 d }
assets:
  - id: wt
    price: 0.08 EUR/kWh
    channels:
      power: { unit: kW, staleAfter: 1 h }
      expectedPower: { unit: kW, staleAfter: 1 h }
${RULES}`;
    const { priced, plain, said } = replayed(config, lines);
    const totals = said.filter((one) => one.data.transition === "clear");
    expect(totals.length).toBeGreaterThan(3);
    for (const { data } of said) {
      const [from, to] = [Date.parse(data.onset), Date.parse(data.sourceTime)];
      let energy_kWh = 0;
      for (let i = 0; i < count; i++) {
        if (at(i) < from || at(i) >= to) continue;
        energy_kWh += ((expected[i] ?? 0) - (given[i] ?? 0)) / 6;
      }
      expect(data.cost?.u).toBe("EUR");
      expect(data.cost?.v).toBeCloseTo(energy_kWh * 0.08, 1);
    }
    // Without a price not a byte is different.
    expect(plain).not.toContain('"cost"');
    expect(priced.replaceAll(/"cost":\{[^}]*\},/g, "")).toBe(plain);
  },
  30_000,
);

test("a simulated turbine with soiled blades, its own monitor knowing the power expected", () => {
  const plant = createPlant("wind-turbine", {
    asset: "wt",
    seed: 3,
    period_ms: 10_000,
    blockEvery_ms: 1e9,
  });
  plant.inject({
    name: "yaw_misalign",
    kind: "wind-turbine",
    sensor: null,
    at_s: 3_600,
    ramp_s: 0,
    severity: 1,
  });
  const lines: object[] = [];
  plant.advance(plant.now_ms() + 8 * HOUR_ms, {
    scalar(i, t, v) {
      const channel = plant.channels[i];
      if (channel !== undefined)
        lines.push({ t, a: "wt", c: channel.name, v, u: siOf(channel.unit).dim });
    },
    block: () => {},
  });
  const channels = plant.channels.filter(({ shape }) => shape === "scalar");
  const rows = channels.map(({ name, unit }) => `      ${name}: { unit: "${unit}" }`);
  const config = `gateway: { id: gw, site: s }
time: { behindMax: 3650 d }
assets:
  - id: wt
    kind: wind-turbine
    price: 0.08 EUR/kWh
    nameplate: { ratedPower: 5 MW, rotorRadius: 63 m, gearRatio: 97 }
    channels:
${rows.join("\n")}
    rules:
      - { id: weak, when: "efficiency < 85 %", clear: "efficiency > 95 %", severity: warning, class: machine }
`;
  const { priced, plain, said } = replayed(config, lines);
  const weak = said.filter(({ subject }) => subject === "weak");
  expect(weak.length).toBeGreaterThan(0);
  for (const { data } of weak) expect(data.cost).toMatchObject({ u: "EUR" });
  expect(priced.replaceAll(/"cost":\{[^}]*\},/g, "")).toBe(plain);
  // Of a sensor's alarm the cost is not its own.
  for (const { subject, data } of said) {
    if (subject === "stale") expect(data.cost).toBeUndefined();
  }
}, 30_000);
