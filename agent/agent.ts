//! The composition root: it joins an assembly with its alarms, the store and the publisher, and
//! fixes the order of start and stop.
import type { Config } from "../config/config.js";
import { Alarms } from "./alarms.js";
import type { Command } from "./alerts/alarm.js";
import type { Applied } from "./alerts/apply.js";
import { type Commands, startCommands } from "./alerts/commands.js";
import { gatewayStatus, Link } from "./alerts/link.js";
import { type Publisher, startPublisher } from "./alerts/publish.js";
import { collectRetained, type Retained } from "./alerts/reconcile.js";
import { openStore, type Store } from "./alerts/store.js";
import { type Place, statusTopic } from "./alerts/topics.js";
import { type Assembly, assemble } from "./assembly.js";
import type { Clock } from "./base/clock.js";
import { packageVersion } from "./base/files.js";
import type { Log } from "./base/log.js";
import { prng } from "./base/prng.js";
import { Ring } from "./base/ring.js";
import type { Item } from "./base/telemetry.js";
import { Learning } from "./learning.js";
import { type Stages, step } from "./pipeline.js";
import type { Latch } from "./rules/rule.js";
import { ownAlarms } from "./self.js";
import { clientOptions } from "./sensors/mqtt.js";
import { findOrOpen } from "./sensors/recording.js";
import { replaySource } from "./sensors/replay.js";
import type { Source } from "./sensors/source.js";
import {
  countReject,
  type IntakeCounts,
  intakeCounts,
  intakeOf,
  mqttOptions,
  noteLink,
  sourcesOf,
} from "./sources.js";
import type { Health, View } from "./status/view.js";
import { History, healthOf, viewOf } from "./view.js";
import type { Noted } from "./watch.js";

const TICK_ms = 250;
const FLUSH_ms = 2_000;

export type AgentOptions = {
  readonly log: Log;
  readonly clock: Clock;
  /** After every completed tick: what feeds a watchdog. */
  readonly progress?: () => void;
  /** Played live in place of the config's sources. */
  readonly recording?: string;
};

export type Agent = {
  readonly channels: number;
  view(): View;
  health(): Health;
  stop(): Promise<void>;
};

export const placeOf = (config: Config): Place => ({
  root: config.topicRoot,
  site: config.gateway.site,
});

/** The alarm table over an assembly; what `known` has is as the last run left it. */
export function alarmsOf(config: Config, assembly: Assembly, known: Store | null = null): Alarms {
  const options = {
    place: placeOf(config),
    ruleOf: (asset: string, rule: string) => assembly.memberOf(asset)?.watch.rule(rule),
    commissioned: (asset: string) => assembly.memberOf(asset)?.commissioned ?? true,
  };
  return new Alarms(options, known?.load().alarms ?? []);
}

/** Starts everything the config names; resolves once the sources are trying. */
export async function startAgent(config: Config, options: AgentOptions): Promise<Agent> {
  const { log, clock } = options;
  const assembly = assemble(config);
  const started_ms = clock.now();
  const { dir, ...bounds } = config.store;
  const { store } = openStore(dir, { ...bounds, gateway: config.gateway.id }, started_ms);
  const alarms = alarmsOf(config, assembly, store);
  const learning = new Learning(assembly.members, dir, log);
  sayWhatRuns(assembly, log);
  const counts = intakeCounts();
  const history = new History();
  const wishes: Command[] = [];
  const outgoing = startOutgoing(config, alarms, store, counts, wishes, log, clock);
  const ring = new Ring<Item>(config.intake.ring);
  const own = ownAlarms(config.gateway.id, store);
  let ticked_ms = started_ms;

  const settle = (applied: readonly Applied[], changes: readonly Noted[], now_ms: number): void => {
    const all = [...applied];
    for (const { to, what } of own(now_ms)) {
      const moved = alarms.raiseOrClear(to, what);
      if (moved !== null) all.push(moved);
    }
    const latches = changes.map(({ asset, rule }) => {
      const latch = assembly.memberOf(asset)?.watch.latches.get(rule.id);
      return { asset, rule: rule.id, latch: JSON.stringify(latch) };
    });
    const rows = all.map((one) => one.alarm);
    const messages = all.flatMap((one) => one.messages);
    const before = store.trouble?.code;
    const trouble = store.commit({ alarms: rows, latches, messages }, now_ms);
    if (trouble !== null && trouble.code !== before)
      log.error({ code: trouble.code }, trouble.message);
    if (trouble === null && before !== undefined) log.info({}, "the state is written again");
    if (messages.length > 0) outgoing?.publisher.wake();
    for (const one of all) {
      history.note(one);
      say(one, log);
    }
  };
  const commit = (changes: readonly Noted[], now_ms: number): void => {
    const applied = [...changes.flatMap((c) => alarms.apply(c)), ...alarms.expire(now_ms)];
    const answers = wishes
      .splice(0)
      .map((wish) => ({ wish, outcome: alarms.command(wish, now_ms) }));
    for (const { outcome } of answers) if (typeof outcome !== "string") applied.push(outcome);
    settle(applied, changes, now_ms);
    for (const { wish, outcome } of answers) outgoing?.commands.answer(wish, outcome, now_ms);
    learning.tick(now_ms, (asset) => alarms.anyActive(asset));
    ticked_ms = now_ms;
  };
  settle(restore(store, assembly, alarms, config.gateway.id, started_ms), [], started_ms);

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
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (stopped) return;
      if (step(stages, clock.now())) schedule();
      options.progress?.();
    });
  };
  const intake = intakeOf(assembly, counts, log, clock, (item) => {
    ring.push(item);
    schedule();
  });
  for (const watch of assembly.watches) watch.begin(started_ms);
  outgoing?.link.start();
  const sources = liveSources(config, assembly, options);
  try {
    for (const source of sources) await source.start(intake);
  } catch (error) {
    // A half-started agent would keep the process alive and watch nothing.
    stopped = true;
    await Promise.allSettled(sources.map((source) => source.stop()));
    await outgoing?.stop();
    store.close(clock.now());
    throw error;
  }
  const idle = setInterval(schedule, TICK_ms);
  const facts = { config, assembly, alarms, store, counts, history, ring, started_ms };
  return {
    channels: assembly.channels.length,
    view: () => viewOf(facts, clock.now()),
    health: () => healthOf(facts, clock.now(), ticked_ms),
    async stop(): Promise<void> {
      clearInterval(idle);
      for (const source of sources) await source.stop();
      while (step(stages, clock.now()));
      stopped = true;
      await outgoing?.stop();
      learning.close();
      const trouble = store.close(clock.now());
      if (trouble !== null) log.error({ code: trouble.code }, trouble.message);
    },
  };
}

/** What the last run stored: latches go on, and an alarm that has no rule any more ends. */
function restore(
  store: Store,
  assembly: Assembly,
  alarms: Alarms,
  gateway: string,
  now_ms: number,
): Applied[] {
  const { latches } = store.load();
  for (const { asset, rule, latch } of latches) {
    if (alarms.get(asset, rule) === undefined) continue;
    const read = readLatch(latch);
    if (read !== null) assembly.memberOf(asset)?.watch.latches.set(rule, read);
  }
  return [...alarms.all()].flatMap((alarm) => {
    const kept = assembly.memberOf(alarm.asset)?.watch.keeps(alarm.rule) ?? false;
    if (!alarm.active || kept || alarm.asset === gateway) return [];
    return alarms.retire(alarm, now_ms) ?? [];
  });
}

function readLatch(text: string): Latch | null {
  try {
    const { raised, since_ms, onset_ms } = JSON.parse(text) as Latch;
    return typeof raised === "boolean" ? { raised, since_ms, onset_ms } : null;
  } catch {
    return null;
  }
}

type Outgoing = {
  readonly link: Link;
  readonly publisher: Publisher;
  readonly commands: Commands;
  stop(): Promise<void>;
};

function startOutgoing(
  config: Config,
  alarms: Alarms,
  store: Store,
  counts: IntakeCounts,
  wishes: Command[],
  log: Log,
  clock: Clock,
): Outgoing | null {
  const options = mqttOptions(config, "alarms");
  if (options === null) return null;
  const place = placeOf(config);
  const { id } = config.gateway;
  const chance = prng(clock.now(), "alarms");
  const now = (): number => clock.now();
  const link = new Link({
    url: options.url,
    client: clientOptions(options),
    status: gatewayStatus(statusTopic(place, id), id, packageVersion()),
    now,
    random: () => chance.next(),
    report: (up, why) => noteLink(counts, "mqtt-alarms", up, why, now(), log),
  });
  const assets = [...config.assets.map((asset) => asset.id), id];
  const publisher = startPublisher(link, store, now, log);
  const commands = startCommands(link, place, assets, now, (wish) => wishes.push(wish));
  const collected = (retained: readonly Retained[]): void => {
    const { alarms: rows, messages, notes } = alarms.reconcile(retained, now());
    for (const note of notes) log.warn({ note }, "the broker's retained alarms differed from ours");
    if (rows.length + messages.length === 0) return;
    store.commit({ alarms: rows, latches: [], messages }, now());
    publisher.wake();
  };
  const stopCollecting = collectRetained(link, place, assets, collected);
  return {
    link,
    publisher,
    commands,
    async stop(): Promise<void> {
      stopCollecting();
      await publisher.stop(FLUSH_ms);
      await link.stop();
    },
  };
}

function liveSources(
  config: Config,
  assembly: Assembly,
  { recording, log }: AgentOptions,
): Source[] {
  if (recording === undefined) return sourcesOf(config, assembly, "telemetry", log);
  return [replaySource(recording, findOrOpen(assembly.find, assembly.level), 1, log)];
}

function sayWhatRuns({ members, backend: opened }: Assembly, log: Log): void {
  const { backend, skipped, why } = opened;
  log.info(
    { backend: backend.name, tier: backend.tier, skipped, why },
    `models run on ${backend.name}`,
  );
  for (const { config, off, commissioned, stage } of members) {
    const { id, kind } = config;
    if (off.length > 0) log.warn({ asset: id, kind, off }, "some checks are switched off");
    if (!commissioned && stage.learning) {
      log.info({ asset: id, kind, learnt: stage.progress }, "commissioning: it learns its normal");
    } else if (!commissioned) log.warn({ asset: id, kind }, "not commissioned: no baseline");
  }
}

function say({ alarm, transition }: Applied, log: Log): void {
  const { asset, rule, severity, value, limit, suppressedBy } = alarm;
  log.info({ asset, rule, severity, value, limit, suppressedBy }, `alarm ${transition}`);
}
