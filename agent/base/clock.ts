//! The only place that reads the time. Everything else takes it as an argument.

export type Clock = { now(): number };

/** Wall clock, ms since the epoch, fractional and never going back within a process. */
export function wallClock(): Clock {
  let last = 0;
  return {
    now(): number {
      last = Math.max(last, performance.timeOrigin + performance.now());
      return last;
    },
  };
}
