//! Simulated drones of many builds in many weathers, flown through the monitor's own equations: what
//! the prior leaves of height, thrust and power, beside the state of flight.
import { reference } from "../../accel/reference.js";
import { prng } from "../../base/prng.js";
import { createQuadrotor } from "../../sensors/plants/quadrotor.js";
import { type Column, normalised } from "../columns.js";
import { createDroneMonitor } from "../drone.js";
import { DRONE_COLUMNS, DroneFeatures } from "../drone-features.js";
import { DRONE_CORRECTS } from "../drone-learned.js";
import type { Frame } from "../monitor.js";

export type DroneSet = {
  readonly count: number;
  /** count x features, on the steps of their columns. */
  readonly x: Float64Array;
  /** count x residuals, SI, in the order of DRONE_CORRECTS. */
  readonly residual: Float64Array;
};

export const DRONE_PLATE_SI = { mass: 1.5, rotorRadius: 0.127, batteryCapacity: 18_000 } as const;
const PERIOD_ms = 500;
const EVERY = 6; // steps between examples
const SETTLE_s = 30;

/** One drone: its own build, air, wind and charge, all from the seed. */
export function flyDrone(seed: number, minutes: number): DroneSet {
  const draw = prng(seed, "drone/weather");
  const plant = createQuadrotor({
    asset: "trained",
    seed,
    period_ms: PERIOD_ms,
    spread: 0.1,
    ambient_K: 263 + 45 * draw.next(),
    wind_mps: 8 * draw.next(),
    soc: 0.6 + 0.35 * draw.next(),
  });
  const monitor = createDroneMonitor({
    id: "trained",
    nameplate: DRONE_PLATE_SI,
    baseline: null,
    backend: reference,
    learned: null,
  });
  const at = monitor.inputs.map((name) => plant.channels.findIndex((c) => c.name === name));
  const latest = new Float64Array(plant.channels.length).fill(Number.NaN);
  const said = new Map<string, number>();
  const frame: Frame = {
    get: (input) => latest[at[input] ?? -1] ?? Number.NaN,
    set: (output, value) => {
      said.set(monitor.outputs[output]?.name ?? "", value);
    },
  };
  const features = new DroneFeatures();
  const names = new Map(plant.channels.map(({ name }, i) => [name, i]));
  const read = (name: string): number => latest[names.get(name) ?? -1] ?? Number.NaN;
  const x: number[] = [];
  const residual: number[] = [];
  const from_ms = plant.now_ms();
  for (let step = 0; step < (minutes * 60_000) / PERIOD_ms; step++) {
    plant.advance(from_ms + step * PERIOD_ms, {
      scalar(channel, t_ms, value) {
        latest[channel] = value;
        const input = at.indexOf(channel);
        if (input >= 0) monitor.onSample(frame, input, t_ms);
      },
      block() {},
    });
    const known = features.step(read, PERIOD_ms / 1000);
    const settled = (step * PERIOD_ms) / 1000 > SETTLE_s;
    if (!known || !settled || step % EVERY !== 0) continue;
    const now = DRONE_CORRECTS.map(({ output }) => said.get(output) ?? Number.NaN);
    if (now.some(Number.isNaN)) continue;
    features.values.forEach((v, i) => {
      x.push(Math.fround(normalised(DRONE_COLUMNS[i] as Column, v)));
    });
    residual.push(...now);
  }
  const count = x.length / DRONE_COLUMNS.length;
  return { count, x: Float64Array.from(x), residual: Float64Array.from(residual) };
}

export function joined(sets: readonly DroneSet[]): DroneSet {
  const all = (of: (set: DroneSet) => Float64Array): Float64Array =>
    Float64Array.from(sets.flatMap((set) => [...of(set)]));
  return {
    count: sets.reduce((sum, set) => sum + set.count, 0),
    x: all((set) => set.x),
    residual: all((set) => set.residual),
  };
}
