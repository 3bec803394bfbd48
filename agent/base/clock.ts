//! The only place that reads the time. Everything else takes it as an argument.

export type Clock = { now(): number };

// Beyond this the wall clock was set, and following it matters more than a smooth step.
const RESYNC_ms = 50;

/** Wall clock, ms since the epoch, fractional; never goes back within a process. */
export function wallClock(): Clock {
  let base = Date.now() - performance.now();
  let last = 0;
  return {
    now(): number {
      const wall = Date.now();
      let at = base + performance.now();
      if (Math.abs(at - wall) > RESYNC_ms) {
        base = wall - performance.now();
        at = wall;
      }
      last = Math.max(last, at);
      return last;
    },
  };
}
