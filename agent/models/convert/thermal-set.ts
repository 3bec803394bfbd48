//! What ThermalNBM learns from: simulated turbines, each with a build of its own, through the very
//! monitor that will use it. The target is what a residual does around its middle, for commissioning
//! takes the middle away.
import { reference } from "../../accel/reference.js";
import { median } from "../chain/robust.js";
import type { Frame } from "../monitor.js";
import { createTurbineMonitor } from "../turbine.js";
import { ThermalFeatures } from "../turbine-features.js";
import { COMPONENTS } from "../turbine-outputs.js";
import { drawTurbine, playTurbine } from "./turbine-run.js";

export const NAMEPLATE = { ratedPower: 5e6, rotorRadius: 63, gearRatio: 97 } as const;
const PLATE = {
  rated_W: NAMEPLATE.ratedPower,
  ratedSpeed_radps: 122.91,
  gearRatio: NAMEPLATE.gearRatio,
  efficiency: 0.944,
};
const EVERY_s = 300;
/** The nodes forget how they were started; main bearing apart, which takes most of a day. */
const SETTLE_s = 12 * 3600;

/** One turbine: rows of features in SI, and of the residuals less their middles in K. */
export type ThermalRun = {
  readonly count: number;
  readonly x: Float64Array;
  readonly residual_K: Float64Array;
};

export function runThermal(seed: number, purpose: string, days: number): ThermalRun {
  const turbine = drawTurbine(seed, purpose);
  const { plant } = turbine;
  const id = plant.asset;
  const monitor = createTurbineMonitor({
    id,
    nameplate: NAMEPLATE,
    baseline: null,
    backend: reference,
    learned: null,
  });
  const latest = new Float64Array(plant.channels.length).fill(Number.NaN);
  const said = new Float64Array(monitor.outputs.length).fill(Number.NaN);
  const inputs = monitor.inputs.map((name) => plant.channels.findIndex((c) => c.name === name));
  const frame: Frame = {
    get: (input) => latest[inputs[input] ?? -1] ?? Number.NaN,
    set: (output, value) => {
      said[output] = value;
    },
  };
  const at = (name: string): number => plant.channels.findIndex((c) => c.name === name);
  const places = new Map(plant.channels.map(({ name }) => [name, at(name)]));
  const value = (channel: string): number => latest[places.get(channel) ?? -1] ?? Number.NaN;
  const outputs = COMPONENTS.map(({ name }) =>
    monitor.outputs.findIndex((port) => port.name === `${name}.residual`),
  );
  const features = new ThermalFeatures(PLATE);
  const [x, residuals]: [number[], number[]] = [[], []];
  const start_ms = plant.now_ms();
  let before_ms = start_ms;
  playTurbine(turbine, days, (channel, t_ms, reading) => {
    if (t_ms > before_ms) {
      const known = features.step(value, (t_ms - before_ms) / 1000);
      const since_s = (before_ms - start_ms) / 1000;
      const row = outputs.map((output) => said[output] as number);
      const due = since_s > SETTLE_s && since_s % EVERY_s === 0;
      if (due && known && row.every(Number.isFinite)) {
        x.push(...features.values);
        residuals.push(...row);
      }
      before_ms = t_ms;
    }
    latest[channel] = reading;
    const input = inputs.indexOf(channel);
    if (input >= 0) monitor.onSample(frame, input, t_ms);
  });
  const width = outputs.length;
  const middles = outputs.map((_, i) => median(residuals.filter((_, k) => k % width === i)));
  return {
    count: residuals.length / width,
    x: Float64Array.from(x),
    residual_K: Float64Array.from(residuals, (r, k) => r - (middles[k % width] as number)),
  };
}
