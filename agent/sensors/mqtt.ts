//! Telemetry in over MQTT 3.1.1 or 5. mqtt.js alone reconnects, once a fixed period;
//! this file subscribes again on every connect and hands payloads to decode.ts, nothing more.
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Log } from "../base/log.js";
import type { Channel, Intake } from "../base/telemetry.js";
import { type Decoding, decodeJson, decodeNumber, parseJson } from "./decode.js";
import type { Source } from "./source.js";
import { isPattern, levelOf } from "./topic.js";

export type MqttOptions = {
  readonly url: string;
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly keepalive_s: number;
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly rejectUnauthorized: boolean;
  };
};

export type MqttChannel = {
  readonly channel: Channel;
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly decoding: Decoding;
};

const RECONNECT_ms = 1_000;
const CONNECT_TIMEOUT_ms = 10_000;

/** Options of every MQTT connection of the agent, sources and publisher alike. */
export function clientOptions(options: MqttOptions): IClientOptions {
  const { tls } = options;
  return {
    protocolVersion: options.protocolVersion,
    clientId: options.clientId,
    keepalive: options.keepalive_s,
    reconnectPeriod: RECONNECT_ms,
    // Without it mqtt.js gives up for good after one refusal, e.g. while a broker is loading users.
    reconnectOnConnackError: true,
    connectTimeout: CONNECT_TIMEOUT_ms,
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(options.username === null ? {} : { username: options.username }),
    ...(options.password === null ? {} : { password: options.password }),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
  };
}

/** Nagle costs a 40 ms tail at QoS 1, and mqtt.js never switches it off. */
export function setNoDelay(client: MqttClient): void {
  const stream = client.stream as { setNoDelay?: (on: boolean) => void };
  stream.setNoDelay?.(true);
}

export function mqttSource(
  options: MqttOptions,
  channels: readonly MqttChannel[],
  log: Log,
): Source {
  const exact = new Map<string, MqttChannel[]>();
  const patterns = channels.filter((c) => isPattern(c.topic));
  for (const bound of channels) {
    if (isPattern(bound.topic)) continue;
    exact.set(bound.topic, [...(exact.get(bound.topic) ?? []), bound]);
  }
  const levels = new Map<string, MqttChannel[]>();
  let client: MqttClient | null = null;

  /** The channels of a topic; those of patterns are found once and kept, up to the level bound. */
  const boundTo = (topic: string, intake: Intake): MqttChannel[] => {
    const known = exact.get(topic) ?? levels.get(topic);
    if (known !== undefined && patterns.length === 0) return known;
    const cached = levels.get(topic);
    if (cached !== undefined) return cached;
    const found = [...(exact.get(topic) ?? [])];
    let complete = true;
    for (const bound of patterns) {
      const level = levelOf(bound.topic, topic);
      if (level === null) continue;
      const id = intake.level(bound.channel.id, level);
      if (id === null) {
        intake.reject("too-many-levels", bound.channel.id, topic);
        complete = false;
        continue;
      }
      found.push({ ...bound, channel: { ...bound.channel, id } });
    }
    if (complete && found.length > 0) levels.set(topic, found);
    else if (complete) intake.reject("unknown-topic", null, topic);
    return found;
  };

  const onMessage = (intake: Intake, topic: string, payload: Uint8Array): void => {
    const at_ms = intake.now();
    let json: ReturnType<typeof parseJson> | null = null;
    for (const { channel, decoding } of boundTo(topic, intake)) {
      if (decoding.codec === "number") {
        decodeNumber(channel, payload, at_ms, intake, topic);
        continue;
      }
      json ??= parseJson(payload);
      if (typeof json === "string") intake.reject(json, channel.id, topic);
      else decodeJson(channel, decoding, json.json, at_ms, intake, topic);
    }
  };

  return {
    name: "mqtt",
    async start(intake): Promise<void> {
      const filters = Object.fromEntries(channels.map((c) => [c.topic, { qos: c.qos }]));
      client = mqtt.connect(options.url, { ...clientOptions(options), resubscribe: false });
      const connection = client;
      let why = "not connected yet";
      connection.on("connect", () => {
        setNoDelay(connection);
        connection.subscribe(filters, (error) => {
          if (error) log.warn({ error: error.message }, "the broker refused a subscription");
          intake.link("mqtt", true, "");
        });
      });
      connection.on("error", (error) => {
        why = error.message === "" ? String((error as { code?: unknown }).code) : error.message;
        intake.link("mqtt", false, `${options.url}: ${why}`);
      });
      connection.on("close", () => intake.link("mqtt", false, `${options.url}: ${why}`));
      connection.on("message", (topic, payload) => onMessage(intake, topic, payload));
    },
    async stop(): Promise<void> {
      await client?.endAsync(true);
    },
  };
}
