//! The alarms' way out and what comes back on it: publisher, operators' commands, and what the
//! broker retains. What comes back waits here for the next tick, which alone changes alarms.
import type { Config } from "../config/config.js";
import type { Command } from "./alerts/alarm.js";
import { type Commands, startCommands } from "./alerts/commands.js";
import { gatewayStatus, Link } from "./alerts/link.js";
import { type Publisher, startPublisher } from "./alerts/publish.js";
import { type Collected, collectRetained } from "./alerts/reconcile.js";
import type { Store } from "./alerts/store.js";
import { type Place, statusTopic } from "./alerts/topics.js";
import { type Clock, steady_ms } from "./base/clock.js";
import { packageVersion } from "./base/files.js";
import type { Log } from "./base/log.js";
import { prng } from "./base/prng.js";
import { clientOptions } from "./sensors/mqtt.js";
import { type IntakeCounts, mqttOptions, noteLink } from "./sources.js";

const FLUSH_ms = 2_000;

/** What waits for the next tick. */
export type Inbox = {
  readonly commands: Command[];
  /** The newest reading of what the broker retains. */
  retained: Collected | null;
};

export type Outgoing = {
  readonly inbox: Inbox;
  readonly publisher: Publisher;
  readonly commands: Commands;
  start(): void;
  stop(): Promise<void>;
};

export const placeOf = (config: Config): Place => ({
  root: config.topicRoot,
  site: config.gateway.site,
});

/** Null where the config names no broker. `arrived` is called when the inbox has something new. */
export function openOutgoing(
  config: Config,
  store: Store,
  counts: IntakeCounts,
  log: Log,
  clock: Clock,
  arrived: () => void,
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
  const inbox: Inbox = { commands: [], retained: null };
  const assets = [...config.assets.map((asset) => asset.id), id];
  const publisher = startPublisher(link, store, { now, steady: steady_ms }, log);
  const commands = startCommands(link, place, assets, now, (command) => {
    inbox.commands.push(command);
    arrived();
  });
  const stopCollecting = collectRetained(link, place, assets, (retained) => {
    inbox.retained = retained;
    arrived();
  });
  return {
    inbox,
    publisher,
    commands,
    start: () => link.start(),
    async stop(): Promise<void> {
      stopCollecting();
      await publisher.stop(FLUSH_ms);
      await link.stop();
    },
  };
}
