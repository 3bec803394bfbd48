//! A source of MQTT under test, and the broker and publisher it meets.
import mqtt, { type MqttClient } from "mqtt";
import { afterEach } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import type { MqttBinding } from "../../agent/sensors/decode.js";
import { type MqttChannel, type MqttOptions, mqttSource } from "../../agent/sensors/mqtt.js";
import { type Broker, type BrokerOptions, startMosquitto } from "../fixtures/mosquitto.js";
import { channel, Kept, waveform } from "./intake.js";

export const OPTIONS: MqttOptions = {
  url: "",
  protocolVersion: 4,
  clientId: null,
  username: null,
  password: null,
  keepalive_s: 30,
  tls: { ca: null, cert: null, key: null, rejectUnauthorized: true },
};

/** Run after each test, the last first. */
export const cleanups: (() => Promise<unknown>)[] = [];
/** Call at the top of a file of tests. */
export function eachCleansUp(): void {
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });
}

export async function broker(options?: BrokerOptions): Promise<Broker> {
  const peer = await startMosquitto(options);
  cleanups.push(() => peer.close());
  return peer;
}

export function bound(topic: string, over: Partial<MqttBinding> = {}, id = 0): MqttChannel {
  const binding: MqttBinding = {
    topic,
    qos: 0,
    codec: "number",
    path: null,
    time: null,
    unitPath: null,
    timeUnit: "ms",
    ...over,
  };
  const shape = over.codec === "block" ? waveform({ id }) : channel({ id });
  return { channel: { ...shape, pattern: /[+#]/.test(topic) }, binding };
}

export async function started(
  options: Partial<MqttOptions>,
  channels: MqttChannel[],
): Promise<Kept> {
  const intake = new Kept();
  const source = mqttSource({ ...OPTIONS, ...options }, channels, silentLog);
  cleanups.push(() => source.stop());
  await source.start(intake);
  return intake;
}

export async function publisher(url: string): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url);
  cleanups.push(() => client.endAsync(true));
  return client;
}

/** Waits for what must come; the test's own limit ends it when it does not. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setTimeout(next, 5));
}

export const isUp = (intake: Kept) => (): boolean => intake.links.at(-1)?.up === true;
export const celsius = (intake: Kept): number[] => intake.samples.map((s) => s.value - 273.15);
