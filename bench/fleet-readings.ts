//! What the instruments of one turbine of the fleet say through its months: the simulator, built a
//! little otherwise than the monitors know (or, matched, as they know it), with its faults.
import { prng } from "../agent/base/prng.js";
import { parseInjection } from "../agent/sensors/plants/injection.js";
import type { Injection, Plant, PlantBlock } from "../agent/sensors/plants/plant.js";
import { createWindTurbine } from "../agent/sensors/plants/wind-turbine.js";
import { parseUnit } from "../agent/units/parse.js";
import type { Episode, FleetPlan } from "./fleet-plan.js";

export const START_ms = 1_800_000_000_000;
export const PERIOD_s = 10;
const BLOCK_ms = 6 * 3_600_000;
/** Mismatch: the build, a lag of the thermometers that the monitors' equations lack, the anemometer
 * and tails of the noise. */
const SPREAD = 0.05;
const LAG_s = 300;
const TAIL = { chance: 0.02, sigmas: 4 };

export type Readings = {
  /** SI by instant and channel of the plant; NaN: nothing came. Instant i is at (i + 1) * PERIOD_s. */
  readonly scalars: Float32Array;
  /** Of the vibration channel, each with the instant after which it came. */
  readonly blocks: readonly (PlantBlock & { readonly instant: number })[];
};

export const plantOf = ({ seed, matched }: Pick<FleetPlan, "seed" | "matched">): Plant =>
  createWindTurbine({
    asset: "fleet",
    seed,
    start_ms: START_ms,
    period_ms: 1000 * PERIOD_s,
    blockEvery_ms: BLOCK_ms,
    inner_s: 0.1,
    spread: matched ? 0 : SPREAD,
  });

export function readingsOf(plan: FleetPlan): Readings {
  const plant = plantOf(plan);
  const lying = new Set<number>();
  const distort = plan.matched ? asRead : mismatch(plant, plan.seed, lying);
  const sides = edges(plan.episodes);
  const width = plant.channels.length;
  const instants = Math.floor(plan.end_s / PERIOD_s);
  const scalars = new Float32Array(instants * width).fill(Number.NaN);
  const blocks: (PlantBlock & { instant: number })[] = [];
  for (let instant = 0; instant < instants; instant++) {
    const t_s = (instant + 1) * PERIOD_s;
    while ((sides[0]?.at_s ?? Number.POSITIVE_INFINITY) <= t_s) {
      const { injection, ends } = sides.shift() as Side;
      plant.inject(injection);
      // One that falls silent at times is right in between.
      if (injection.sensor === null || injection.sensor.mode === "dropout") continue;
      if (ends) lying.delete(injection.sensor.channel);
      else lying.add(injection.sensor.channel);
    }
    plant.advance(START_ms + 1000 * t_s, {
      scalar(channel, _, reading) {
        scalars[instant * width + channel] = distort(channel, reading);
      },
      block(_, block) {
        blocks.push({ ...block, instant });
      },
    });
  }
  return { scalars, blocks };
}

type Side = { readonly at_s: number; readonly injection: Injection; readonly ends: boolean };

/** A plant's injections have no end: one of no severity takes the place of the one before. */
function edges(episodes: readonly Episode[]): Side[] {
  return episodes
    .flatMap(({ name, from_s, to_s, ramp_s, severity }): Side[] => {
      const injection = parseInjection(name);
      if ("fault" in injection) throw new Error(injection.fault);
      const begun = { ...injection, at_s: from_s, ramp_s, severity };
      const mended = { ...injection, at_s: to_s, ramp_s: 0, severity: 0 };
      return [
        { at_s: from_s, injection: begun, ends: false },
        { at_s: to_s, injection: mended, ends: true },
      ];
    })
    .sort((a, b) => a.at_s - b.at_s);
}

const asRead = (_channel: number, reading: number): number => reading;

function mismatch({ channels }: Plant, seed: number, lying: ReadonlySet<number>) {
  const chance = prng(seed, "mismatch");
  const gain = 1 + SPREAD * (2 * chance.next() - 1);
  const lagged = new Float64Array(channels.length).fill(Number.NaN);
  const share = 1 - Math.exp(-PERIOD_s / LAG_s);
  const kinds = channels.map(({ name, unit, noise }) => {
    const parsed = parseUnit(unit);
    const factor = "fault" in parsed ? 1 : parsed.factor;
    const slow = /^(winding|oil|hssBearing|mainBearing)Temp$/.test(name);
    return { slow, wind: name === "windSpeed", sigma: noise * factor };
  });
  return (channel: number, reading: number): number => {
    const { slow, wind, sigma } = kinds[channel] ?? { slow: false, wind: false, sigma: 0 };
    const tail = chance.next() < TAIL.chance ? TAIL.sigmas * sigma * chance.normal() : 0;
    const lies = lying.has(channel);
    if (wind) return Math.max(0, gain * reading + (lies ? 0 : tail));
    if (!slow) return lies || sigma === 0 ? reading : reading + tail;
    const before = lagged[channel] as number;
    // A sensor that lies is heard as it lies; its lag goes on from there.
    if (lies) return reading;
    const now = Number.isNaN(before) ? reading : before + share * (reading - before);
    lagged[channel] = now;
    return now + sigma * chance.normal() + tail;
  };
}
