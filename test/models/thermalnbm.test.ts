//! ThermalNBM: the shipped file, what it takes off the residuals, and that it hides no fault.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { median } from "../../agent/models/chain/robust.js";
import { rehearseThermal } from "../../agent/models/convert/thermal.js";
import { NAMEPLATE } from "../../agent/models/convert/thermal-set.js";
import { drawTurbine, playTurbine } from "../../agent/models/convert/turbine-run.js";
import type { Frame, Monitor } from "../../agent/models/monitor.js";
import { isWeighted } from "../../agent/models/onnx/ternary-net.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import type { Setup } from "../../agent/models/setup.js";
import { createTurbineMonitor } from "../../agent/models/turbine.js";
import { openThermal, THERMAL_MOST_K } from "../../agent/models/turbine-learned.js";
import { COMPONENTS } from "../../agent/models/turbine-outputs.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { agreesWithOnnxruntime, netOf, proven, sameEverywhere } from "./shipped.js";

const SHIPPED = readFileSync("agent/models/thermalnbm.onnx");
const PLATE = { rated_W: 5e6, ratedSpeed_radps: 122.91, gearRatio: 97, efficiency: 0.944 };
const SETUP: Setup = { id: "wt", nameplate: NAMEPLATE, baseline: null, backend: reference };
const DAY_s = 86_400;
const random = prng(4, "thermal/test");
const rows = Array.from({ length: 100 }, () =>
  Float32Array.from({ length: 12 }, () => 2 * random.next() - 1),
);

test("the file was made by this code: its rehearsal gives the hash that it states", () => {
  expect(proven(SHIPPED).meta.facts["rehearsal"]).toBe(rehearseThermal());
  const layers = netOf(SHIPPED).layers.filter(isWeighted);
  expect(layers.map(({ ternary }) => ternary)).toEqual([false, true, false]);
  expect(layers.map(({ weights }) => weights.length)).toEqual([12 * 32, 32 * 32, 32 * 4]);
  const zeros = layers[1]?.weights.filter((w) => w === 0).length ?? 0;
  expect(zeros / 1024).toBeGreaterThan(0.4);
  expect(zeros / 1024).toBeLessThan(0.6);
});

test("every exact backend gives the same; onnxruntime is within a step a layer", async () => {
  expect(sameEverywhere(SHIPPED, rows)).toContain("reference");
  await agreesWithOnnxruntime(netOf(SHIPPED), rows);
});

test("a file with another unit, another order or other outputs is refused in words", () => {
  const net = netOf(SHIPPED);
  const { columns = "", ...facts } = net.meta.facts;
  const open = (changed: string, classes = net.output.classes) =>
    openThermal(
      writeTernaryNet({
        ...net,
        output: { ...net.output, classes },
        meta: { ...net.meta, facts: { ...facts, columns: changed } },
      }),
      reference,
      PLATE,
    );
  expect(open(columns)).toMatchObject({ tier: "exact" });
  expect(open(columns.replace("K/h", "Pa"))).toMatch(/column .*rate is in Pa; .*dimension of K\/h/);
  const list = JSON.parse(columns) as unknown[];
  expect(open(JSON.stringify([list[1], list[0], ...list.slice(2)]))).toMatch(/in another order/);
  expect(open(JSON.stringify(list.slice(1)))).toMatch(/names 11 values, the input has 12/);
  expect(open("[1]")).toMatch(/sterna.columns is wrong; write a list like/);
  expect(open(columns, ["a", "b", "c", "d"])).toMatch(/its 4 outputs are not generator, gearbox/);
});

type Heard = { readonly residuals: number[][] };

/** Monitors beside one another on the same readings; their residuals every five minutes. */
function play(seed: number, days: number, setups: readonly Setup[], fault = ""): Heard[] {
  const turbine = drawTurbine(seed, "thermal/unseen");
  const { plant } = turbine;
  if (fault !== "") {
    const injection = parseInjection(fault);
    if ("fault" in injection) throw new Error(injection.fault);
    plant.inject(injection);
  }
  const latest = new Float64Array(plant.channels.length).fill(Number.NaN);
  const watched = setups.map((setup) => {
    const monitor: Monitor = createTurbineMonitor(setup);
    const said = new Float64Array(monitor.outputs.length).fill(Number.NaN);
    const inputs = monitor.inputs.map((name) => plant.channels.findIndex((c) => c.name === name));
    const frame: Frame = {
      get: (input) => latest[inputs[input] ?? -1] ?? Number.NaN,
      set: (output, value) => {
        said[output] = value;
      },
    };
    const at = COMPONENTS.map(({ name }) =>
      monitor.outputs.findIndex((port) => port.name === `${name}.residual`),
    );
    return { monitor, said, inputs, frame, at, residuals: COMPONENTS.map((): number[] => []) };
  });
  const start_ms = plant.now_ms();
  let before_ms = start_ms;
  playTurbine(turbine, days, (channel, t_ms, reading) => {
    if (t_ms > before_ms && ((before_ms - start_ms) / 1000) % 300 === 0) {
      for (const { at, said, residuals } of watched) {
        for (const [i, output] of at.entries()) residuals[i]?.push(said[output] as number);
      }
    }
    before_ms = t_ms;
    latest[channel] = reading;
    for (const { monitor, frame, inputs } of watched) {
      const input = inputs.indexOf(channel);
      if (input >= 0) monitor.onSample(frame, input, t_ms);
    }
  });
  return watched;
}

const rms = (values: readonly number[]): number => {
  const known = values.filter(Number.isFinite).slice(72); // six hours
  const middle = median(known);
  return Math.sqrt(known.reduce((sum, v) => sum + (v - middle) ** 2, 0) / known.length);
};

test("on a turbine that training never saw it takes a part of each residual away", {
  timeout: 120_000,
}, () => {
  const [plain, learned] = play(9001, 1.5, [{ ...SETUP, learned: null }, SETUP]);
  COMPONENTS.forEach((_, i) => {
    const [before, after] = [plain, learned].map((heard) => rms(heard?.residuals[i] ?? []));
    expect(after).toBeLessThan(before as number);
  });
});

test("a fault moves what it says by nothing: a ramp stands in full, whatever the network", {
  timeout: 120_000,
}, () => {
  const days = 1;
  const fault = `gen_cooling@${0.3 * DAY_s}s+${0.5 * DAY_s}s`;
  const both = [{ ...SETUP, learned: null }, SETUP];
  const [plain, learned] = play(9002, days, both, fault);
  const [calm, calmLearned] = play(9002, days, both);
  COMPONENTS.forEach((_, i) => {
    plain?.residuals[i]?.forEach((before, k) => {
      const part = before - (learned?.residuals[i]?.[k] as number);
      const healthy =
        (calm?.residuals[i]?.[k] as number) - (calmLearned?.residuals[i]?.[k] as number);
      if (Number.isNaN(part) || Number.isNaN(healthy)) return;
      expect(Math.abs(part)).toBeLessThanOrEqual(THERMAL_MOST_K);
      expect(part).toBeCloseTo(healthy, 9);
    });
  });
  const last = (heard: Heard | undefined): number => heard?.residuals[0]?.at(-1) ?? Number.NaN;
  expect(last(learned) - last(calmLearned)).toBeGreaterThan(4);
});

test("without rated power, or with a number missing for minutes, it says nothing", () => {
  expect(createTurbineMonitor({ ...SETUP, nameplate: {} }).model).toBe("physics@1");
  expect(createTurbineMonitor({ ...SETUP, learned: null }).model).toBe("physics@1");
  expect(createTurbineMonitor(SETUP).model).toMatch(/^sha256:/);
  const learned = openThermal(SHIPPED, reference, PLATE);
  if (typeof learned === "string") throw new Error(learned);
  const g = new Float64Array(4);
  const well = new Map([
    ["power", 3e6],
    ["generatorSpeed", 110],
    ["ambientTemp", 280],
    ["nacelleTemp", 287],
  ]);
  const say = (missing: string): number[] => {
    learned.infer(
      (name) => (name === missing ? Number.NaN : (well.get(name) ?? Number.NaN)),
      60,
      g,
    );
    return [...g];
  };
  expect(say("").every(Number.isFinite)).toBe(true);
  expect(say("power").every(Number.isFinite)).toBe(true); // held for two minutes
  say("power");
  expect(say("power").every(Number.isNaN)).toBe(true);
  expect(say("").every(Number.isFinite)).toBe(true);
  for (let i = 0; i < 9; i++) say("nacelleTemp");
  expect(say("nacelleTemp").every(Number.isFinite)).toBe(true); // the textbook's air stands in
});
