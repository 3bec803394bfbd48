//! What the agent tells its log: what runs where at the start, devices taken out, alarms.
import type { Applied } from "./alerts/apply.js";
import type { Assembly } from "./assembly.js";
import type { Log } from "./base/log.js";

/** A broker with much that is strange must not flood the log. */
const NOTES_MAX = 20;

export type Said = Pick<Applied, "alarm" | "transition">;

export function sayWhatRuns({ members, backend: compute }: Assembly, log: Log): void {
  const { backend, skipped, why, placements } = compute;
  log.info(
    { backend: backend.name, tier: backend.tier, skipped, why },
    `models run on ${backend.name}`,
  );
  for (const placed of placements) log.info({ placed }, "a network was placed");
  for (const network of compute.passed) log.warn({ why: network }, "a network runs on the CPU");
  for (const { config, watch, off, commissioned, stage } of members) {
    const { id, kind } = config;
    for (const { name, runs } of watch.monitors) {
      if (runs === undefined) continue;
      const { engine, outside } = runs;
      const why = outside === undefined ? {} : { why: outside };
      log.info({ asset: id, engine, ...why }, `model ${name} runs on ${engine}`);
    }
    if (off.length > 0) log.warn({ asset: id, kind, off }, "some checks are switched off");
    if (!commissioned && stage.learning) {
      log.info({ asset: id, kind, learnt: stage.progress }, "commissioning: it learns its normal");
    } else if (!commissioned) log.warn({ asset: id, kind }, "not commissioned: no baseline");
  }
}

/** One line for each device that is taken out, at the start or later. */
export function outagesOf({ backend: { outages } }: Assembly, log: Log): () => void {
  let said = 0;
  const sayNew = (): void => {
    for (const outage of outages.slice(said)) log.error(outage, `${outage.backend} is out of use`);
    said = outages.length;
  };
  sayNew();
  return sayNew;
}

export function sayNotes(notes: readonly string[], log: Log): void {
  const what = "the broker's retained alarms differed from ours";
  for (const note of notes.slice(0, NOTES_MAX)) log.warn({ note }, what);
  if (notes.length > NOTES_MAX) log.warn({ more: notes.length - NOTES_MAX }, what);
}

/** Prints what waits for it, and empties that. */
export function sayAlarms(unsaid: Said[], log: Log): void {
  for (const { alarm, transition } of unsaid.splice(0)) {
    const { asset, rule, severity, value, limit, suppressedBy } = alarm;
    log.info({ asset, rule, severity, value, limit, suppressedBy }, `alarm ${transition}`);
  }
}
