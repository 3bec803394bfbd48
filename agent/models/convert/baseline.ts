//! Commissioning of a simulated machine: a healthy run through its monitors, and the robust middle
//! and spread of what they say. `node dist/agent/models/convert/baseline.js [FOLDER]` writes the
//! baselines of the demo's two machines.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reference } from "../../accel/reference.js";
import { type AssetKind, KINDS } from "../../assets.js";
import { assert } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Block } from "../../base/telemetry.js";
import { createBearing } from "../../sensors/plants/bearing.js";
import { createGasTurbine } from "../../sensors/plants/gas-turbine.js";
import type { Plant } from "../../sensors/plants/plant.js";
import { createQuadrotor } from "../../sensors/plants/quadrotor.js";
import { createWindTurbine } from "../../sensors/plants/wind-turbine.js";
import { type Amount, parseAmount } from "../../units/parse.js";
import type { Frame, Monitor } from "../monitor.js";
import type { Baseline } from "../setup.js";

/** Nameplates of the simulated machines, as the demo's config writes them. */
const PLATES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "wind-turbine": { ratedPower: "5 MW", rotorRadius: "63 m", gearRatio: "97" },
  "gas-turbine": { ratedPower: "23.7 MW" },
  bearing: {
    rollers: "9",
    ballDiameter: "7.94 mm",
    pitchDiameter: "39.04 mm",
  },
  quadrotor: { mass: "1.5 kg", rotorRadius: "0.127 m", batteryCapacity: "5 A.h" },
};

/** Runs the plant for `hours` and learns; the first hour only settles the models. */
export function commission(plant: Plant, hours: number, step_ms: number, source: string): Baseline {
  const kind = KINDS[plant.kind];
  assert(kind !== undefined, `no kind ${plant.kind}`);
  const { outputs, noise } = run(kind, plant, hours, step_ms);
  const values: Record<string, number> = {};
  for (const [name, change] of noise) values[`noise.${name}`] = round(change);
  for (const { output, middle, spread } of kind.learns) {
    const seen = Float64Array.from(outputs.get(output) ?? []).sort();
    if (seen.length < 30) continue;
    const centre = seen[seen.length >> 1] as number;
    const deviations = seen.map((v) => Math.abs(v - centre)).sort();
    values[middle] = round(centre);
    values[spread] = round(1.4826 * (deviations[deviations.length >> 1] as number));
  }
  return { version: 1, kind: plant.kind, asset: plant.asset, source, values };
}

function run(
  kind: AssetKind,
  plant: Plant,
  hours: number,
  step_ms: number,
): { outputs: ReadonlyMap<string, number[]>; noise: ReadonlyMap<string, number> } {
  const { monitors } = kind.monitors({
    id: plant.asset,
    nameplate: nameplateOf(plant.kind),
    baseline: null,
    backend: reference,
    channels: new Set(plant.channels.map((c) => c.name)),
  });
  const latest = new Float64Array(plant.channels.length).fill(Number.NaN);
  const seen = new Map<string, number[]>(kind.learns.map(({ output }) => [output, []]));
  const start_ms = plant.now_ms();
  const changes = plant.channels.map(() => ({ sum: 0, count: 0 }));
  let learning = false;
  const bound = monitors.map((monitor) =>
    bind(monitor, plant, latest, (output, value) => {
      const list = seen.get(output);
      // A value that stands still is the same observation, not a new one.
      if (learning && list !== undefined && !Number.isNaN(value) && value !== list.at(-1))
        list.push(value);
    }),
  );
  for (let t_ms = start_ms; t_ms <= start_ms + hours * 3_600_000; t_ms += step_ms) {
    learning = t_ms > start_ms + 3_600_000;
    plant.advance(t_ms, {
      scalar(channel, at_ms, value) {
        const change = changes[channel];
        const before = latest[channel] as number;
        if (change !== undefined && value !== 0 && !Number.isNaN(before)) {
          change.sum += Math.abs(value - before);
          change.count += 1;
        }
        latest[channel] = value;
        for (const feed of bound) feed(channel, at_ms);
      },
      block(channel, found) {
        for (const feed of bound)
          feed(channel, found.t_ms, { kind: "block", r_ms: t_ms, channel, ...found });
      },
    });
  }
  const noise = plant.channels.flatMap((c, i): [string, number][] => {
    const { sum = 0, count = 0 } = changes[i] ?? {};
    return c.shape === "scalar" && count > 0 && sum > 0 ? [[c.name, sum / count]] : [];
  });
  return { outputs: seen, noise: new Map(noise) };
}

function bind(
  monitor: Monitor,
  plant: Plant,
  latest: Float64Array,
  wrote: (output: string, value: number) => void,
): (channel: number, t_ms: number, block?: Block) => void {
  const inputs = monitor.inputs.map((name) => plant.channels.findIndex((c) => c.name === name));
  const frame: Frame = {
    get: (input) => latest[inputs[input] ?? -1] ?? Number.NaN,
    set: (output, value) => wrote(monitor.outputs[output]?.name ?? "", value),
  };
  return (channel, t_ms, block) => {
    const input = inputs.indexOf(channel);
    if (input < 0) return;
    if (block !== undefined) monitor.onBlock(frame, input, block);
    else monitor.onSample(frame, input, t_ms);
  };
}

function nameplateOf(kind: string): Record<string, Amount> {
  const plate: Record<string, Amount> = {};
  for (const [key, text] of Object.entries(PLATES[kind] ?? {})) {
    const amount = parseAmount(text);
    assert(!("fault" in amount), `${key}: ${text}`);
    plate[key] = amount;
  }
  return plate;
}

const round = (value: number): number => Number(value.toPrecision(4));

/** The two files that the demo loads. */
export function demoBaselines(hours: number): readonly Baseline[] {
  const turbine = createWindTurbine({
    asset: "demo-wt01",
    seed: 77,
    inner_s: 0.1,
    blockEvery_ms: 1e12,
  });
  const drone = createQuadrotor({ asset: "demo-qd01", seed: 77 });
  const gas = createGasTurbine({ asset: "demo-gt01", seed: 77, spread: 0.05 });
  const rig = createBearing({ asset: "demo-br01", seed: 77 });
  const note = `simulated, seed 77, ${hours} h healthy`;
  return [
    commission(turbine, hours, 1000, note),
    commission(
      drone,
      Math.min(hours, 6),
      1000,
      `simulated, seed 77, ${Math.min(hours, 6)} h healthy`,
    ),
    commission(gas, hours, 1000, note),
    ...(KINDS["bearing"] === undefined ? [] : [commission(rig, hours, 1000, note)]),
  ];
}

const HOURS = 48;

if (process.argv[1]?.endsWith("baseline.js") === true) {
  const folder = process.argv[2] ?? packageFile("config/baselines");
  for (const baseline of demoBaselines(HOURS)) {
    const file = join(folder, `${baseline.asset}.json`);
    writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
    process.stdout.write(`${file}\n`);
  }
}
