//! Wind and air at a turbine. Wind is a slow wandering mean plus turbulence (IEC 61400-1 normal
//! turbulence, class B), both Ornstein-Uhlenbeck; the rotor averages over its disc, the anemometer
//! sees one point of it. Gusts come now and then.
import { SEA_LEVEL } from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { type Faults, level } from "./machine.js";

const MEAN = { tau_s: 12 * 3600, sd_mps: 3.6, centre_mps: 8.2 } as const;
const ROTOR_AVERAGING = 0.6; // share of the point's standard deviation that the disc feels
const POINT_TAU_s = 6;
const GUST = { every_s: 900, length_s: 10.5, least_mps: 1, most_mps: 3 } as const;
const EVENT_GUST_mps = 5;
const DAY_s = 86_400;

export type Weather = {
  /** Averaged over the rotor disc, and at the anemometer. */
  rotor_mps: number;
  point_mps: number;
  temperature_K: number;
  pressure_Pa: number;
  /** Wind direction against the nacelle, as the yaw drive lets it wander. */
  direction_rad: number;
  readonly wind: Prng;
  readonly air: Prng;
  readonly meanTemperature_K: number;
  mean_mps: number;
  clock_s: number;
  warmth_K: number;
  turbulence_mps: number;
  point: number;
  /** A natural gust and one that was asked for: what is left of each, and its size. */
  readonly gusts: readonly [Gust, Gust];
  asked: boolean;
  /** Coefficients of the inner step, renewed by each outer one. */
  inner: { dt_s: number; keep: number; kick: number; pointKeep: number; pointKick: number };
};

type Gust = { left_s: number; size_mps: number };

export type Site = {
  /** Mean wind at the start; it wanders around 8.2 m/s from there. */
  readonly wind_mps: number;
  readonly temperature_K: number;
  /** Seconds since midnight at the start, for the daily swing of temperature. */
  readonly clock_s: number;
};

export function createWeather(seed: number, asset: string, site: Site): Weather {
  return {
    rotor_mps: site.wind_mps,
    point_mps: site.wind_mps,
    temperature_K: site.temperature_K,
    pressure_Pa: SEA_LEVEL.pressure_Pa,
    direction_rad: 0,
    wind: prng(seed, `${asset}/wind`),
    air: prng(seed, `${asset}/air`),
    meanTemperature_K: site.temperature_K,
    mean_mps: site.wind_mps,
    clock_s: site.clock_s,
    warmth_K: 0,
    turbulence_mps: 0,
    point: 0,
    gusts: [
      { left_s: 0, size_mps: 0 },
      { left_s: 0, size_mps: 0 },
    ],
    asked: false,
    inner: { dt_s: 0, keep: 0, kick: 0, pointKeep: 0, pointKick: 0 },
  };
}

/** Once per outer step: what changes slowly. `faults` is read for `gust` and `heat_wave`. */
export function changeWeather(w: Weather, faults: Faults, dt_s: number, inner_s: number): void {
  w.clock_s += dt_s;
  const drift = wander(w.mean_mps - MEAN.centre_mps, MEAN.tau_s, MEAN.sd_mps, dt_s, w.wind);
  w.mean_mps = Math.max(0.5, w.mean_mps + drift);
  const sigma = 0.14 * (0.75 * w.mean_mps + 3.8);
  const keep = Math.exp((-inner_s * Math.max(2, w.mean_mps)) / 170);
  const pointKeep = Math.exp(-inner_s / POINT_TAU_s);
  const kick = ROTOR_AVERAGING * sigma * Math.sqrt(1 - keep * keep);
  const rest = Math.sqrt(1 - ROTOR_AVERAGING ** 2);
  const pointKick = rest * sigma * Math.sqrt(1 - pointKeep * pointKeep);
  w.inner = { dt_s: inner_s, keep, kick, pointKeep, pointKick };

  w.warmth_K += wander(w.warmth_K, DAY_s, 3, dt_s, w.air);
  const sun_K = -5 * Math.cos((2 * Math.PI * (w.clock_s - 4 * 3600)) / DAY_s); // least at 4 am
  const wave_K = 15 * level(faults, "heat_wave");
  w.temperature_K = w.meanTemperature_K + sun_K + w.warmth_K + wave_K;
  const depth_Pa = w.pressure_Pa - SEA_LEVEL.pressure_Pa;
  w.pressure_Pa += wander(depth_Pa, 2 * DAY_s, 800, dt_s, w.air);
  w.direction_rad += wander(w.direction_rad, 60, 0.06, dt_s, w.air);

  // Drawn every time, so that an injected gust shifts nothing after it.
  const luck = w.wind.next();
  const size_mps = GUST.least_mps + (GUST.most_mps - GUST.least_mps) * w.wind.next();
  const [natural, event] = w.gusts;
  if (natural.left_s <= 0 && luck < dt_s / GUST.every_s) {
    Object.assign(natural, { left_s: GUST.length_s, size_mps });
  }
  const asked = level(faults, "gust");
  if (asked > 0 && !w.asked) {
    Object.assign(event, { left_s: GUST.length_s, size_mps: EVENT_GUST_mps * asked });
  }
  w.asked = asked > 0;
}

/** One inner step of the wind. */
export function blowWeather(w: Weather): void {
  const { dt_s, keep, kick, pointKeep, pointKick } = w.inner;
  w.turbulence_mps = keep * w.turbulence_mps + kick * w.wind.normal();
  w.point = pointKeep * w.point + pointKick * w.wind.normal();
  let gust_mps = 0;
  for (const gust of w.gusts) {
    if (gust.left_s <= 0) continue;
    gust_mps += gust.size_mps * bump(gust.left_s);
    gust.left_s -= dt_s;
  }
  w.rotor_mps = Math.max(0.2, w.mean_mps + w.turbulence_mps + gust_mps);
  w.point_mps = Math.max(0, w.rotor_mps + w.point);
}

const bump = (left_s: number): number =>
  0.5 - 0.5 * Math.cos((2 * Math.PI * left_s) / GUST.length_s);

/** The exact change of an Ornstein-Uhlenbeck process that stands `away` from its centre. */
export function wander(
  away: number,
  tau_s: number,
  sd: number,
  dt_s: number,
  random: Prng,
): number {
  const keep = Math.exp(-dt_s / tau_s);
  return (keep - 1) * away + sd * Math.sqrt(1 - keep * keep) * random.normal();
}
