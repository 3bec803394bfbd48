//! Sends the outbox over its own MQTT connection: QoS 1, a bounded number in flight, deleted when
//! the broker acknowledged. Telemetry never shares this connection, so it cannot hold alarms up.
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Log } from "../base/log.js";
import type { Store } from "./store.js";

const IN_FLIGHT_MAX = 64;
const FLUSH_ms = 2_000;

export type Publisher = {
  /** Something may wait in the outbox. */
  wake(): void;
  stop(): Promise<void>;
};

export type Status = { readonly topic: string; readonly online: string; readonly offline: string };

export function startPublisher(
  url: string,
  options: IClientOptions,
  store: Store,
  status: Status,
  log: Log,
): Publisher {
  const client: MqttClient = mqtt.connect(url, {
    ...options,
    will: { topic: status.topic, payload: Buffer.from(status.offline), qos: 1, retain: true },
  });
  let sent_row = 0;
  let in_flight = 0;
  /** Row before the first message that the broker refused: sending begins there when it is back. */
  let refused_row = Number.POSITIVE_INFINITY;

  const pump = (): void => {
    if (!client.connected) return;
    for (const message of store.peek(sent_row, IN_FLIGHT_MAX - in_flight)) {
      sent_row = message.row;
      in_flight += 1;
      const { topic, payload, retain, row } = message;
      client.publish(topic, payload, { qos: 1, retain }, (error) => {
        in_flight -= 1;
        if (error) {
          refused_row = Math.min(refused_row, row - 1);
          log.warn({ topic, error: error.message }, "the broker refused an alarm; it waits");
          return;
        }
        store.acknowledge(row);
        pump();
      });
    }
  };

  client.on("connect", () => {
    (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    // mqtt.js sends again what was in flight; what was refused is read again from the outbox.
    sent_row = Math.min(sent_row, refused_row);
    refused_row = Number.POSITIVE_INFINITY;
    client.publish(status.topic, status.online, { qos: 1, retain: true });
    pump();
  });
  client.on("error", (error) => log.warn({ error: error.message }, "alarms wait in the outbox"));

  return {
    wake: pump,
    async stop(): Promise<void> {
      if (client.connected) {
        const flushed = (async () => {
          while (in_flight > 0 && client.connected) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          await client.publishAsync(status.topic, status.offline, { qos: 1, retain: true });
        })();
        const limit = new Promise((resolve) => setTimeout(resolve, FLUSH_ms));
        await Promise.race([flushed, limit]);
      }
      await client.endAsync(true);
    },
  };
}
