//! The plainest methods, on every reading: B0 a limit, B1 = B0 with a deadband and a minute's hold.
//! Their alarms are kept by hour and component, with how many there were: B0 has thousands a month.
import { spread } from "../agent/models/chain/robust.js";
import type { Said } from "./fleet-plain.js";
import { DAY_s, type FleetPlan, LEARN_days } from "./fleet-plan.js";
import { PERIOD_s, plantOf, type Readings } from "./fleet-readings.js";
import { median } from "./result.js";

export const RAW_LIMITS = [1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30] as const;
/** By limit. */
export type Raw = { readonly b0: readonly (readonly Said[])[]; readonly b1: Raw["b0"] };

const DEADBAND = 0.05;
const HOLD_s = 60;
const HOUR_s = 3600;
const EVERY = 7; // readings of the healthy time that middle and spread are taken from

type Target = { readonly channel: string; readonly component: string; readonly minus?: string };
const TARGETS: readonly Target[] = [
  { channel: "windingTemp", component: "generator" },
  { channel: "oilTemp", component: "gearbox" },
  { channel: "hssBearingTemp", component: "hss" },
  { channel: "mainBearingTemp", component: "main-bearing" },
  { channel: "towerAccel", component: "tower" },
  { channel: "yawError", component: "yaw" },
  { channel: "pitch", component: "pitch", minus: "pitchDemand" },
];
const BOTH = new Set(["yaw", "pitch"]);

export function rawOf(plan: FleetPlan, { scalars }: Readings): Raw {
  const { channels } = plantOf(plan);
  const width = channels.length;
  const at = (name: string): number => channels.findIndex((channel) => channel.name === name);
  const count = Math.floor(scalars.length / width);
  const found = RAW_LIMITS.map(() => ({ b0: [] as Said[], b1: [] as Said[] }));
  for (const { channel, component, minus } of TARGETS) {
    const [own, other] = [at(channel), minus === undefined ? -1 : at(minus)];
    const value = (i: number): number => {
      const reading = scalars[i * width + own] as number;
      return other < 0 ? reading : reading - (scalars[i * width + other] as number);
    };
    const healthy: number[] = [];
    for (let i = 0; i < (LEARN_days * DAY_s) / PERIOD_s; i += EVERY) {
      if (!Number.isNaN(value(i))) healthy.push(value(i));
    }
    const middle = median(healthy);
    const sigma = Math.max(spread(healthy, middle), 1e-9);
    RAW_LIMITS.forEach((limit, l) => {
      const [b0, b1] = [new Counted(component, 0, 0), new Counted(component, DEADBAND, HOLD_s)];
      for (let i = 0; i < count; i++) {
        const off = (value(i) - middle) / sigma;
        const level = (BOTH.has(component) ? Math.abs(off) : off) / limit;
        if (Number.isNaN(level)) continue;
        b0.add(level, (i + 1) * PERIOD_s);
        b1.add(level, (i + 1) * PERIOD_s);
      }
      found[l]?.b0.push(...b0.said);
      found[l]?.b1.push(...b1.said);
    });
  }
  const sorted = (said: Said[]): Said[] => said.sort((a, b) => a.at_s - b.at_s);
  return { b0: found.map(({ b0 }) => sorted(b0)), b1: found.map(({ b1 }) => sorted(b1)) };
}

/** Crossings of level 1 upwards; all of an hour are one entry. */
class Counted {
  readonly said: { at_s: number; component: string; times: number }[] = [];
  readonly #component: string;
  readonly #deadband: number;
  readonly #hold_s: number;
  #on = false;
  #since_s = Number.NaN;

  constructor(component: string, deadband: number, hold_s: number) {
    this.#component = component;
    this.#deadband = deadband;
    this.#hold_s = hold_s;
  }

  add(level: number, t_s: number): void {
    if (level <= 1 - this.#deadband) this.#on = false;
    if (level <= 1) this.#since_s = Number.NaN;
    else if (Number.isNaN(this.#since_s)) this.#since_s = t_s;
    if (this.#on || !(t_s - this.#since_s >= this.#hold_s)) return;
    this.#on = true;
    const last = this.said.at(-1);
    if (last !== undefined && t_s - last.at_s < HOUR_s) last.times += 1;
    else this.said.push({ at_s: t_s, component: this.#component, times: 1 });
  }
}
