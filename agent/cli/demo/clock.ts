//! The time of the demo's world, in which plants and agent live together. A machine that cannot keep
//! up makes it run slower, and never lets it run ahead of what has arrived: else the agent would
//! hear a silence that is the demo's own.
import { type Clock, steady_ms, wallClock } from "../../base/clock.js";
import type { View } from "../../status/view.js";

/** Wall time between two ticks; the world goes on for twice as long and then waits for the next. */
const TICK_ms = 50;
const STEP_ms_max = 2 * TICK_ms;
/** Wall time without an arrival after which the world waits, and how fast it goes on meanwhile. */
const LAG_ms_max = 3_000;
const LAG_SHARE = 0.05;
const LOOK_EVERY_ms = 250;

export type WorldClock = Clock & {
  /** Wall time of a machine that keeps up, since the start. */
  elapsed_ms(): number;
  /** From now on it runs; `lags` says whether the agent has not heard the world for long. */
  start(lags: () => boolean): void;
  stop(): void;
};

export function worldClock(speed: number, steady: () => number = steady_ms): WorldClock {
  const start_ms = wallClock().now();
  let at_ms = start_ms;
  let mark_ms = steady();
  let rate = 0;
  let timer: NodeJS.Timeout | null = null;
  const now = (): number => at_ms + Math.min(steady() - mark_ms, STEP_ms_max) * rate;
  return {
    now,
    elapsed_ms: () => (now() - start_ms) / speed,
    start(lags): void {
      let looked_ms = Number.NEGATIVE_INFINITY;
      let lagging = false;
      mark_ms = steady();
      rate = speed;
      timer = setInterval(() => {
        at_ms = now();
        mark_ms = steady();
        if (mark_ms - looked_ms >= LOOK_EVERY_ms) {
          lagging = lags();
          looked_ms = mark_ms;
        }
        rate = lagging ? speed * LAG_SHARE : speed;
      }, TICK_ms);
    },
    stop(): void {
      if (timer !== null) clearInterval(timer);
    },
  };
}

/** Whether some way into the agent, scalars or blocks of one asset, has been silent for long. */
export function lagsBehind({ assets, now_ms, started_ms }: View, speed: number): boolean {
  return assets.some(({ channels }) =>
    (["scalar", "block"] as const).some((shape) => {
      const heard = channels.filter((channel) => channel.shape === shape);
      const newest_ms = Math.max(started_ms, ...heard.map(({ r_ms }) => r_ms ?? started_ms));
      return heard.length > 0 && now_ms - newest_ms > LAG_ms_max * speed;
    }),
  );
}
