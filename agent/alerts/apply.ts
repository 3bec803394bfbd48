//! What the pipeline calls: a change, a command or a deadline, applied to the alarms it holds,
//! gives the rows and messages that go into the tick's one transaction.
import type { Alarm, Command, Message, Occurrence, Transition } from "./alarm.js";
import { clear, command, expire, raise, type Step, update } from "./lifecycle.js";
import { messagesOf } from "./message.js";
import type { Place } from "./topics.js";

/** Every alarm of the agent, by `alarmKey`. The pipeline owns the map; these functions write it. */
export type Alarms = Map<string, Alarm>;

export type Applied = {
  readonly alarm: Alarm;
  readonly transition: Transition;
  readonly messages: readonly Message[];
};

const LIFE = { raise, clear, update } as const;

export const alarmKey = (asset: string, rule: string): string => `${asset}/${rule}`;

/** A string is a refusal: why nothing changed. */
export function applyChange(
  place: Place,
  alarms: Alarms,
  to: keyof typeof LIFE,
  what: Occurrence,
  time_ms: number,
): Applied | string {
  const before = alarms.get(alarmKey(what.asset, what.rule));
  return keep(place, alarms, LIFE[to](before, what, time_ms));
}

export function applyCommand(
  place: Place,
  alarms: Alarms,
  wish: Command,
  time_ms: number,
): Applied | string {
  const before = alarms.get(alarmKey(wish.asset, wish.rule));
  return keep(place, alarms, command(before, wish, time_ms));
}

/** Ends every shelving that is due, in order of deadline. */
export function applyDeadlines(place: Place, alarms: Alarms, now_ms: number): Applied[] {
  const due: Step[] = [];
  for (const alarm of alarms.values()) {
    const step = expire(alarm, now_ms);
    if (step !== null) due.push(step);
  }
  due.sort((a, b) => a.alarm.time_ms - b.alarm.time_ms);
  return due.map((step) => record(place, alarms, step));
}

function keep(place: Place, alarms: Alarms, step: Step | string): Applied | string {
  return typeof step === "string" ? step : record(place, alarms, step);
}

function record(place: Place, alarms: Alarms, { alarm, transition }: Step): Applied {
  alarms.set(alarmKey(alarm.asset, alarm.rule), alarm);
  return { alarm, transition, messages: messagesOf(alarm, transition, place) };
}
