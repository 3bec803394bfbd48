//! A process of its own: publishes telemetry at a fixed rate and takes the alarms in, so that both
//! ends of a latency are read off one clock, outside of whatever is being measured. Packets are
//! encoded by hand onto the socket of an mqtt.js client, which leaves the core to the others.
import mqtt, { type MqttClient } from "mqtt";

export type Load = {
  readonly url: string;
  /** Messages each second, over so many channels, of so many samples each. */
  readonly rate: number;
  readonly channels: number;
  readonly batch: number;
  /** Channels that cross their limit each second, and so alarms. */
  readonly flips: number;
  readonly warm_s: number;
  readonly run_s: number;
};

export type Loaded = {
  readonly sent: number;
  /** Messages each second that really went out. */
  readonly rate: number;
  /** publish -> alarm received, in order of sending, after the warm-up. */
  readonly latencies_ms: number[];
  /** Flips whose alarm never came, warm-up included. */
  readonly missing: number;
  /** From the last message sent until the last alarm was in. */
  readonly drain_ms: number;
  /** Messages the broker says it dropped; null: it did not say. */
  readonly brokerDropped: number | null;
};

const DRAIN_ms = 5_000;
const READY_ms = 20_000;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => performance.timeOrigin + performance.now();

/** PUBLISH, QoS 0 [MQTT-3.3]. */
export function publishPacket(topic: string, payload: string): Buffer {
  const body = Buffer.byteLength(topic) + 2 + Buffer.byteLength(payload);
  const length: number[] = [];
  for (let rest = body; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    length.push(rest > 0 ? low | 0x80 : low);
    if (rest === 0) break;
  }
  const packet = Buffer.allocUnsafe(1 + length.length + body);
  packet[0] = 0x30;
  packet.set(length, 1);
  const at = packet.writeUInt16BE(Buffer.byteLength(topic), 1 + length.length);
  packet.write(payload, at + packet.write(topic, at));
  return packet;
}

async function connect(url: string): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url);
  const stream = client.stream as { setNoDelay?: (on: boolean) => void };
  stream.setNoDelay?.(true);
  return client;
}

class Channels {
  readonly #load: Load;
  readonly #high: boolean[];
  readonly sent_ms: (number | null)[];
  readonly latencies: { at: number; ms: number }[] = [];
  readonly #texts = new Map<number, string>();
  #count = 0;

  constructor(load: Load) {
    this.#load = load;
    this.#high = new Array<boolean>(load.channels).fill(false);
    this.sent_ms = new Array<number | null>(load.channels).fill(null);
  }

  packet(channel: number, flip: boolean, measured: boolean): Buffer {
    const at = now();
    if (flip) {
      this.#high[channel] = !this.#high[channel];
      if (measured) this.sent_ms[channel] = at;
    }
    this.#count += 1;
    const level = this.#high[channel] ? 20 : 10;
    const values = this.#values(level, this.#count % 97);
    return publishPacket(`bench/c${channel}`, `{"ts":${at.toFixed(3)},${values}}`);
  }

  /** Remembered, or printing numbers would be the generator's main work. */
  #values(level: number, phase: number): string {
    const key = level * 100 + phase;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const value = (i: number) => (level + ((phase + i) % 97) / 100).toFixed(2);
    const { batch } = this.#load;
    const list = Array.from({ length: batch }, (_, i) => value(i)).join(",");
    const text = batch === 1 ? `"v":${value(0)}` : `"dt":0,"v":[${list}]`;
    this.#texts.set(key, text);
    return text;
  }

  received(channel: number): void {
    const sent = this.sent_ms[channel];
    if (sent === null || sent === undefined) return;
    this.sent_ms[channel] = null;
    this.latencies.push({ at: sent, ms: now() - sent });
  }
}

async function run(load: Load): Promise<Loaded> {
  const sink = await connect(load.url);
  const source = await connect(load.url);
  const state = new Channels(load);
  let heard = false;
  let brokerDropped: number | null = null;
  sink.on("message", (topic, payload) => {
    if (topic.startsWith("$SYS")) {
      brokerDropped = Number(payload.toString());
      return;
    }
    heard = true;
    const channel = /-c(\d+)\/event$/.exec(topic)?.[1];
    if (channel !== undefined) state.received(Number(channel));
  });
  await sink.subscribeAsync(
    ["sterna/v1/bench/line/alarm/+/event", "$SYS/broker/publish/messages/dropped"],
    { qos: 1 },
  );
  // The last channel tells when the other side listens; it is left alone afterwards.
  const limit = now() + READY_ms;
  while (!heard) {
    if (now() > limit) throw new Error("no alarm within 20 s: the other side does not listen");
    source.stream.write(state.packet(load.channels - 1, true, false));
    await wait(100);
  }
  await wait(300);

  const total = load.rate * (load.warm_s + load.run_s);
  const every = Math.round(load.rate / load.flips);
  const used = load.channels - 1;
  const begin = now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((now() - begin) * load.rate) / 1_000));
    const packets: Buffer[] = [];
    // At most a few ms at once: a generator that was held up must not make a flood of it.
    const most = Math.min(due, sent + Math.ceil(load.rate / 200));
    for (; sent < most; sent++) {
      const flip = sent % every === 0;
      const channel = (flip ? sent / every : sent) % used;
      packets.push(state.packet(channel, flip && state.sent_ms[channel] === null, true));
    }
    if (packets.length > 0) source.stream.write(Buffer.concat(packets));
    await (source.stream.writableLength > 1_000_000 ? wait(2) : wait(1));
  }
  const end = now();
  const open = () => state.sent_ms.filter((sent) => sent !== null).length;
  while (open() > 0 && now() < end + DRAIN_ms) await wait(5);
  const drain_ms = now() - end;
  await wait(1_500); // two intervals of $SYS
  const warm = begin + load.warm_s * 1_000;
  const kept = state.latencies.filter(({ at }) => at >= warm);
  await source.endAsync(true);
  await sink.endAsync(true);
  return {
    sent: total,
    rate: (total * 1_000) / (end - begin),
    latencies_ms: kept.map(({ ms }) => ms),
    missing: open(),
    drain_ms,
    brokerDropped,
  };
}

const [text] = process.argv.slice(2);
if (import.meta.main && text !== undefined) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(text) as Load)));
}
