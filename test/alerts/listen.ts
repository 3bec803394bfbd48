//! A subscriber that outlives restarts of the broker, and waiting for what must come.
import mqtt, { type MqttClient } from "mqtt";

export type Heard = {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
};

let listeners = 0;

/**
 * Everything under `filter`, in order. Where the broker will be killed take QoS 0: a PUBACK written
 * to a socket that has died would cost what it had received and we had not read.
 */
export async function listen(
  url: string,
  filter: string,
  qos: 0 | 1 = 1,
): Promise<{ readonly heard: Heard[]; readonly client: MqttClient }> {
  const heard: Heard[] = [];
  listeners += 1;
  const clientId = `listener-${listeners}`;
  const client = mqtt.connect(url, { reconnectPeriod: 50, clean: false, clientId });
  client.on("error", () => {});
  client.on("message", (topic, payload, { retain }) => {
    heard.push({ topic, payload: payload.toString(), retained: retain });
  });
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  await client.subscribeAsync(filter, { qos });
  return { heard, client };
}

/** Waits for what must come; the bound of the whole test is vitest's. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10);
}

export const pause = (length_ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, length_ms));
