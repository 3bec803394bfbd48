//! Telemetry in over MQTT 3.1.1 or 5. mqtt.js alone reconnects: this file sets the waits between
//! its attempts, subscribes again on every connect, and hands payloads on. Nothing waits here.
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { OperatingError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { prng } from "../base/prng.js";
import type { Intake } from "../base/telemetry.js";
import { decode } from "./decode.js";
import { type Deliver, readPublishes } from "./publishes.js";
import { type MqttChannel, router, subscriptionsOf } from "./route.js";
import type { Source } from "./source.js";
import { bare, covers } from "./topic.js";

export type { MqttChannel } from "./route.js";

export type MqttOptions = {
  readonly url: string;
  /** 4 is MQTT 3.1.1, 5 is MQTT 5. */
  readonly protocolVersion: 4 | 5;
  readonly clientId: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly keepalive_s: number;
  /** PEM text, not file names. */
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly rejectUnauthorized: boolean;
  };
};

const NAME = "mqtt";
const RETRY_FIRST_ms = 500;
const RETRY_MOST_ms = 15_000;
const CONNECT_TIMEOUT_ms = 10_000;
// Copies of one message leave the broker together; the same bytes later are news again.
const COPY_ms = 50;

/** Wait before the next attempt after so many failed ones; `chance` in [0, 1) spreads a fleet. */
export function retryWait_ms(failures: number, chance: number): number {
  const longest = Math.min(RETRY_MOST_ms, RETRY_FIRST_ms * 2 ** Math.min(failures, 16));
  return Math.ceil(longest * (0.5 + 0.5 * chance));
}

/** Options of an MQTT connection of the agent; `keepRetrying` adds the waits. */
export function clientOptions(options: MqttOptions): IClientOptions {
  const { tls } = options;
  return {
    protocolVersion: options.protocolVersion,
    keepalive: options.keepalive_s,
    connectTimeout: CONNECT_TIMEOUT_ms,
    reconnectPeriod: RETRY_FIRST_ms,
    // Without this mqtt.js gives up for good when a broker that is starting refuses it once.
    reconnectOnConnackError: true,
    resubscribe: false,
    // A table of all 65,536 packet ids costs 10 MB and saves nothing that can be measured.
    writeCache: false,
    // Its own would make an array of the arguments of each call, for a log that nobody has opened.
    log: () => {},
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(options.clientId === null ? {} : { clientId: options.clientId }),
    ...(options.username === null ? {} : { username: options.username }),
    ...(options.password === null ? {} : { password: options.password }),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
  };
}

/** mqtt.js retries at a fixed period; this sets the period of the next attempt, bounded. */
function keepRetrying(client: MqttClient, seed: number): void {
  const chance = prng(seed, NAME);
  let failures = 0;
  const wait = (): void => {
    client.options.reconnectPeriod = retryWait_ms(failures, chance.next());
  };
  wait();
  client.on("reconnect", () => {
    failures += 1;
    wait();
  });
  client.on("connect", () => {
    failures = 0;
    wait();
  });
}

/** Nagle costs a 40 ms tail at QoS 1, and mqtt.js never switches it off. */
function setNoDelay(client: MqttClient): void {
  const stream = client.stream as { setNoDelay?: (on: boolean) => void }; // a websocket has none
  stream.setNoDelay?.(true);
}

/** The broker's address without the user and password that an URL can carry. */
function addressOf(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

/** What went wrong, and what to do where that is known. Never the password. */
export function explain(error: Error & { readonly code?: unknown }, user: string | null): string {
  const { code } = error;
  // Reason codes of CONNACK: 3.1.1 says 4 and 5, MQTT 5 says 134 and 135.
  if (code === 4 || code === 5 || code === 134 || code === 135) {
    if (user === null) return "the broker wants a user name: set mqtt.username and passwordFile";
    return `the broker refuses the user name or password of "${user}": check both with its owner`;
  }
  if (code === 1 || code === 132) {
    return "the broker does not speak this version of MQTT: set mqtt.version";
  }
  if (typeof code === "string" && /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) {
    return `${error.message}: set mqtt.ca to the authority that signed the broker's certificate`;
  }
  // The error of a name with several addresses has no message of its own.
  return error.message === "" ? String(code ?? "unknown error") : error.message;
}

/** Telemetry of every channel bound to a topic, over one connection. */
export function mqttSource(
  options: MqttOptions,
  channels: readonly MqttChannel[],
  log: Log,
): Source {
  const filters = subscriptionsOf(channels);
  let client: MqttClient | null = null;

  const start = async (intake: Intake): Promise<void> => {
    const address = addressOf(options.url);
    const connection = connect(options, address);
    client = connection;
    keepRetrying(connection, intake.now());
    let last = "";
    const say = (up: boolean, why: string): void => {
      if (connection.disconnecting || `${up}${why}` === last) return;
      last = `${up}${why}`;
      intake.link(NAME, up, why);
    };
    let why = "";
    connection.on("connect", () => {
      setNoDelay(connection);
      why = "";
      subscribe(connection, filters, channels, intake, log, () => say(true, address));
    });
    connection.on("error", (error) => {
      why = explain(error, options.username);
    });
    connection.on("disconnect", (packet) => {
      why = `the broker said goodbye with reason ${packet.reasonCode}`; // 142: client id taken over
    });
    connection.on("close", () => {
      say(false, `${address}: ${why === "" ? "the connection was closed" : why}`);
    });
    const receive = receiver(connection, filters, channels, intake);
    connection.on("message", (topic, payload, { retain }) => receive(topic, payload, retain));
    let stream: unknown = null;
    const ahead = (): void => {
      if (connection.stream !== stream) readAhead(connection, options.protocolVersion, receive);
      stream = connection.stream;
    };
    ahead();
    // mqtt.js goes on to make the stream of the next attempt: a tick later nothing was read of it.
    connection.on("reconnect", () => process.nextTick(ahead));
  };

  return {
    name: NAME,
    start,
    async stop(): Promise<void> {
      await client?.endAsync(true);
      client = null;
    },
  };
}

function connect(options: MqttOptions, address: string): MqttClient {
  try {
    return mqtt.connect(options.url, clientOptions(options));
  } catch (error) {
    // Only what can never work throws: a key that is none, a scheme that is none.
    const what = error instanceof Error ? error.message : String(error);
    throw new OperatingError("mqtt-unusable", `${address}: ${what}; check mqtt.url and TLS`, error);
  }
}

/** Takes the packets of QoS 0 out of what mqtt.js is about to read of its stream. */
function readAhead(client: MqttClient, protocolVersion: 4 | 5, receive: Deliver): void {
  const { stream } = client;
  const listeners = stream.listeners("data");
  // It has one. Were that otherwise it would get all, and be slower.
  if (listeners.length !== 1) return;
  const read = listeners[0] as (bytes: Buffer) => void; // an emitter knows no types
  stream.off("data", read);
  stream.on("data", readPublishes(protocolVersion, receive, read));
}

/** Subscribes one by one, so that a refusal names its topic; `done` when all were answered. */
function subscribe(
  client: MqttClient,
  filters: ReadonlyMap<string, 0 | 1>,
  channels: readonly MqttChannel[],
  intake: Intake,
  log: Log,
  done: () => void,
): void {
  let waiting = filters.size;
  if (waiting === 0) done();
  for (const [filter, qos] of filters) {
    client.subscribe(filter, { qos }, (error) => {
      if (!client.connected) return; // asked again on the next connect
      waiting -= 1;
      if (error) {
        const why = `the broker refuses the subscription to "${filter}": allow it in its ACL`;
        log.warn({ topic: filter, error: error.message }, why);
        for (const { channel, binding } of channels) {
          if (covers(filter, bare(binding.topic))) intake.refuse(channel.id, why);
        }
      }
      if (waiting === 0) done();
    });
  }
}

function receiver(
  client: MqttClient,
  filters: ReadonlyMap<string, 0 | 1>,
  channels: readonly MqttChannel[],
  intake: Intake,
): Deliver {
  const routeOf = router(channels, filters);
  type Seen = { topic: string; payload: Uint8Array; r_ms: number; copies: number };
  let seen: Seen = { topic: "", payload: new Uint8Array(0), r_ms: 0, copies: 0 };
  return (topic, payload, retained) => {
    if (client.disconnecting) return;
    const r_ms = intake.now();
    const route = routeOf(topic, intake);
    if (route === null) return;
    if (route.copies > 1) {
      // [MQTT-3.3.5-1]: a broker may send a message once for each subscription it matches.
      const same = topic === seen.topic && payload.equals(seen.payload);
      const copies = same && r_ms - seen.r_ms < COPY_ms ? seen.copies + 1 : 1;
      const first = copies === 1 || copies > route.copies;
      seen = { topic, payload, r_ms, copies: first ? 1 : copies };
      if (!first) return;
    }
    decode(route.targets, { topic, payload, r_ms, retained }, intake);
  };
}
