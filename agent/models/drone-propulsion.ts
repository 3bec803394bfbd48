//! What a hover takes, against the commissioned hover of this machine. A propeller that has lost
//! some of its blade turns faster for the same weight, asks more power, and upsets the balance of
//! torques; on real machines it may shake less. So each is watched in both directions.
import { airDensity, SEA_LEVEL } from "../base/physics.js";
import { BlockMean, Cusum } from "./chain/smooth.js";
import { HOVER } from "./drone-outputs.js";
import type { Finding } from "./monitor.js";
import type { Readings, Said } from "./monitor-machine.js";

const BLOCK_s = 1;
/** A hover: rotors ask most alike there. What has no channel is not asked. */
const CALM = { velocity: 3, climbRate: 0.7, tilt_rad: 0.2 } as const;
/** By air pressure, whose noise is large. */
const RISE_MOST_mps = 0.8;
/** Least spread: batteries, air and their instruments differ by that much from flight to flight. */
const SPREAD_LEAST = { drive: 0.01, draw: 0.02, yaw: 0.006 } as const;
/** A whole flight may lie two spreads off, and no more counts than what lies beyond. */
const SLACK = 2;
/** Evidence that decides: of one alone, and of each of two. A second of a flight adds 2 at most. */
const ALONE = 12;
const PAIR = 4;
const MOTORS = [1, 2, 3, 4] as const;
const FULL_V = 10;
const FULL_radps = 1000;
const RHO_0 = airDensity(SEA_LEVEL.pressure_Pa, SEA_LEVEL.temperature_K);

type Name = (typeof HOVER)[number]["name"];
type Usual = { readonly middle: number; readonly sigma: number; readonly other: number };

/** The one nearer to 0; 0 where they lie on both sides of it. */
const nearer = (a: number, b: number): number =>
  a * b < 0 ? 0 : Math.abs(a) < Math.abs(b) ? a : b;

class Feature {
  readonly name: Name;
  readonly relative: boolean;
  readonly #block = new BlockMean(BLOCK_s);
  readonly #up = new Cusum(SLACK, 2 * ALONE);
  readonly #down = new Cusum(SLACK, 2 * ALONE);
  level = Number.NaN;
  /** From the commissioned middle, in spreads. */
  z = Number.NaN;

  constructor(name: Name, relative: boolean) {
    this.name = name;
    this.relative = relative;
  }

  /** `other`: factor on `x` that another belief about the air would make. */
  add(x: number, dt_s: number, { middle, sigma, other }: Usual): void {
    const mean = this.#block.add(x, dt_s);
    if (Number.isNaN(mean)) return;
    this.level = mean;
    const scale = this.relative ? middle : 1;
    const spread = Math.max(SPREAD_LEAST[this.name], sigma / scale);
    const [a, b] = [mean, mean * other].map((level) => (level - middle) / scale / spread);
    this.z = nearer(a as number, b as number);
    this.#up.add(this.z);
    this.#down.add(-this.z);
  }

  get evidence(): number {
    return Math.max(this.#up.value, this.#down.value);
  }

  pause(): void {
    this.#block.reset();
    this.level = Number.NaN;
  }

  forget(): void {
    this.pause();
    this.z = Number.NaN;
    this.#up.value = 0;
    this.#down.value = 0;
  }
}

export class DronePropulsion {
  readonly says: Said;
  readonly #on: Readings;
  readonly #features = HOVER.map(({ name, relative }) => new Feature(name, relative));
  #known = false;
  #pressure_Pa = Number.NaN;

  constructor(readings: Readings) {
    this.#on = readings;
    const levels = HOVER.map(({ level }, i) => {
      const feature = this.#features[i] as Feature;
      return [level, () => feature.level] as const;
    });
    this.says = {
      ...Object.fromEntries(levels),
      "propulsion.evidence": () => (this.#known ? this.#evidence() : Number.NaN),
    };
  }

  /** `whole`: in the air, no motor has stopped, and no rotor's speed and current contradict. */
  step(dt_s: number, whole: boolean, rise_mps: number): void {
    const { normal, value } = this.#on;
    this.#known = !Number.isNaN(normal("yaw.trim", Number.NaN));
    const drives = this.#drives();
    const volts = this.#on.believed("batteryVoltage");
    if (drives.some(Number.isNaN) || !volts) {
      // What a channel said before it was doubted counts no more.
      for (const feature of this.#features) feature.forget();
      return;
    }
    if (!whole || !this.#isCalm() || this.#climbs(rise_mps)) {
      for (const feature of this.#features) feature.pause();
      return;
    }
    const air_K = value("airTemp");
    const usual_K = normal("air.level", Number.NaN);
    const pressure_Pa = this.#pressure();
    const [d1 = 0, d2 = 0, d3 = 0, d4 = 0] = drives;
    const sum = d1 + d2 + d3 + d4;
    const draw_W = value("batteryVoltage") * value("batteryCurrent");
    const known_K = Number.isNaN(air_K) ? SEA_LEVEL.temperature_K : air_K;
    const thin = Math.sqrt(airDensity(pressure_Pa, known_K) / RHO_0);
    const now: Readonly<Record<Name, number>> = {
      drive: (sum / 4) * thin,
      draw: draw_W * thin,
      yaw: (d1 + d2 - d3 - d4) / sum,
    };
    for (const [i, { name, level }] of HOVER.entries()) {
      const middle = normal(level, Number.NaN);
      const sigma = normal(`${name}.sigma`, Number.NaN);
      // The thermometer may lie: what the air of the commissioning explains is no deviation.
      const other = name === "yaw" || !(air_K > 0 && usual_K > 0) ? 1 : Math.sqrt(air_K / usual_K);
      (this.#features[i] as Feature).add(now[name], dt_s, { middle, sigma, other });
    }
  }

  explain(): Finding | null {
    const evidence = HOVER.flatMap(({ what }, i) => {
      const { z } = this.#features[i] as Feature;
      const way = z < 0 ? "below" : "above";
      return Number.isNaN(z) ? [] : [`${what}: ${Math.abs(z).toFixed(1)} spreads ${way} normal`];
    });
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  /** What moves each rotor: its speed, else the command to its motor times the voltage behind it. */
  #drives(): number[] {
    const { value, raw } = this.#on;
    const measured = MOTORS.some((i) => !Number.isNaN(raw(`rotorSpeed${i}`)));
    if (measured) return MOTORS.map((i) => value(`rotorSpeed${i}`) / FULL_radps);
    const volts = value("batteryVoltage") / FULL_V;
    return MOTORS.map((i) => value(`motorOutput${i}`) * volts);
  }

  #isCalm(): boolean {
    const { value, raw } = this.#on;
    const within = (name: string, most: number): boolean =>
      Math.abs(value(name)) <= most || Number.isNaN(raw(name));
    return (
      within("velocity", CALM.velocity) &&
      within("climbRate", CALM.climbRate) &&
      within("roll", CALM.tilt_rad) &&
      within("pitch", CALM.tilt_rad)
    );
  }

  /** A climb rate that says 0 whatever happens makes no hover. */
  #climbs(rise_mps: number): boolean {
    return !Number.isNaN(this.#on.raw("climbRate")) && Math.abs(rise_mps) > RISE_MOST_mps;
  }

  /** The last one believed; sea level where there is no barometer. */
  #pressure(): number {
    const { value, raw } = this.#on;
    const now_Pa = value("pressure");
    if (!Number.isNaN(now_Pa)) this.#pressure_Pa = now_Pa;
    return Number.isNaN(raw("pressure")) ? SEA_LEVEL.pressure_Pa : this.#pressure_Pa;
  }

  /** One alone must last longer than two that agree; power alone may be its instrument. */
  #evidence(): number {
    const found = this.#features.map((feature) => feature.evidence);
    const [, second = 0] = [...found].sort((a, b) => b - a);
    const alone = Math.max(
      ...this.#features.map(({ name, evidence }) => (name === "draw" ? 0 : evidence)),
    );
    return Math.max(alone / ALONE, second / PAIR);
  }
}
