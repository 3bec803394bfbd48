//! The only place that reads the time. Everything else takes it as an argument.

export type Clock = { now(): number };

/** Beyond this the wall clock was set, and following it matters more than a smooth step. */
const RESYNC_ms = 50;
/** A clock set back is approached at this share of real time: 1 h takes 10 h, and nothing stops. */
const SLEW = 0.1;

type Source = { wall(): number; steady(): number };
const SYSTEM: Source = { wall: () => Date.now(), steady: () => performance.now() };

/** Real time elapsed since some moment, ms: what a hang is measured on, whatever the clocks say. */
export const steady_ms = (): number => performance.now();

/**
 * Wall clock, ms since the epoch, fractional. It never goes back within a process, and never stands:
 * hold times, silences and the watchdog run on it.
 */
export function wallClock(source: Source = SYSTEM): Clock {
  let at = source.wall();
  let read = source.steady();
  return {
    now(): number {
      const steady = source.steady();
      const elapsed = steady - read;
      read = steady;
      at += elapsed;
      const wall = source.wall();
      if (wall - at > RESYNC_ms) at = wall;
      else if (at - wall > RESYNC_ms) at -= elapsed * SLEW;
      return at;
    },
  };
}
