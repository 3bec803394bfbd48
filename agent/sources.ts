//! The sources that a config names, and the intake that they push into. The daemon and `record`
//! share both.
import { join } from "node:path";
import type { Config } from "../config/config.js";
import type { Assembly } from "./assembly.js";
import type { Clock } from "./base/clock.js";
import type { Log } from "./base/log.js";
import type { Intake, Item, Reject } from "./base/telemetry.js";
import { type MqttOptions, mqttSource } from "./sensors/mqtt.js";
import { opcuaSource } from "./sensors/opcua.js";
import { isPlantKind } from "./sensors/plants/kinds.js";
import { simulatedSource } from "./sensors/simulated.js";
import type { Source } from "./sensors/source.js";

const SIMULATED = { seed: 1, speed: 1, blockEvery_ms: 2_000, injections: [] };

export type LinkState = { readonly up: boolean; readonly why: string; readonly since_ms: number };

/** What happened at the intake, for the page, the metrics and the log. */
export type IntakeCounts = {
  items: number;
  readonly rejects: Map<Reject, number>;
  readonly links: Map<string, LinkState>;
  /** Channels that cannot be used until the cause is mended, and that cause. */
  readonly refused: Map<number, string>;
};

export function intakeCounts(): IntakeCounts {
  return { items: 0, rejects: new Map(), links: new Map(), refused: new Map() };
}

/** Counts a reject; the log has the first and then every tenfold: named at once, never a flood. */
export function countReject(counts: IntakeCounts, reason: Reject, where: string, log: Log): void {
  const count = (counts.rejects.get(reason) ?? 0) + 1;
  counts.rejects.set(reason, count);
  if (/^10*$/.test(String(count))) log.warn({ reason, where, count }, "input not used");
}

export function intakeOf(
  assembly: Assembly,
  counts: IntakeCounts,
  log: Log,
  clock: Clock,
  push: (item: Item) => void,
): Intake {
  const nameOf = (id: number): string => {
    const channel = assembly.channels[id];
    return channel === undefined ? String(id) : `${channel.asset}/${channel.name}`;
  };
  return {
    push(item) {
      counts.items += 1;
      push(item);
    },
    reject: (reason, _, where) => countReject(counts, reason, where, log),
    level(channel, text) {
      const id = assembly.level(channel, text);
      if (id === null) {
        countReject(counts, "too-many-levels", `${nameOf(channel)}.${text}`, log);
      }
      return id;
    },
    link(name, up, why) {
      noteLink(counts, name, up, why, clock.now(), log);
    },
    refuse(channel, why) {
      counts.refused.set(channel, why);
      log.error({ channel: nameOf(channel) }, why);
    },
    now: () => clock.now(),
  };
}

/** Keeps the state of a connection and says each change of it, and each new reason, once. */
export function noteLink(
  counts: IntakeCounts,
  name: string,
  up: boolean,
  why: string,
  now_ms: number,
  log: Log,
): void {
  const known = counts.links.get(name);
  if (known?.up === up && known.why === why) return;
  const since_ms = known?.up === up ? known.since_ms : now_ms;
  counts.links.set(name, { up, why, since_ms });
  if (up) log.info({ link: name }, `${name} is connected`);
  else log.warn({ link: name, why }, `${name} is not connected; trying on`);
}

/** The role keeps the connections of one gateway apart: a broker drops the older of two equals. */
export function mqttOptions(config: Config, role: string): MqttOptions | null {
  const { mqtt, gateway } = config;
  if (mqtt === null) return null;
  return { ...mqtt, clientId: `${mqtt.clientId ?? gateway.id}-${role}` };
}

export function sourcesOf(config: Config, assembly: Assembly, role: string, log: Log): Source[] {
  return [
    ...mqttSources(config, assembly, role, log),
    ...opcuaSources(config, assembly, log),
    ...simulatedSources(assembly, log),
  ];
}

function mqttSources(config: Config, assembly: Assembly, role: string, log: Log): Source[] {
  const options = mqttOptions(config, role);
  const bound = assembly.channels.flatMap((channel) => {
    const { binding } = assembly.configOf(channel.id);
    return binding.via === "mqtt" ? [{ channel, binding }] : [];
  });
  return options === null || bound.length === 0 ? [] : [mqttSource(options, bound, log)];
}

function opcuaSources(config: Config, assembly: Assembly, log: Log): Source[] {
  const pki_dir = join(config.store.dir, "pki");
  return Object.entries(config.opcua).flatMap(([server, options]) => {
    const bound = assembly.channels.flatMap((channel) => {
      const { binding, unitStated } = assembly.configOf(channel.id);
      const own = binding.via === "opcua" && binding.server === server;
      return own ? [{ channel, ...binding, unitStated }] : [];
    });
    return bound.length === 0 ? [] : [opcuaSource(server, options, bound, log, pki_dir)];
  });
}

function simulatedSources(assembly: Assembly, log: Log): Source[] {
  return assembly.members.flatMap(({ config: { id, kind } }) => {
    const bound = assembly.channels.flatMap((channel) => {
      const { binding } = assembly.configOf(channel.id);
      const own = channel.asset === id && binding.via === "simulated";
      return own ? [{ channel, port: binding.port }] : [];
    });
    if (bound.length === 0) return [];
    if (isPlantKind(kind)) return [simulatedSource({ asset: id, kind, ...SIMULATED }, bound)];
    log.error({ asset: id, kind }, "no machine of this kind can be simulated");
    return [];
  });
}
