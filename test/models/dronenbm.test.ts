//! The drone's network: the shipped file, how it is made, and what it may and may not do.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { Correction } from "../../agent/models/chain/correction.js";
import {
  DRONE_PLAN,
  fitDrones,
  scoreDrones,
  simulateDrones,
} from "../../agent/models/convert/drone-net.js";
import type { DroneSet } from "../../agent/models/convert/drone-set.js";
import { createDroneMonitor } from "../../agent/models/drone.js";
import { DRONE_COLUMNS } from "../../agent/models/drone-features.js";
import { DRONE_CORRECTS, openDrone, shippedDrone } from "../../agent/models/drone-learned.js";
import { loadNetwork } from "../../agent/models/network.js";
import { CERTIFICATE_KEY } from "../../agent/models/onnx/meta.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import { isWeighted } from "../../agent/models/onnx/ternary-net.js";

const SHIPPED = readFileSync("agent/models/dronenbm.onnx");

test("a reduced training run gives the same bytes each time", { timeout: 60_000 }, () => {
  const flown = simulateDrones(500, 2, 3);
  const plan = { ...DRONE_PLAN, steps: 20 };
  const sets = Array.from({ length: 6 }, (_, i) => flown[i % 2] as DroneSet);
  expect(fitDrones(sets, plan).bytes).toEqual(fitDrones(sets, plan).bytes);
});

test("the shipped file: layers, outputs, units, what it is of; another shape is refused", () => {
  const model = readOnnx(SHIPPED);
  const net = typeof model === "string" ? model : recognise(model);
  if (typeof net === "string" || typeof model === "string") throw new Error();
  expect(model.metadata.get(CERTIFICATE_KEY)).toBeDefined();
  const layers = net.layers.filter(isWeighted);
  expect(layers.map((layer) => layer.ternary)).toEqual([false, true, false]);
  expect(net.output.classes).toEqual(DRONE_CORRECTS.map(({ output }) => output));
  expect(net.meta.training).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(JSON.parse(net.meta.facts["columns"] ?? "null")).toEqual(DRONE_COLUMNS);
  expect(openDrone(readFileSync("agent/models/vibnet.onnx"), reference)).toMatch(
    /sterna.columns is missing/,
  );
});

/** A drone in a mild hover, as the network sees it. */
const usual = (change: Readonly<Record<string, number>> = {}) => {
  const values: Readonly<Record<string, number>> = {
    pressure: 100_000,
    ...Object.fromEntries(DRONE_COLUMNS.map(({ name, from, to }) => [name, (from + to) / 2])),
    ...Object.fromEntries([1, 2, 3, 4].map((i) => [`rotorSpeed${i}`, 800])),
    ...change,
  };
  return (name: string): number => values[name] ?? Number.NaN;
};

test("never beyond its bounds; nothing where a reading is missing or no such flight was trained on", () => {
  const far = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("velocity", "roll", "airTemp", "accelZ"), far),
      (change) => {
        const correction = new Correction(shippedDrone(reference));
        correction.step(usual(change), 0.2);
        for (const { output, most } of DRONE_CORRECTS)
          expect(Math.abs(correction.of(output))).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 50 },
  );
  for (const change of [{ airTemp: Number.NaN }, { rotorSpeed2: 2000 }, { velocity: 30 }]) {
    const correction = new Correction(shippedDrone(reference));
    correction.step(usual(change), 0.2);
    expect(DRONE_CORRECTS.map(({ output }) => correction.of(output))).toEqual([0, 0, 0]);
  }
});

test("on drones that training never saw each residual is smaller, and the file says it as trained", () => {
  const unseen = simulateDrones(7_000_000, 2, 15);
  const net = loadNetwork(SHIPPED, reference);
  if (typeof net === "string") throw new Error(net);
  const width = DRONE_CORRECTS.length;
  const y = new Float32Array(width);
  const left = unseen.map((set) => {
    const residual = set.residual.slice();
    for (let i = 0; i < set.count; i++) {
      const at = i * DRONE_COLUMNS.length;
      net.infer(Float32Array.from(set.x.subarray(at, at + DRONE_COLUMNS.length)), y);
      DRONE_CORRECTS.forEach(({ most }, k) => {
        residual[i * width + k] =
          (residual[i * width + k] as number) - most * Math.tanh(y[k] as number);
      });
    }
    return { ...set, residual };
  });
  const [before, after] = [scoreDrones(unseen, null, false), scoreDrones(left, null, false)];
  const limits = [0.95, 0.6, 0.7];
  before.forEach(({ within }, k) => {
    expect((after[k]?.within ?? 9) / within).toBeLessThan(limits[k] as number);
  });
});

test("the monitor names the network behind its answers; with null it is equations alone", () => {
  const setup = { id: "d", nameplate: {}, baseline: null, backend: reference };
  expect(createDroneMonitor(setup).model).toBe(shippedDrone(reference).hash);
  expect(createDroneMonitor({ ...setup, learned: null }).model).toBe("physics@1");
});
