//! When the readings of a machine come: its own time, clocks that run away from it, readings that
//! come late, silences, and how old a reading may be before it says nothing of now.

const LATE_ms = 5_000;
const LATE_READINGS = 10;
/** A reading is of now when it is not older than this beyond its channel's usual interval. */
const FRESH_ms = 3_000;
const FRESH_ARRIVALS = 8;
/** Beyond this a source time is taken for a clock of its own unless most channels agree. */
const AHEAD_ms = 60_000;
/** Silent for so long, and so many of its usual intervals: what it said before is no neighbour. */
const OUTAGE = { ms: 5_000, intervals: 5 } as const;
const SPACINGS = 1.5;
const GAP_FADES = 0.9; // at each arrival: an outage is forgotten after some fifty
/** A channel whose readings begin to go missing must not make that its usual pace within a day. */
const PACE = { arrivals: 1000, most: 2, least_ms: 100 } as const;

type Times = {
  t_ms: number;
  lateCount: number;
  ahead: boolean;
  /** Time of the last reading, believed or not, and how far it was from the one before. */
  heard_ms: number;
  spacing_ms: number;
  arrivals: number;
  /** Longest interval of late, and the mean of very many. */
  gap_ms: number;
  pace_ms: number;
};

export class Timing {
  readonly #times: readonly Times[];
  readonly #plain: readonly boolean[];
  /** How far time moves on between instants. */
  #gap_ms = 0;
  /** Source time of the asset: the newest that its channels agree on. */
  now_ms = Number.NEGATIVE_INFINITY;

  constructor(rows: readonly { readonly plain?: boolean }[]) {
    this.#plain = rows.map(({ plain }) => plain === true);
    this.#times = rows.map(() => ({
      t_ms: Number.NEGATIVE_INFINITY,
      lateCount: 0,
      ahead: false,
      heard_ms: Number.NaN,
      spacing_ms: Number.NaN,
      arrivals: 0,
      gap_ms: 0,
      pace_ms: Number.NaN,
    }));
  }

  /** False: the reading's time is not the machine's. */
  hear(input: number, t_ms: number): boolean {
    const times = this.#of(input);
    const spacing_ms = Math.abs(t_ms - times.heard_ms);
    // Ten minutes ahead is nothing where readings come every ten minutes, or in bursts.
    const usual_ms = SPACINGS * Math.max(Math.min(spacing_ms, times.spacing_ms) || 0, this.#gap_ms);
    const first = this.#plain[input] === true && Number.isNaN(times.spacing_ms);
    times.ahead = !first && t_ms > this.now_ms + Math.max(AHEAD_ms, usual_ms);
    times.heard_ms = t_ms;
    times.spacing_ms = spacing_ms;
    if (times.ahead) {
      const ahead = this.#times.filter((one) => one.ahead).length;
      const seen = this.#times.filter((one) => one.t_ms > Number.NEGATIVE_INFINITY).length;
      if (2 * ahead < seen) {
        times.lateCount += 1;
        return false;
      }
    }
    const advance_ms = t_ms - this.now_ms;
    if (advance_ms > 0 && advance_ms < Number.POSITIVE_INFINITY) {
      this.#gap_ms = Math.max(advance_ms, GAP_FADES * this.#gap_ms);
    }
    this.now_ms = Math.max(this.now_ms, t_ms);
    times.lateCount = this.now_ms - t_ms > LATE_ms ? times.lateCount + 1 : 0;
    return true;
  }

  /** Many in a row came late, or ahead of the machine's time. */
  isLate(input: number): boolean {
    return this.#of(input).lateCount >= LATE_READINGS;
  }

  /** Mean of very many intervals between its readings; 0 where not known. */
  pace_ms(input: number): number {
    const { pace_ms } = this.#of(input);
    return Number.isNaN(pace_ms) ? 0 : pace_ms;
  }

  /** Source time of its last reading. */
  last_ms(input: number): number {
    return this.#of(input).t_ms;
  }

  /** Since its last reading, at source time t_ms. */
  since_ms(input: number, t_ms: number): number {
    return t_ms - this.#of(input).t_ms;
  }

  isOutage(input: number, t_ms: number): boolean {
    const { gap_ms } = this.#of(input);
    return this.since_ms(input, t_ms) > Math.max(OUTAGE.ms, OUTAGE.intervals * gap_ms);
  }

  /** A reading outside its range: heard, and no arrival of one. */
  refuse(input: number, t_ms: number): void {
    this.#of(input).t_ms = t_ms;
  }

  arrive(input: number, t_ms: number): void {
    const times = this.#of(input);
    if (times.arrivals > 0) {
      const spacing_ms = t_ms - times.t_ms;
      // After an outage it must soon be of its usual pace again, or old readings count as new.
      times.gap_ms = Math.max(spacing_ms, GAP_FADES * times.gap_ms);
      times.pace_ms = nextPace(times, spacing_ms);
    }
    times.arrivals += 1;
    times.t_ms = t_ms;
  }

  /** A channel that reports changes only may be silent for long and still be right. */
  isOld(input: number): boolean {
    const { t_ms, gap_ms, arrivals } = this.#of(input);
    return this.now_ms - t_ms > FRESH_ms + 2 * gap_ms && arrivals >= FRESH_ARRIVALS;
  }

  /** By its usual pace the next reading is not overdue. */
  isCurrent(input: number): boolean {
    return this.now_ms - this.#of(input).t_ms <= FRESH_ms + this.pace_ms(input);
  }

  #of(input: number): Times {
    return this.#times[input] as Times; // the caller has the same channels
  }
}

function nextPace({ pace_ms, arrivals }: Times, spacing_ms: number): number {
  if (Number.isNaN(pace_ms)) return spacing_ms;
  const most_ms = PACE.most * Math.max(PACE.least_ms, pace_ms);
  const change_ms = Math.max(-most_ms, Math.min(most_ms, spacing_ms - pace_ms));
  return pace_ms + change_ms / Math.min(arrivals, PACE.arrivals);
}
