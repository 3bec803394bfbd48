//! Means over a period of what a simulated turbine's instruments said: what a SCADA system keeps.
//! Each turbine has its own build, and differs from the textbook in what the textbook leaves out:
//! thermometers that lag, an anemometer with a gain, tails of the noise.
import { prng } from "../../base/prng.js";
import type { Plant } from "../../sensors/plants/plant.js";
import { createWindTurbine } from "../../sensors/plants/wind-turbine.js";

const SAMPLE_s = 10;
const DAY_s = 86_400;
const NEVER_ms = 1e15;

/** Ranges that a turbine's own values are drawn from. */
const BUILD = { spread: 0.06, gain: 0.05, lag_s: [60, 500], tail: 0.02, tail_K: 0.4 } as const;
const SLOW = new Set(["windingTemp", "oilTemp", "hssBearingTemp", "mainBearingTemp"]);

export type Reading = (channel: string, value: number) => number;

/** A healthy turbine, hot at its start; the site's mean wind and air are drawn too. */
export function drawTurbine(seed: number, purpose: string): { plant: Plant; distort: Reading } {
  const draw = prng(seed, `${purpose}/site`);
  const between = (low: number, high: number): number => low + (high - low) * draw.next();
  const plant = createWindTurbine({
    asset: `${purpose}/${seed}`,
    seed,
    period_ms: 1000 * SAMPLE_s,
    blockEvery_ms: NEVER_ms,
    inner_s: 0.1,
    spread: between(0, BUILD.spread),
    wind_mps: between(5, 14),
    ambient_K: between(263, 303),
  });
  const gain = between(1 - BUILD.gain, 1 + BUILD.gain);
  const share = 1 - Math.exp(-SAMPLE_s / between(...BUILD.lag_s));
  const before = new Map<string, number>();
  return {
    plant,
    distort(channel, value) {
      const tail = draw.next() < BUILD.tail ? draw.normal() : 0;
      if (channel === "windSpeed") return Math.max(0, gain * value + 0.4 * tail);
      if (!SLOW.has(channel)) return value;
      const last = before.get(channel) ?? value;
      const now = last + share * (value - last);
      before.set(channel, now);
      return now + BUILD.tail_K * tail;
    },
  };
}

/** Every reading at its time, up to `days`. */
export function playTurbine(
  { plant, distort }: ReturnType<typeof drawTurbine>,
  days: number,
  hear: (channel: number, t_ms: number, value: number) => void,
): void {
  plant.advance(plant.now_ms() + 1000 * DAY_s * days, {
    scalar: (channel, t_ms, value) => {
      hear(channel, t_ms, distort(plant.channels[channel]?.name ?? "", value));
    },
    block() {},
  });
}

/** By channel, means over `period_s`; `state` is NaN where it changed within the period. */
export function meansOf(
  seed: number,
  purpose: string,
  days: number,
  period_s: number,
): Readonly<Record<string, Float64Array>> {
  const turbine = drawTurbine(seed, purpose);
  const { channels } = turbine.plant;
  const count = Math.floor((days * DAY_s) / period_s);
  const sums = channels.map(() => new Float64Array(count));
  const states = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const state = channels.findIndex(({ name }) => name === "state");
  const start_ms = turbine.plant.now_ms();
  playTurbine(turbine, days, (channel, t_ms, value) => {
    const row = Math.ceil((t_ms - start_ms) / (1000 * period_s)) - 1;
    const sum = sums[channel] as Float64Array;
    sum[row] = (sum[row] as number) + (value * SAMPLE_s) / period_s;
    if (channel !== state) return;
    const known = states[row] as number;
    states[row] = known === Number.NEGATIVE_INFINITY || known === value ? value : Number.NaN;
  });
  const named = channels.flatMap(({ name, shape }, i): [string, Float64Array][] =>
    shape === "scalar" ? [[name, i === state ? states : (sums[i] as Float64Array)]] : [],
  );
  return Object.fromEntries(named);
}
