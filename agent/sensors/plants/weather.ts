//! Wind and air at a turbine. Wind is a slow wandering mean plus turbulence (IEC 61400-1 normal
//! turbulence, class B), both Ornstein-Uhlenbeck; the rotor averages over its disc, the anemometer
//! sees one point of it. Gusts come now and then.

import { SEA_LEVEL } from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";

const MEAN = { tau_s: 12 * 3600, sd_mps: 3.6, centre_mps: 8.2 } as const;
const ROTOR_AVERAGING = 0.6; // share of the point's standard deviation that the disc feels
const POINT_TAU_s = 6;
const GUST = { every_s: 900, length_s: 10.5, least_mps: 1, most_mps: 3 } as const;
const EVENT_GUST_mps = 8;
const DAY_s = 86_400;

export type Weather = {
  /** Averaged over the rotor disc, and at the anemometer. */
  rotor_mps: number;
  point_mps: number;
  temperature_K: number;
  pressure_Pa: number;
  /** Wind direction against the nacelle, as the yaw drive lets it wander. */
  direction_rad: number;
  /** Once per outer step: what changes slowly, and the coefficients of the inner step. */
  slow(dt_s: number, inner_s: number): void;
  inner(): void;
};

export type WeatherOptions = {
  /** Mean wind at the start; it wanders around 8.2 m/s from there. */
  readonly wind_mps: number;
  readonly temperature_K: number;
  /** Seconds since midnight at the start, for the daily swing of temperature. */
  readonly clock_s: number;
};

/** `events` is read for `gust` and `heat_wave`. */
export function createWeather(
  seed: number,
  asset: string,
  options: WeatherOptions,
  events: Readonly<Record<string, number>>,
): Weather {
  const wind = prng(seed, `${asset}/wind`);
  const air = prng(seed, `${asset}/air`);
  let mean_mps = options.wind_mps;
  let clock_s = options.clock_s;
  let gustLeft_s = 0;
  let gust_mps = 0;
  let eventLeft_s = 0;
  let eventBefore = 0;
  let warmth_K = 0;
  let depth_Pa = 0;
  let turbulence = 0;
  let point = 0;
  let inner_s = 0.05;
  let keep = 0;
  let kick = 0;
  let pointKeep = 0;
  let pointKick = 0;

  const weather: Weather = {
    rotor_mps: mean_mps,
    point_mps: mean_mps,
    temperature_K: options.temperature_K,
    pressure_Pa: SEA_LEVEL.pressure_Pa,
    direction_rad: 0,
    slow(dt_s, step_s) {
      inner_s = step_s;
      clock_s += dt_s;
      mean_mps += wander(mean_mps - MEAN.centre_mps, MEAN.tau_s, MEAN.sd_mps, dt_s, wind);
      mean_mps = Math.max(0.5, mean_mps);
      const sigma = 0.14 * (0.75 * mean_mps + 3.8);
      const tau_s = 170 / Math.max(2, mean_mps);
      keep = Math.exp(-inner_s / tau_s);
      kick = ROTOR_AVERAGING * sigma * Math.sqrt(1 - keep * keep);
      pointKeep = Math.exp(-inner_s / POINT_TAU_s);
      pointKick = sigma * Math.sqrt((1 - ROTOR_AVERAGING ** 2) * (1 - pointKeep * pointKeep));
      warmth_K += wander(warmth_K, DAY_s, 3, dt_s, air);
      const sun_K = -5 * Math.cos((2 * Math.PI * (clock_s - 4 * 3600)) / DAY_s); // least at 4 am
      const wave_K = 15 * (events["heat_wave"] ?? 0);
      weather.temperature_K = options.temperature_K + sun_K + warmth_K + wave_K;
      depth_Pa += wander(depth_Pa, 2 * DAY_s, 800, dt_s, air);
      weather.pressure_Pa = SEA_LEVEL.pressure_Pa + depth_Pa;
      weather.direction_rad += wander(weather.direction_rad, 60, 0.06, dt_s, air);
      // Drawn every time, so that an injected gust shifts nothing after it.
      const luck = wind.next();
      const size_mps = GUST.least_mps + (GUST.most_mps - GUST.least_mps) * wind.next();
      if (gustLeft_s <= 0 && luck < dt_s / GUST.every_s) {
        gustLeft_s = GUST.length_s;
        gust_mps = size_mps;
      }
      const event = events["gust"] ?? 0;
      if (event > 0 && eventBefore === 0) eventLeft_s = GUST.length_s;
      eventBefore = event;
    },
    inner() {
      turbulence = keep * turbulence + kick * wind.normal();
      point = pointKeep * point + pointKick * wind.normal();
      let gust = 0;
      if (gustLeft_s > 0) {
        gust += gust_mps * bump(gustLeft_s);
        gustLeft_s -= inner_s;
      }
      if (eventLeft_s > 0) {
        gust += EVENT_GUST_mps * eventBefore * bump(eventLeft_s);
        eventLeft_s -= inner_s;
      }
      weather.rotor_mps = Math.max(0.2, mean_mps + turbulence + gust);
      weather.point_mps = Math.max(0, weather.rotor_mps + point);
    },
  };
  return weather;
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
