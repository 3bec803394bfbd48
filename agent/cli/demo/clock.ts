//! The time of the demo's world, in which plants and agent live together. A machine that cannot keep
//! up makes it run slower, and never lets it run ahead of what has arrived: else the agent would
//! hear a silence that is the demo's own.
import { type Clock, steady_ms, wallClock } from "../../base/clock.js";
import type { View } from "../../status/view.js";
import { dronePeriod_ms, turbinePeriod_ms } from "./setup.js";

/** Wall time between two ticks; the world goes on for somewhat longer and then waits for the next. */
const TICK_ms = 50;
const STEP_ms_max = 70;
/** While it waits for an arrival it goes on at this share, and for no longer than this wall time. */
const LAG_SHARE = 0.01;
const WAIT_ms_max = 20_000;
/**
 * Wall time without an arrival after which the world waits. A drone's shortest hold is 10 s, which
 * are 170 ms at sixty times the wall clock: a reading that took longer would come after its deadline.
 */
const JSON_ms_max = 80;
/** The server publishes ten times a second. */
const OPCUA_ms_max = 500;
/** A block comes every two seconds. */
const BLOCK_ms_max = 5_000;
const PERIODS = 3;

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
      let lagging_ms = Number.POSITIVE_INFINITY;
      mark_ms = steady();
      rate = speed;
      timer = setInterval(() => {
        at_ms = now();
        mark_ms = steady();
        if (!lags()) lagging_ms = Number.POSITIVE_INFINITY;
        else lagging_ms = Math.min(lagging_ms, mark_ms);
        const waits = mark_ms >= lagging_ms && mark_ms - lagging_ms < WAIT_ms_max;
        rate = waits ? speed * LAG_SHARE : speed;
      }, TICK_ms);
    },
    stop(): void {
      if (timer !== null) clearInterval(timer);
    },
  };
}

/** Whether some way into the agent, scalars or blocks of one asset, has been silent for too long. */
export function lagsBehind({ assets, now_ms, started_ms }: View, speed: number): boolean {
  return assets.some(({ kind, channels }) =>
    (["scalar", "block"] as const).some((shape) => {
      const heard = channels.filter((channel) => channel.shape === shape);
      const newest_ms = Math.max(started_ms, ...heard.map(({ r_ms }) => r_ms ?? started_ms));
      return heard.length > 0 && now_ms - newest_ms > patience_ms(kind, shape, speed);
    }),
  );
}

/** In the world's time; never less than some periods of the plant, whatever the speed. */
function patience_ms(kind: string, shape: "scalar" | "block", speed: number): number {
  if (shape === "block") return BLOCK_ms_max * speed;
  return kind === "quadrotor"
    ? Math.max(JSON_ms_max * speed, PERIODS * dronePeriod_ms(speed))
    : Math.max(OPCUA_ms_max * speed, PERIODS * turbinePeriod_ms(speed));
}
