//! The composition root: the only file that constructs. It joins an assembly with its alarms, the
//! store and the publisher, and fixes the order of start and stop.
import { join } from "node:path";
import type { Config } from "../config/config.js";
import type { Alarm, Occurrence } from "./alerts/alarm.js";
import { type Moved, move } from "./alerts/lifecycle.js";
import { messagesOf, type Place, transitionDocument } from "./alerts/message.js";
import { type Publisher, startPublisher } from "./alerts/publish.js";
import { type Batch, openStore, type Store } from "./alerts/store.js";
import { type Assembly, assemble } from "./assembly.js";
import type { Clock } from "./base/clock.js";
import { OperatingError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import { Ring } from "./base/ring.js";
import type { Intake, Item, Reject } from "./base/telemetry.js";
import { type Stages, step } from "./pipeline.js";
import type { Change, Latch } from "./rules/rule.js";
import { parsePath } from "./sensors/decode.js";
import { clientOptions, type MqttOptions, mqttSource } from "./sensors/mqtt.js";
import { opcuaSource } from "./sensors/opcua.js";
import type { Source } from "./sensors/source.js";
import { valueIn } from "./units/format.js";

const TICK_ms = 250;
const STORE_RETRY_ms = 1_000;
/** Transitions kept in memory while the disk refuses; beyond, the process ends and says why. */
const UNSTORED_MAX = 10_000;

export const placeOf = (config: Config): Place => ({
  root: config.topicRoot,
  site: config.gateway.site,
});

/** Turns changes into alarms; pure but for the table it keeps. */
export class Alarms {
  readonly #table = new Map<string, Alarm>();
  readonly #place: Place;

  constructor(place: Place, known: readonly Alarm[] = []) {
    this.#place = place;
    for (const alarm of known) this.#table.set(`${alarm.asset}/${alarm.rule}`, alarm);
  }

  active(): Alarm[] {
    return [...this.#table.values()].filter((alarm) => alarm.active);
  }

  /** One change: the moved alarm with its transition, null when the alarm already is so. */
  apply(change: Change): { alarm: Alarm; document: string; messages: Batch["messages"] } | null {
    const known = this.#table.get(`${change.asset}/${change.rule.id}`);
    return this.#keep(move(known, change.to, this.#occurrence(change)));
  }

  /** Ends an alarm whose rule the config no longer has: nobody else ever would. */
  retire(alarm: Alarm, at_ms: number): ReturnType<Alarms["apply"]> {
    const times = { detected_ms: at_ms, source_ms: at_ms };
    return this.#keep(move(alarm, "clear", { ...alarm, ...times, marks: ["rule-removed"] }));
  }

  #keep(moved: Moved | null): ReturnType<Alarms["apply"]> {
    if (moved === null) return null;
    const { alarm, transition } = moved;
    this.#table.set(`${alarm.asset}/${alarm.rule}`, alarm);
    return {
      alarm,
      document: transitionDocument(alarm, transition, this.#place),
      messages: messagesOf(alarm, transition, this.#place),
    };
  }

  #occurrence(change: Change): Occurrence {
    const { rule, value, limit } = change;
    const unit = rule.on.shown?.unit ?? "1";
    return {
      asset: change.asset,
      rule: rule.id,
      ruleVersion: rule.version,
      class: rule.class,
      severity: rule.severity,
      text: rule.text,
      action: rule.action,
      quality: "good",
      tier: "exact",
      marks: [],
      value: value === null ? null : { v: valueIn(value, unit), u: unit },
      limit: limit === null ? null : { v: valueIn(limit, unit), u: unit, source: rule.source },
      expected: null,
      model: null,
      evidence: [rule.when, ...change.stale.map((name) => `${name} is stale`)],
      onset_ms: change.onset_ms,
      detected_ms: change.detected_ms,
      source_ms: change.source_ms,
    };
  }
}

export type Agent = { stop(): Promise<void> };

/** Starts everything the config names; resolves once the sources are trying. */
export async function startAgent(config: Config, log: Log, clock: Clock): Promise<Agent> {
  const assembly = assemble(config);
  const { store, moved } = openStore(config.store.dir, config.store, clock.now());
  if (moved !== null) log.error({ moved }, "the stored state was damaged or not ours: moved aside");
  const alarms = restore(store, assembly, config, clock.now());
  const publisher = config.mqtt === null ? null : publish(config, store, log, clock);
  const ring = new Ring<Item>(config.intake.ring);
  const rejects = new Map<Reject, number>();
  let scheduled = false;
  let stopped = false;

  const unstored: Batch[] = [];
  let refused_ms = Number.NEGATIVE_INFINITY;
  const commit = (changes: readonly Change[], now_ms: number): void => {
    const batch = batchOf(changes, alarms, assembly, log);
    if (batch !== null) unstored.push(batch);
    if (unstored.length === 0 || now_ms < refused_ms + STORE_RETRY_ms) return;
    try {
      while (unstored[0] !== undefined) {
        store.commit(unstored[0], now_ms);
        unstored.shift();
      }
      publisher?.wake();
    } catch (error) {
      // Kept, and tried again each second: an alarm counts as raised only once it is stored.
      if (!(error instanceof OperatingError) || unstored.length > UNSTORED_MAX) throw error;
      refused_ms = now_ms;
      log.error({ code: error.code, waiting: unstored.length }, error.message);
    }
  };
  const reject = (reason: Reject, where: string): void => {
    const count = (rejects.get(reason) ?? 0) + 1;
    rejects.set(reason, count);
    // The first, then every tenfold: named at once, and never a flood in the journal.
    if (/^10*$/.test(String(count))) log.warn({ reason, where, count }, "input not used");
  };
  const stages: Stages = {
    intake: ring,
    watchOf: (channel) => assembly.watchOf(channel),
    watches: assembly.watches,
    limits: config.time,
    reject: (reason, channel) => reject(reason, assembly.channels[channel]?.name ?? "?"),
    record: null,
    commit,
  };
  const tick = (): void => {
    scheduled = false;
    if (!stopped && step(stages, clock.now())) schedule();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(tick);
  };
  const links = new Map<string, boolean>();
  const intake: Intake = {
    push(item) {
      ring.push(item);
      schedule();
    },
    reject: (reason, _, where) => reject(reason, where),
    level: (channel, text) => assembly.level(channel, text),
    link(name, up, why) {
      if (links.get(name) === up) return;
      links.set(name, up);
      if (up) log.info({ link: name }, `${name} is connected`);
      else log.warn({ link: name, why }, `${name} is not connected; trying on`);
    },
    refuse: (channel, why) => log.error({ channel: assembly.channels[channel]?.name }, why),
    now: () => clock.now(),
  };
  const sources = sourcesOf(config, assembly, log);
  for (const source of sources) await source.start(intake);
  const idle = setInterval(schedule, TICK_ms);
  return {
    async stop(): Promise<void> {
      clearInterval(idle);
      for (const source of sources) await source.stop();
      while (step(stages, clock.now()));
      stopped = true;
      await publisher?.stop();
      store.close();
    },
  };
}

/** What the last run stored: alarms go on, latches too, and what has no rule any more ends. */
function restore(store: Store, assembly: Assembly, config: Config, now_ms: number): Alarms {
  const known = store.load();
  const alarms = new Alarms(placeOf(config), known.alarms);
  const rows = new Map(known.latches.map((row) => [`${row.asset}/${row.rule}`, row.latch]));
  for (const { asset, rule } of known.alarms) {
    const watch = assembly.watches.find((w) => w.id === asset);
    const latch = rows.get(`${asset}/${rule}`);
    if (watch !== undefined && latch !== undefined) {
      watch.latches.set(rule, JSON.parse(latch) as Latch);
    }
  }
  const ended = alarms.active().flatMap((alarm) => {
    const watch = assembly.watches.find((w) => w.id === alarm.asset);
    if (watch?.keeps(alarm.rule)) return [];
    const moved = alarms.retire(alarm, now_ms);
    return moved === null ? [] : [moved];
  });
  store.commit(
    { alarms: ended.map((e) => e.alarm), latches: [], messages: ended.flatMap((e) => e.messages) },
    now_ms,
  );
  return alarms;
}

function batchOf(
  changes: readonly Change[],
  alarms: Alarms,
  assembly: Assembly,
  log: Log,
): Batch | null {
  if (changes.length === 0) return null;
  const latches = changes.map(({ asset, rule }) => {
    const watch = assembly.watches.find((w) => w.id === asset);
    return { asset, rule: rule.id, latch: JSON.stringify(watch?.latches.get(rule.id)) };
  });
  const moved = changes.flatMap((change) => alarms.apply(change) ?? []);
  for (const { alarm } of moved) {
    const { asset, rule, severity, value, limit, active } = alarm;
    log.info({ asset, rule, severity, value, limit }, active ? "alarm raised" : "alarm cleared");
  }
  return {
    alarms: moved.map((m) => m.alarm),
    latches,
    messages: moved.flatMap((m) => m.messages),
  };
}

function mqttOptions(config: Config, role: string): MqttOptions | null {
  const { mqtt, gateway } = config;
  if (mqtt === null) return null;
  return { ...mqtt, clientId: `${mqtt.clientId ?? gateway.id}-${role}` };
}

function publish(config: Config, store: Store, log: Log, clock: Clock): Publisher | null {
  const options = mqttOptions(config, "alarms");
  if (options === null) return null;
  const { root, site } = placeOf(config);
  const since = new Date(clock.now()).toISOString();
  const status = {
    topic: `${root}/${site}/${config.gateway.id}/status`,
    online: JSON.stringify({ online: true, since }),
    offline: JSON.stringify({ online: false }),
  };
  return startPublisher(options.url, clientOptions(options), store, status, log);
}

function sourcesOf(config: Config, assembly: Assembly, log: Log): Source[] {
  return [...mqttSources(config, assembly, log), ...opcuaSources(config, assembly, log)];
}

function opcuaSources(config: Config, assembly: Assembly, log: Log): Source[] {
  const pki_dir = join(config.store.dir, "pki");
  return Object.entries(config.opcua).flatMap(([server, options]) => {
    const bound = assembly.channels.flatMap((channel) => {
      const { binding } = assembly.configOf(channel.id);
      return binding.via === "opcua" && binding.server === server ? [{ channel, ...binding }] : [];
    });
    return bound.length === 0 ? [] : [opcuaSource(server, options, bound, log, pki_dir)];
  });
}

function mqttSources(config: Config, assembly: Assembly, log: Log): Source[] {
  const options = mqttOptions(config, "telemetry");
  const bound = assembly.channels.flatMap((channel) => {
    const { binding } = assembly.configOf(channel.id);
    if (binding.via !== "mqtt" || binding.codec === "block") return [];
    const { topic, qos, codec, timeUnit } = binding;
    const path = (text: string | null) => (text === null ? null : parsePath(text));
    const decoding = {
      codec,
      path: path(binding.path),
      time: path(binding.time),
      unitPath: path(binding.unitPath),
      timeUnit,
    };
    return [{ channel, topic, qos, decoding }];
  });
  return options === null || bound.length === 0 ? [] : [mqttSource(options, bound, log)];
}
