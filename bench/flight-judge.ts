//! The quadrotor kind on recorded flights: commissioned on some of them as in the field, then the
//! rules on another one, second by second. No part of the product is replaced.
import { isRefused } from "../agent/models/commission.js";
import type { Baseline } from "../agent/models/setup.js";
import { isUnitFault, parseUnit } from "../agent/units/parse.js";
import { collect, type Raised, type Wired, wire } from "../test/models/rig.js";
import type { Flight, FlightSet } from "./flights.js";

const START_ms = 1_800_000_000_000;
const DAY_ms = 86_400_000;
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: DAY_ms };
const WINDOW_s = 2;
const IN_AIR = 25; // per cent of motor output, mean of the four
const TAIL_ms = 1000;

type Wires = ReturnType<typeof wire>;

const wiredOf = ({ channels, nameplate }: FlightSet): Wired => ({
  kind: "quadrotor",
  channels: channels.map((channel) => ({ ...channel, shape: "scalar" })),
  nameplate,
});

function play({ watch, changes }: Wires, set: FlightSet, flight: Flight, at_ms: number): void {
  const first_ms = flight.readings[0]?.t_ms ?? 0;
  const at = new Map(set.channels.map(({ name, unit }, i) => [name, { i, unit: parseUnit(unit) }]));
  let r_ms = at_ms;
  for (const { channel, t_ms: own_ms, value } of flight.readings) {
    const found = at.get(channel);
    if (found === undefined || isUnitFault(found.unit)) continue;
    const t_ms = at_ms + own_ms - first_ms;
    r_ms = Math.max(r_ms, t_ms);
    if (watch.next_ms() <= r_ms) watch.advance(r_ms, changes);
    const si = value * found.unit.factor + found.unit.offset;
    watch.accept(
      { kind: "sample", channel: found.i, t_ms, r_ms, value: si, quality: "good" },
      LIMITS,
      changes,
    );
  }
  if (watch.next_ms() <= r_ms + TAIL_ms) watch.advance(r_ms + TAIL_ms, changes);
}

/** The normal of these flights, a day apart; a text where commissioning refuses. */
export function learnFlights(set: FlightSet, flights: readonly Flight[]): Baseline | string {
  const want = { amount: Number.POSITIVE_INFINITY, by: "hand" } as const;
  const wires = wire(wiredOf(set), { baseline: null, want });
  for (const [i, flight] of flights.entries()) play(wires, set, flight, START_ms + i * DAY_ms);
  const outcome = wires.stage.finish("bench", null);
  if (outcome === null) return "nothing was learnt";
  return isRefused(outcome) ? outcome.refused.join("; ") : outcome;
}

export type Judged = {
  readonly flight: Flight;
  /** Windows of two seconds in the air: in alarm of either class, of class machine, all. */
  readonly alarmed: number;
  readonly machine: number;
  readonly windows: number;
  readonly alarms: readonly Raised[];
};

export function judgeFlight(set: FlightSet, flight: Flight, baseline: Baseline): Judged {
  const wires = wire(wiredOf(set), { baseline });
  play(wires, set, flight, START_ms);
  const alarms = collect(wires.changes, START_ms);
  const [from_s, to_s] = inAir(flight);
  const windows = Math.max(1, Math.floor((to_s - from_s) / WINDOW_s));
  const count = (of: readonly Raised[]): number =>
    Array.from({ length: windows }, (_, i) => from_s + i * WINDOW_s).filter((start_s) =>
      of.some(({ at_s, cleared_s }) => at_s < start_s + WINDOW_s && cleared_s > start_s),
    ).length;
  const machine = alarms.filter((alarm) => alarm.class === "machine");
  return { flight, windows, alarmed: count(alarms), machine: count(machine), alarms };
}

/** From the first to the last moment with motors at work, s after the record's start. */
function inAir({ readings }: Flight): [number, number] {
  const first_ms = readings[0]?.t_ms ?? 0;
  const last = [0, 0, 0, 0];
  const seen = readings.flatMap(({ channel, t_ms, value }): number[] => {
    const motor = Number(/^motorOutput(\d)$/.exec(channel)?.[1] ?? 0);
    if (motor === 0) return [];
    last[motor - 1] = value;
    return last.reduce((a, b) => a + b, 0) / last.length > IN_AIR ? [(t_ms - first_ms) / 1000] : [];
  });
  return [seen[0] ?? 0, seen.at(-1) ?? 0];
}
