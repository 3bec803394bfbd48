//! The composition root: it joins an assembly with its alarms, the store and the publisher, and
//! fixes the order of start and stop.
import { availableParallelism } from "node:os";
import type { Config } from "../config/config.js";
import { Alarms } from "./alarms.js";
import type { Alarm } from "./alerts/alarm.js";
import type { Applied } from "./alerts/apply.js";
import type { Reconciled } from "./alerts/reconcile.js";
import { type Batch, type LatchRow, openStore } from "./alerts/store.js";
import { type Assembly, assemble } from "./assembly.js";
import { type Clock, steady_ms } from "./base/clock.js";
import type { Log } from "./base/log.js";
import { Ring } from "./base/ring.js";
import type { Item } from "./base/telemetry.js";
import { Learning } from "./learning.js";
import { startBlockPool } from "./models/features/pool.js";
import { type Inbox, openOutgoing, placeOf } from "./outgoing.js";
import { type Stages, step } from "./pipeline.js";
import { restore } from "./restore.js";
import { outagesOf, type Said, sayAlarms, sayNotes, sayWhatRuns } from "./say.js";
import { OWN_ALARMS, ownAlarms } from "./self.js";
import { findOrOpen } from "./sensors/recording.js";
import { type Ended, replaySource } from "./sensors/replay.js";
import type { Source } from "./sensors/source.js";
import { countReject, intakeCounts, intakeOf, sourcesOf } from "./sources.js";
import type { Health, View } from "./status/view.js";
import { History, healthOf, viewOf } from "./view.js";
import type { Noted } from "./watch.js";

const TICK_ms = 250;
/** How often the start of a running hold time is stored: often enough to lose little. */
const HOLDS_EVERY_ms = 1_000;
/** The log may be so much later than the alarm; what comes meanwhile is printed together. */
const SAY_AFTER_ms = 50;
type Repaired = Omit<Reconciled, "applied">;
const QUIET: Batch = { alarms: [], latches: [], messages: [] };
const NOTHING: Reconciled = { applied: [], adopted: [], messages: [], notes: [] };
/** Where no broker is configured nothing comes. */
const EMPTY: Inbox = { commands: [], retained: null };

export type AgentOptions = {
  readonly log: Log;
  readonly clock: Clock;
  /** After every completed tick: what feeds a watchdog. */
  readonly progress?: () => void;
  /** Played live in place of the config's sources; at its end the agent goes on until stopped. */
  readonly recording?: { readonly path: string; readonly ended: Ended };
};

export type Agent = {
  readonly channels: number;
  view(): View;
  health(): Health;
  stop(): Promise<void>;
};

/** The alarm table over an assembly; `known` is as the last run left it. */
export function alarmsOf(config: Config, assembly: Assembly, known: readonly Alarm[]): Alarms {
  const gateway = config.gateway.id;
  const ruleOf = (asset: string, rule: string) => assembly.memberOf(asset)?.watch.rule(rule);
  const options = {
    place: placeOf(config),
    ruleOf,
    knows: (asset: string, rule: string) =>
      asset === gateway ? Object.hasOwn(OWN_ALARMS, rule) : ruleOf(asset, rule) !== undefined,
    folded: (asset: string) => assembly.memberOf(asset)?.watch.folded ?? [],
    commissioned: (asset: string) => assembly.memberOf(asset)?.commissioned ?? true,
  };
  return new Alarms(options, known);
}

/** Starts everything the config names; resolves once the sources are trying. */
export async function startAgent(config: Config, options: AgentOptions): Promise<Agent> {
  const { log, clock } = options;
  const assembly = assemble(config, true);
  const sayOutages = outagesOf(assembly, log);
  const started_ms = clock.now();
  const { dir, ...bounds } = config.store;
  const { store } = openStore(dir, { ...bounds, gateway: config.gateway.id }, started_ms);
  const known = store.load();
  const alarms = alarmsOf(config, assembly, known.alarms);
  const learning = new Learning(assembly.members, dir, log);
  sayWhatRuns(assembly, log);
  const counts = intakeCounts();
  const history = new History();
  const outgoing = openOutgoing(config, store, counts, log, clock, () => schedule());
  const ring = new Ring<Item>(config.intake.ring);
  const own = ownAlarms(config.gateway.id, store, assembly.backend.outages);
  let ticked_ms = steady_ms();
  let held_ms = ticked_ms;
  const unsaid: Said[] = [];

  const batchOf = (
    all: readonly Applied[],
    latches: readonly LatchRow[],
    { adopted, messages }: Repaired,
  ): Batch => {
    // Nearly every tick: it must leave no garbage, whose collection would hold up an alarm.
    const count = all.length + latches.length + adopted.length + messages.length;
    if (count === 0) return QUIET;
    // Of an alarm that moved twice the last row; of one that is not kept (reconcile.ts) none.
    const moved = all.map((one) => one.alarm);
    const rows = moved.filter((row) => alarms.get(row.asset, row.rule) === row);
    return {
      alarms: [...rows, ...adopted],
      latches,
      messages: [...all.flatMap((one) => one.messages), ...messages],
    };
  };
  const settle = (all: Applied[], repaired: Repaired, now_ms: number): void => {
    for (const { to, what } of own(now_ms)) {
      const moved = alarms.move(to, what);
      if (moved !== null) all.push(moved);
    }
    const holds = steady_ms() - held_ms >= HOLDS_EVERY_ms;
    if (holds) held_ms = steady_ms();
    const latches: LatchRow[] = [];
    for (const { id, unsaved } of assembly.watches) {
      for (const row of unsaved(holds)) latches.push({ asset: id, ...row });
    }
    const batch = batchOf(all, latches, repaired);
    const before = store.trouble?.code;
    const trouble = store.commit(batch, now_ms);
    if (trouble !== null && trouble.code !== before)
      log.error({ code: trouble.code }, trouble.message);
    if (trouble === null && before !== undefined) log.info({}, "the state is written again");
    if (batch.messages.length > 0) outgoing?.publisher.wake();
    // Printing wakes other threads: the broker is to have the core first.
    if (all.length > 0 && unsaid.length === 0) setTimeout(sayAlarms, SAY_AFTER_ms, unsaid, log);
    for (const one of all) {
      history.note(one);
      unsaid.push({ alarm: one.alarm, transition: one.transition }); // without the documents
    }
  };
  const commit = (changes: readonly Noted[], now_ms: number): void => {
    const applied: Applied[] = [];
    for (const change of changes) applied.push(...alarms.apply(change));
    applied.push(...alarms.expire(now_ms));
    const inbox = outgoing?.inbox ?? EMPTY;
    const answers = inbox.commands.map((wish) => ({ wish, outcome: alarms.command(wish, now_ms) }));
    inbox.commands.length = 0;
    for (const { outcome } of answers) if (typeof outcome !== "string") applied.push(outcome);
    const repaired = inbox.retained === null ? NOTHING : alarms.reconcile(inbox.retained, now_ms);
    inbox.retained = null;
    sayNotes(repaired.notes, log);
    applied.push(...repaired.applied);
    settle(applied, repaired, now_ms);
    for (const { wish, outcome } of answers) outgoing?.commands.answer(wish, outcome, now_ms);
    learning.tick(now_ms, (asset) => alarms.anyActive(asset));
    sayOutages();
    ticked_ms = steady_ms();
  };
  const ended = restore(known.latches, assembly, alarms, config.gateway.id, started_ms);
  settle(ended, NOTHING, started_ms);

  const stages: Stages = {
    intake: ring,
    watchOf: (channel) => assembly.watchOf(channel),
    watches: assembly.watches,
    limits: config.time,
    reject(reason, channel) {
      const { asset, name } = assembly.channels[channel] ?? { asset: "?", name: "?" };
      countReject(counts, reason, `${asset}/${name}`, log);
    },
    commit,
  };
  let scheduled = false;
  let stopped = false;
  const tick = (): void => {
    scheduled = false;
    if (stopped) return;
    if (step(stages, clock.now())) schedule();
    options.progress?.();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(tick);
  };
  const accept = (item: Item): void => {
    ring.push(item);
    schedule();
  };
  const blocks = readsBlocksApart(config, assembly)
    ? startBlockPool(log, config.intake.memoryNode)
    : null;
  const intake = intakeOf(assembly, counts, log, clock, (item) => {
    if (item.kind !== "block" || blocks === null) return accept(item);
    // It arrives when it has been read: scalars that came meanwhile went before it.
    blocks.read(item, (read) => accept({ ...read, r_ms: clock.now() }));
  });
  for (const watch of assembly.watches) watch.begin(started_ms);
  outgoing?.start();
  const sources = liveSources(config, assembly, options);
  try {
    for (const source of sources) await source.start(intake);
  } catch (error) {
    // A half-started agent would keep the process alive and watch nothing.
    stopped = true;
    await Promise.allSettled(sources.map((source) => source.stop()));
    await blocks?.stop();
    await outgoing?.stop();
    store.close(clock.now());
    throw error;
  }
  const idle = setInterval(schedule, TICK_ms);
  const read = blocks?.counts ?? null;
  const facts = {
    config,
    assembly,
    alarms,
    store,
    counts,
    blocks: read,
    history,
    ring,
    started_ms,
  };
  return {
    channels: assembly.channels.length,
    view: () => viewOf(facts, clock.now()),
    health: () => healthOf(facts, steady_ms() - ticked_ms),
    async stop(): Promise<void> {
      clearInterval(idle);
      for (const source of sources) await source.stop();
      await blocks?.stop();
      while (step(stages, clock.now()));
      stopped = true;
      await outgoing?.stop();
      learning.close();
      const trouble = store.close(clock.now());
      if (trouble !== null) log.error({ code: trouble.code }, trouble.message);
    },
  };
}

/** A second core is what makes it worth a thread, and a machine with a monitor that reads blocks. */
function readsBlocksApart(config: Config, { channels, members }: Assembly): boolean {
  const kinds = new Set(members.filter((m) => m.watch.monitors.length > 0).map((m) => m.config.id));
  const any = channels.some(({ shape, asset }) => shape === "block" && kinds.has(asset));
  return config.intake.blockWorker && any && availableParallelism() > 1;
}

function liveSources(
  config: Config,
  assembly: Assembly,
  { recording, log }: AgentOptions,
): Source[] {
  if (recording === undefined) return sourcesOf(config, assembly, "telemetry", log);
  const find = findOrOpen(assembly.find, assembly.level);
  return [replaySource(recording.path, find, log, recording.ended)];
}
