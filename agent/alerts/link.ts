//! The alarm side's own MQTT connection. It alone reconnects: each connection is a new client with
//! an empty session, because the outbox, not mqtt.js, remembers what is not yet acknowledged.
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { PACKET_ID_MAX, publishPacket } from "./packet.js";

const BACKOFF_ms_min = 250;
const BACKOFF_ms_max = 30_000;
/** A connection that lived this long was a good one: the next failure starts the backoff anew. */
const STEADY_ms = 10_000;
const GOODBYE_ms = 1_000;
/** Packet ids from here on are for mqtt.js: what it subscribes, and the status. */
const ID_FOREIGN_MIN = 0xf000;
/** The lowest reason code that is a refusal [MQTT5 2.4]. */
const REFUSED_MIN = 128;

export type LinkOptions = {
  readonly url: string;
  /** Identity, credentials, TLS, keepalive; what this file decides wins over it. */
  readonly client: IClientOptions;
  readonly status: Status;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Said at each change, and at each new reason for being down. */
  readonly report: (up: boolean, why: string) => void;
};

/** Retained at `topic`: `online` on connect; `offline` as the last will and on stop. */
export type Status = {
  readonly topic: string;
  readonly online: (now_ms: number) => string;
  readonly offline: string;
};

type Done = (refused: Error | null) => void;

export type Reader = (topic: string, payload: Buffer, retained: boolean) => void;

export class Link {
  readonly #options: LinkOptions;
  readonly #starters: (() => void)[] = [];
  readonly #readers: Reader[] = [];
  /** What has been sent on this connection and not been answered, by packet id. */
  #sent = new Map<number, Done>();
  #id = 0;
  #client: MqttClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #up_ms = Number.POSITIVE_INFINITY;
  #why = "";
  #stopped = false;
  up = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** A connection stands or is being made; false between two tries. */
  get open(): boolean {
    return this.#client !== null;
  }

  /** Called after each connect: a new session knows no subscription and nothing in flight. */
  whenUp(start: () => void): void {
    this.#starters.push(start);
  }

  whenMessage(read: Reader): void {
    this.#readers.push(read);
  }

  /** Call once, after `whenUp` and `whenMessage`. Returns at once; an absent broker is no error. */
  start(): void {
    this.#connect();
  }

  /**
   * QoS 1, in one write: the broker wakes once. `done` comes for each message when the broker has
   * it or refused it, never for a lost connection.
   */
  publish(messages: readonly Outgoing[], done: (at: number, refused: Error | null) => void): void {
    const client = this.#client;
    if (client === null || !this.up || messages.length === 0) return;
    if (this.#sent.size + messages.length >= ID_FOREIGN_MIN) return; // it answers nothing
    const version = this.#options.client.protocolVersion === 5 ? 5 : 4;
    const packets = messages.map((message, at) => {
      do this.#id = (this.#id % (ID_FOREIGN_MIN - 1)) + 1;
      while (this.#sent.has(this.#id));
      this.#sent.set(this.#id, (refused) => done(at, refused));
      return publishPacket(this.#id, message, version);
    });
    client.stream.write(Buffer.concat(packets));
  }

  /** `done` gets what the broker refused, empty when all is granted. */
  subscribe(filters: readonly string[], done: (refused: readonly string[]) => void): void {
    const client = this.#client;
    if (client === null || !this.up || filters.length === 0) return;
    client.subscribe([...filters], { qos: 1 }, (error, granted) => {
      if (this.#client !== client || !this.up) return;
      const refused = (granted ?? []).filter(({ qos }) => qos >= 128).map(({ topic }) => topic);
      done(error && refused.length === 0 ? filters : refused);
    });
  }

  unsubscribe(filters: readonly string[]): void {
    if (this.up && filters.length > 0) this.#client?.unsubscribe([...filters], () => {});
  }

  /** Gives up a connection that is open yet does nothing. */
  restart(why: string): void {
    if (this.#client === null) return;
    this.#why = why;
    this.#down(this.#client);
  }

  /** Says goodbye where that takes no more than a second. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    if (this.up) {
      this.up = false;
      const { topic, offline } = this.#options.status;
      const told = client.publishAsync(topic, offline, { qos: 1, retain: true }).catch(() => {});
      await Promise.race([told, pause(GOODBYE_ms)]);
      await Promise.race([client.endAsync().catch(() => {}), pause(GOODBYE_ms)]);
    }
    dispose(client);
  }

  #connect(): void {
    const { url, client: own, status, now } = this.#options;
    const will = { topic: status.topic, payload: Buffer.from(status.offline), qos: 1 as const };
    const client = mqtt.connect(url, {
      ...own,
      clean: true,
      reconnectPeriod: 0,
      messageIdProvider: foreignIds(),
      will: { ...will, retain: true },
    });
    this.#client = client;
    this.#sent = new Map();
    client.on("connect", () => {
      if (this.#client !== client) return;
      // Nagle and delayed acknowledgement together would hold a PUBLISH back for 40 ms.
      if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") {
        client.stream.setNoDelay(true);
      }
      this.up = true;
      this.#up_ms = now();
      this.#why = "";
      client.publish(status.topic, status.online(now()), { qos: 1, retain: true });
      this.#options.report(true, "");
      for (const start of this.#starters) start();
    });
    client.on("message", (topic, payload, packet) => {
      if (this.#client !== client) return;
      for (const read of this.#readers) read(topic, payload, packet.retain);
    });
    client.on("packetreceive", (packet) => {
      if (this.#client !== client || packet.cmd !== "puback") return;
      const { messageId = 0, reasonCode = 0 } = packet;
      const done = this.#sent.get(messageId);
      this.#sent.delete(messageId);
      if (this.#sent.size === 0) this.#sent = new Map(); // see outbox.ts
      done?.(reasonCode < REFUSED_MIN ? null : new Error(reasonOf(reasonCode)));
    });
    client.on("error", (error) => {
      if (this.#client === client) this.#why = error.message;
    });
    client.on("close", () => this.#down(client));
  }

  #down(client: MqttClient): void {
    if (this.#client !== client || this.#stopped) return;
    const { now, random, report } = this.#options;
    if (this.up && now() - this.#up_ms > STEADY_ms) this.#failures = 0;
    this.#client = null;
    this.up = false;
    dispose(client);
    report(false, this.#why === "" ? "the broker closed the connection" : this.#why);
    const longest_ms = Math.min(BACKOFF_ms_max, BACKOFF_ms_min * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    // Half fixed, half by chance: a fleet must not come back in one instant.
    this.#timer = setTimeout(() => this.#connect(), longest_ms * (0.5 + 0.5 * random()));
  }
}

export type Outgoing = {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** Sent long after its time: MQTT 5 carries that beside the payload, which stays the same. */
  readonly historical: boolean;
};

/** The status documents of a gateway. */
export function gatewayStatus(topic: string, gateway: string, version: string): Status {
  const document = (status: string, time: string | null) =>
    JSON.stringify({ status, gateway, version, time });
  return {
    topic,
    online: (now_ms) => document("online", new Date(now_ms).toISOString()),
    // The will is fixed when the connection opens, so it cannot know when that ends.
    offline: document("offline", null),
  };
}

function reasonOf(code: number): string {
  const [, text] = Object.entries(mqtt.ReasonCodes).find(([key]) => key === String(code)) ?? [];
  return text ?? `reason code ${code}`;
}

/** Packet ids of mqtt.js's own, so that it takes no acknowledgement of ours for one of its. */
function foreignIds(): NonNullable<IClientOptions["messageIdProvider"]> {
  let last = PACKET_ID_MAX;
  return {
    allocate() {
      last = last === PACKET_ID_MAX ? ID_FOREIGN_MIN : last + 1;
      return last;
    },
    getLastAllocated: () => last,
    register: () => true,
    deallocate() {},
    clear() {},
  };
}

/** It keeps its listeners: ours ask whose they are, and its own clear the timer of an opening. */
function dispose(client: MqttClient): void {
  client.end(true);
}

function pause(length_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, length_ms).unref());
}
