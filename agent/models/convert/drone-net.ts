//! DroneNBM from nothing: simulated drones, training, the bytes of the file, and what it leaves of
//! the prior's residuals on drones that it never saw.
import { createHash } from "node:crypto";
import { prng } from "../../base/prng.js";
import { DRONE_COLUMNS } from "../drone-features.js";
import { DRONE_CORRECTS } from "../drone-learned.js";
import type { TernaryNet } from "../onnx/ternary-net.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { type DroneSet, flyDrone, joined } from "./drone-set.js";
import { perceptron } from "./layout.js";
import { fold, type Net, predict } from "./ternary.js";
import { type Examples, type Plan, train } from "./trainer.js";

export type DronePlan = {
  readonly seed: number;
  readonly drones: number;
  readonly minutes: number;
  readonly hidden: number;
  readonly steps: number;
};

export const DRONE_PLAN: DronePlan = { seed: 1, drones: 48, minutes: 25, hidden: 24, steps: 1500 };
const HELD_OUT = 6; // every sixth drone chooses between the two ways of training

export type DroneNet = { readonly bytes: Uint8Array; readonly teacher: Net; readonly pupil: Net };

export const simulateDrones = (from: number, count: number, minutes: number): DroneSet[] =>
  Array.from({ length: count }, (_, i) => flyDrone(from + i, minutes));

export function fitDrones(flown: readonly DroneSet[], plan: DronePlan): DroneNet {
  const isHeldOut = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1;
  const set = examplesOf(flown.filter((_, i) => !isHeldOut(i)));
  const validation = examplesOf(flown.filter((_, i) => isHeldOut(i)));
  const sizes = [DRONE_COLUMNS.length, plan.hidden, plan.hidden, DRONE_CORRECTS.length];
  const net = perceptron(sizes, Math.fround(1 / 127), { first: "int8", last: "int8" });
  const weights = DRONE_CORRECTS.map((_, k) => {
    const square = set.y.reduce((s, v, i) => s + (i % DRONE_CORRECTS.length === k ? v * v : 0), 0);
    return set.count / square; // each residual counts alike
  });
  const recipe: Plan = {
    net: { ...net, bounded: true },
    goal: "values",
    batch: 64,
    teacherSteps: plan.steps,
    pupilSteps: plan.steps,
    rate: 2e-3,
    distil: 0.5,
    temperature: 1,
    jitter: 0,
    weights,
    start: "better",
  };
  const found = train(recipe, set, prng(plan.seed, "drone/weights"), validation);
  return { ...found, bytes: writeTernaryNet(describe(plan, found.pupil, set)) };
}

/** Residuals less the middle of their own drone: its build is not a matter of the state of flight. */
function examplesOf(flown: readonly DroneSet[]): Examples {
  const width = DRONE_CORRECTS.length;
  const centred = flown.map((set) => {
    const means = meansOf(set);
    const residual = set.residual.map((v, i) => v - (means[i % width] as number));
    return { ...set, residual };
  });
  const { count, x, residual } = joined(centred);
  const y = residual.map((v, i) => {
    const share = v / (DRONE_CORRECTS[i % width]?.most ?? 1);
    return Math.max(-1, Math.min(1, share));
  });
  return { count, x, y };
}

function meansOf({ count, residual }: DroneSet): number[] {
  const width = DRONE_CORRECTS.length;
  return DRONE_CORRECTS.map((_, k) => {
    return residual.reduce((sum, v, i) => sum + (i % width === k ? v : 0), 0) / count;
  });
}

export type DroneScore = {
  readonly output: string;
  /** Root mean square over all drones, as the monitor would say it, SI. */
  readonly rms: number;
  /** The same about each drone's own mean: what commissioning could not take away. */
  readonly within: number;
};

/** What is left of each residual; `net` null: the equations alone. */
export function scoreDrones(
  flown: readonly DroneSet[],
  net: Net | null,
  quantised: boolean,
): DroneScore[] {
  const width = DRONE_CORRECTS.length;
  const left = flown.map((set): DroneSet => {
    if (net === null) return set;
    const said = predict(net, set.x, quantised);
    const most = (i: number): number => DRONE_CORRECTS[i % width]?.most ?? 0;
    const residual = set.residual.map((v, i) => v - most(i) * (said[i] as number));
    return { ...set, residual };
  });
  return DRONE_CORRECTS.map(({ output }, k) => {
    let [square, within, count] = [0, 0, 0];
    for (const set of left) {
      const mean = meansOf(set)[k] as number;
      for (let i = k; i < set.residual.length; i += width) {
        const v = set.residual[i] as number;
        square += v * v;
        within += (v - mean) ** 2;
        count += 1;
      }
    }
    return { output, rms: Math.sqrt(square / count), within: Math.sqrt(within / count) };
  });
}

function describe(plan: DronePlan, net: Net, set: Examples): TernaryNet {
  const sum = createHash("sha256").update(JSON.stringify(plan));
  sum.update(new Uint8Array(set.x.buffer)).update(new Uint8Array(set.y.buffer));
  const open = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  const scale = net.steps[0] as number;
  return {
    input: { name: "flight", unit: "1", min: -1, max: 1, shape: [DRONE_COLUMNS.length], scale },
    layers: fold(net),
    output: { name: "g", unit: "1", ...open, classes: DRONE_CORRECTS.map(({ output }) => output) },
    meta: {
      version: "1",
      training: `sha256:${sum.digest("hex")}`,
      facts: {
        about: "what flight and weather leave of a quadrotor's height, thrust and power",
        columns: JSON.stringify(DRONE_COLUMNS),
        head: "residual = most * tanh(g)",
        most: DRONE_CORRECTS.map(({ most }) => most).join(", "),
        data: "simulated quadrotors of this repository; no recorded data",
      },
    },
  };
}
