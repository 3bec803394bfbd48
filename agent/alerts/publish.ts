//! Sends the outbox: QoS 1, in order, a bounded number in flight, acknowledged to the store when
//! the broker has it. After a lost connection all that is unacknowledged goes again, same ids.
import type { Log } from "../base/log.js";
import type { Link } from "./link.js";
import type { Queued } from "./outbox.js";
import type { Store } from "./store.js";

const IN_FLIGHT_MAX = 64;
/** Open but silent is the worst of links: without a PUBACK for this long it is given up. */
const SILENCE_ms_max = 30_000;
const WATCH_ms = 5_000;
const REFUSED_RETRY_ms = 30_000;
const HISTORICAL_ms = 60_000;
const POLL_ms = 10;

export type Publisher = {
  /** Something may wait in the outbox: call it after each commit. */
  wake(): void;
  inFlight(): number;
  /** Waits until the outbox is empty, no link stands or opens, or the time is over. */
  stop(flush_ms: number): Promise<void>;
};

export type Times = {
  readonly now: () => number;
  /** Real time: a wall clock that is set must not look like a silence of the broker. */
  readonly steady: () => number;
};

/** Call before `link.start()`. */
export function startPublisher(link: Link, store: Store, times: Times, log: Log): Publisher {
  const { now, steady } = times;
  const flight = new Set<number>();
  let cursor = 0;
  let generation = store.generation();
  let progress_ms = steady();
  let retry: NodeJS.Timeout | null = null;

  const refused = (message: Queued, error: Error): void => {
    log.warn({ topic: message.topic, why: error.message }, "the broker refused an alarm message");
    retry ??= setTimeout(() => {
      retry = null;
      cursor = 0;
      pump();
    }, REFUSED_RETRY_ms).unref();
  };

  const send = (messages: readonly Queued[]): void => {
    for (const { row } of messages) flight.add(row);
    const late_ms = now() - HISTORICAL_ms;
    const outgoing = messages.map((message) => ({
      ...message,
      historical: message.time_ms < late_ms,
    }));
    link.publish(outgoing, (at, error) => {
      const message = messages[at] as Queued;
      flight.delete(message.row);
      progress_ms = steady();
      if (error === null) store.acknowledge(message.row);
      else refused(message, error);
      pump();
    });
  };

  const pump = (): void => {
    // Refilling by halves spares a query for each acknowledgement.
    if (!link.up || flight.size > IN_FLIGHT_MAX / 2) return;
    if (generation !== store.generation()) {
      generation = store.generation();
      cursor = 0;
    }
    if (flight.size === 0) progress_ms = steady();
    const next = store.peek(cursor, IN_FLIGHT_MAX - flight.size);
    cursor = next.at(-1)?.row ?? cursor;
    send(next.filter(({ row }) => !flight.has(row)));
  };

  link.whenUp(() => {
    flight.clear();
    cursor = 0;
    progress_ms = steady();
    pump();
  });
  const watch = setInterval(() => {
    if (link.up && flight.size > 0 && steady() - progress_ms > SILENCE_ms_max) {
      link.restart(`no PUBACK for ${SILENCE_ms_max / 1000} s`);
    }
  }, WATCH_ms).unref();

  return {
    wake: pump,
    inFlight: () => flight.size,
    async stop(flush_ms: number): Promise<void> {
      let over = false;
      const limit = setTimeout(() => {
        over = true;
      }, flush_ms);
      while (!over && link.open && (flight.size > 0 || store.peek(cursor, 1).length > 0)) {
        pump();
        await new Promise((resolve) => setTimeout(resolve, POLL_ms));
      }
      clearTimeout(limit);
      clearInterval(watch);
      if (retry !== null) clearTimeout(retry);
    },
  };
}
