//! ScadaSeq: the shipped file, its shape, and that it hears none of the temperatures it tells.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { openColumns } from "../../agent/models/columns.js";
import {
  PLACES,
  rehearseSeq,
  SEQ_COLUMNS,
  SEQ_PLAN,
  seqErrors_K,
  seqTask,
  simulatedSeq,
} from "../../agent/models/convert/scadaseq.js";
import { ridgeSeq } from "../../agent/models/convert/seq-ridge.js";
import { isWeighted } from "../../agent/models/onnx/ternary-net.js";
import { COMPONENTS } from "../../agent/models/turbine-outputs.js";
import { agreesWithOnnxruntime, netOf, proven, sameEverywhere } from "./shipped.js";

const SHIPPED = readFileSync("agent/models/scadaseq.onnx");
const OFFERED = SEQ_COLUMNS.map(({ name, unit }) => ({ name, unit }));
const random = prng(6, "scadaseq/test");
const rows = Array.from({ length: 30 }, () =>
  Float32Array.from({ length: 6 * PLACES }, () => 2 * random.next() - 1),
);

test("the file was made by this code: its rehearsal gives the hash that it states", () => {
  expect(proven(SHIPPED).meta.facts["rehearsal"]).toBe(rehearseSeq());
});

test("a dilated convolution over six hours, ternary between its ends", () => {
  const net = netOf(SHIPPED);
  const layers = net.layers.filter(isWeighted);
  expect(net.input.shape).toEqual([6, PLACES]);
  expect(layers.map(({ kind }) => kind)).toEqual(["conv1d", "conv1d", "conv1d", "conv1d", "dense"]);
  expect(layers.map(({ ternary }) => ternary)).toEqual([false, true, true, true, false]);
  expect(layers.map((layer) => ("dilation" in layer ? layer.dilation : 1))).toEqual([
    1, 2, 4, 8, 1,
  ]);
  const count = layers.reduce((sum, { weights }) => sum + weights.length, 0);
  expect(count).toBe(16 * 3 * 6 + 3 * 16 * 3 * 16 + 6 * 16 * 4);
});

test("every exact backend gives the same; onnxruntime is within a step a layer", async () => {
  expect(sameEverywhere(SHIPPED, rows)).toContain("reference");
  await agreesWithOnnxruntime(netOf(SHIPPED), rows);
});

test("its columns have units, six of them, and none is a temperature that it tells", () => {
  const wrong = OFFERED.map((c) => (c.name === "pitch" ? { ...c, unit: "s" } : c));
  expect(openColumns(SHIPPED, reference, wrong)).toMatch(/pitch is in deg; .*dimension of s/);
  const point = OFFERED.map((c) => (c.name === "ambientTemp" ? { ...c, unit: "K" } : c));
  expect(openColumns(SHIPPED, reference, point)).toMatch(/ambientTemp is in Cel/);
  const told = COMPONENTS.map(({ channel }) => channel);
  expect(SEQ_COLUMNS.filter(({ name }) => told.includes(name))).toEqual([]);
});

test("steady load in SI gives the textbook's rise over the nacelle", () => {
  const net = openColumns(SHIPPED, reference, OFFERED);
  if (typeof net === "string") throw new Error(net);
  const state: Record<string, number> = {
    power: 3e6,
    rotorSpeed: 1.2,
    windSpeed: 9.7,
    pitch: 0,
    ambientTemp: 283,
    nacelleTemp: 290,
  };
  const values = Float64Array.from({ length: 6 * PLACES }, (_, i) => {
    return state[SEQ_COLUMNS[Math.floor(i / PLACES)]?.name ?? ""] ?? Number.NaN;
  });
  const y = new Float32Array(4);
  net.infer(values, y);
  // (1 - 0.944) * 3.18 MW + 8 kW over 4950 W/K: 37.6 K.
  expect(y[0]).toBeGreaterThan(32);
  expect(y[0]).toBeLessThan(43);
  values[3] = Number.NaN;
  net.infer(values, y);
  expect(y.every(Number.isNaN)).toBe(true);
});

test("the ridge that it is held against is a real fit", { timeout: 120_000 }, () => {
  const runs = simulatedSeq({ ...SEQ_PLAN, turbines: 1, days: 2 }, "scadaseq/ridge");
  const { set } = seqTask(runs, SEQ_PLAN);
  const [winding] = seqErrors_K(runs, ridgeSeq(set));
  const [none] = seqErrors_K(runs, (x) => new Float64Array((x.length / 216) * 4));
  expect(winding?.plain).toBeLessThan(0.2 * (none?.plain ?? 0));
});
