//! Commissioning of a simulated machine: a healthy run through its monitors, and the robust middle
//! and spread of what they say. `node dist/agent/models/convert/baseline.js [FOLDER]` writes the
//! baselines of the demo's two machines.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reference } from "../../accel/reference.js";
import { KINDS } from "../../assets.js";
import { assert } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Block } from "../../base/telemetry.js";
import { createBearing } from "../../sensors/plants/bearing.js";
import { createGasTurbine } from "../../sensors/plants/gas-turbine.js";
import type { Plant } from "../../sensors/plants/plant.js";
import { createQuadrotor } from "../../sensors/plants/quadrotor.js";
import { createWindTurbine } from "../../sensors/plants/wind-turbine.js";
import { type Amount, parseAmount } from "../../units/parse.js";
import { isRefused } from "../commission.js";
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

/** Runs the plant for `hours` and learns as a machine in the field does, however short that is. */
export function commission(plant: Plant, hours: number, step_ms: number, source: string): Baseline {
  const kind = KINDS[plant.kind];
  assert(kind !== undefined, `no kind ${plant.kind}`);
  const { monitors, stage } = kind.monitors({
    id: plant.asset,
    nameplate: nameplateOf(plant.kind),
    baseline: null,
    backend: reference,
    channels: new Set(plant.channels.map((c) => c.name)),
    want: { amount: Number.POSITIVE_INFINITY, by: "hand" },
  });
  run(plant, monitors, hours, step_ms);
  const outcome = stage.finish(source, null, { least: 0 });
  assert(outcome !== null && !isRefused(outcome), `${plant.asset}: ${JSON.stringify(outcome)}`);
  return outcome;
}

function run(plant: Plant, monitors: readonly Monitor[], hours: number, step_ms: number): void {
  const latest = new Float64Array(plant.channels.length).fill(Number.NaN);
  const start_ms = plant.now_ms();
  const bound = monitors.map((monitor) => bind(monitor, plant, latest));
  for (let t_ms = start_ms; t_ms <= start_ms + hours * 3_600_000; t_ms += step_ms) {
    plant.advance(t_ms, {
      scalar(channel, at_ms, value) {
        latest[channel] = value;
        for (const feed of bound) feed(channel, at_ms);
      },
      block(channel, found) {
        for (const feed of bound)
          feed(channel, found.t_ms, { kind: "block", r_ms: t_ms, channel, ...found });
      },
    });
  }
}

function bind(
  monitor: Monitor,
  plant: Plant,
  latest: Float64Array,
): (channel: number, t_ms: number, block?: Block) => void {
  const inputs = monitor.inputs.map((name) => plant.channels.findIndex((c) => c.name === name));
  const frame: Frame = {
    get: (input) => latest[inputs[input] ?? -1] ?? Number.NaN,
    set() {},
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

/** The files that the demo and tests load; of the turbine what its own fortnight would give. */
function demoBaselines(): readonly Baseline[] {
  const turbine = createWindTurbine({
    asset: "demo-wt01",
    seed: 77,
    inner_s: 0.1,
    blockEvery_ms: 1e12,
  });
  const drone = createQuadrotor({ asset: "demo-qd01", seed: 77 });
  const gas = createGasTurbine({ asset: "demo-gt01", seed: 77, spread: 0.05 });
  const rig = createBearing({ asset: "demo-br01", seed: 77 });
  const learn = (plant: Plant, hours: number): Baseline =>
    commission(plant, hours, 1000, `simulated, seed 77, ${hours} h healthy`);
  return [learn(turbine, 336), learn(drone, 6), learn(gas, 48), learn(rig, 48)];
}

if (process.argv[1]?.endsWith("baseline.js") === true) {
  const folder = process.argv[2] ?? packageFile("config/baselines");
  for (const baseline of demoBaselines()) {
    const file = join(folder, `${baseline.asset}.json`);
    // The demo's machines, which these stand for, have the name without "demo-".
    const asset = baseline.asset.replace("demo-", "");
    writeFileSync(file, `${JSON.stringify({ ...baseline, asset }, null, 2)}\n`);
    process.stdout.write(`${file}\n`);
  }
}
