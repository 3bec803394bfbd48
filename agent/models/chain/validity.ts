//! Is a reading to be believed? Range, impossible steps, spikes, equal readings in a row, readings
//! that come late, and what the balances of the machine say against it. A channel under suspicion
//! reads as NaN, so that no residual of the machine ever rests on it.
import { limitsOf, PACE_s, type PortLimits, type PortRow } from "./port.js";
import { Timing } from "./timing.js";

/** Values of `<channel>.fault`; 0 is well. */
export const SUSPICIONS = [
  "well",
  "range",
  "step",
  "stuck",
  "spikes",
  "late",
  "disagrees",
  "too quiet",
] as const;
export type Suspicion = (typeof SUSPICIONS)[number];

// Quantised noise repeats a reading by chance one time in thirty: eight in a row once in centuries.
const EQUAL_READINGS = 8;
/** A slow instrument in a fast message repeats itself for less than this. */
const EQUAL_ms = 2_000;
/**
 * A coarse instrument, or a mean of ten minutes, repeats more: by how much, the channel has shown.
 * Lengths of runs fall off exponentially: with N of them seen, one is three times the longest so far
 * with a chance of about N^-3.
 */
const LONGEST = 3;
/** Of the range: what a machine at a stand draws, or an instrument's own zero. */
const ZERO_SHARE = 1e-3;
const SPIKES = 3;
/** The first ones, and any more of one that is known for them; by time or by readings. */
const SPIKE_FORGET = { ms: 30_000, readings: 10 } as const;
const SPIKING = { ms: 600_000, readings: 200 } as const;
/** Readings further apart are no neighbours: what lies between them, nobody saw. */
const NEIGHBOURS_ms = 60_000;
/** A knock of the machine shakes for that long: one spike. */
const KNOCK_ms = 1_000;
const DISAGREES = SUSPICIONS.indexOf("disagrees");
const SPIKY = SUSPICIONS.indexOf("spikes");
/** A suspicion outlives its last sign by this much, or alarms would chatter. */
const HOLD_ms = 600_000;
/** Share of a step that a step back must have. */
const LEAP_BACK = 0.5;
/** Share of its commissioned noise that a live instrument keeps, and readings to judge by. */
const QUIET_SHARE = 0.01;
const QUIET_READINGS = 120;

type State = {
  readonly input: number;
  readonly row: PortRow;
  readonly limits: PortLimits;
  /** The last three readings, newest last. */
  readonly recent: [number, number, number];
  median: number;
  equal: number;
  equalFrom_ms: number;
  /** The longest run that ended as those of a live instrument do. */
  longest: number;
  /** Changes of other channels when the run of equal readings began. */
  movesBefore: number;
  spikes: number;
  spiked_ms: number;
  /** Level before an impossible step, and its size; NaN: none pends. */
  before: number;
  leap: number;
  modelled: boolean;
  suspicion: number;
  until_ms: number;
  /** Mean change between readings: now, and in commissioning (NaN: not known). */
  stir: number;
  readonly noise: number;
  /** Median and time of the last mark against which the pace is measured. */
  mark: number;
  mark_ms: number;
};

export class Validity {
  readonly #states: readonly State[];
  #moves = 0;
  readonly #timing: Timing;
  #resting = false;

  /** `noise`: the commissioned mean change between readings of a channel, NaN where unknown. */
  constructor(rows: readonly PortRow[], noise: (name: string) => number) {
    this.#timing = new Timing(rows);
    this.#states = rows.map((row, input) => ({
      input,
      row,
      limits: limitsOf(row),
      recent: [Number.NaN, Number.NaN, Number.NaN],
      median: Number.NaN,
      equal: 0,
      equalFrom_ms: Number.NaN,
      longest: 0,
      movesBefore: 0,
      spikes: 0,
      spiked_ms: Number.NEGATIVE_INFINITY,
      before: Number.NaN,
      leap: 0,
      modelled: false,
      suspicion: 0,
      until_ms: Number.NEGATIVE_INFINITY,
      stir: Number.NaN,
      noise: noise(row.name),
      mark: Number.NaN,
      mark_ms: Number.NEGATIVE_INFINITY,
    }));
  }

  /** At rest readings may stand still, and people knock at the machine. */
  rest(resting: boolean): void {
    this.#resting = resting;
  }

  /** Source time of the asset: the newest that its channels agree on. */
  get now_ms(): number {
    return this.#timing.now_ms;
  }

  take(input: number, value: number, t_ms: number): void {
    const state = this.#states[input];
    if (state === undefined) return;
    const timing = this.#timing;
    const kept = timing.hear(input, t_ms);
    if (timing.isLate(input)) this.#suspect(state, "late");
    if (!kept) return;
    if (Number.isNaN(value)) return;
    const { limits, row } = state;
    const within = value >= limits.low && value <= limits.high;
    if (!within || (row.whole && !Number.isInteger(value))) {
      this.#suspect(state, "range");
      timing.refuse(input, t_ms);
      return;
    }
    this.#countEqual(state, value, t_ms);
    this.#checkNoise(state, value);
    state.recent[0] = state.recent[1];
    state.recent[1] = state.recent[2];
    state.recent[2] = value;
    const elapsed_s = timing.since_ms(input, t_ms) / 1000;
    if (timing.isOutage(input, t_ms)) {
      state.recent[0] = Number.NaN;
      state.recent[1] = Number.NaN;
      state.median = Number.NaN;
    }
    timing.arrive(input, t_ms);
    const before = state.median;
    state.median = median(state.recent);
    this.#countSpike(state, t_ms);
    this.#checkStep(state, before, elapsed_s);
    if (t_ms - state.mark_ms < PACE_s * 1000) {
      if (Math.abs(state.median - state.mark) > limits.pace) this.#suspect(state, "step");
      return;
    }
    state.mark = state.median;
    state.mark_ms = t_ms;
  }

  /** The median of the last three readings; NaN while the channel is not believed. */
  value(input: number): number {
    const state = this.#states[input];
    if (state === undefined || this.#code(state) !== 0) return Number.NaN;
    return this.#reading(state);
  }

  /** As `value`, but also while only a balance speaks against it: that balance needs to hear on. */
  heard(input: number): number {
    const state = this.#states[input];
    if (state === undefined) return Number.NaN;
    const code = this.#code(state);
    return code === 0 || code === DISAGREES ? this.#reading(state) : Number.NaN;
  }

  /** An index of SUSPICIONS. */
  code(input: number): number {
    const state = this.#states[input];
    return state === undefined ? 0 : this.#code(state);
  }

  /** A balance names this channel as the one that does not fit. */
  accuse(input: number): void {
    const state = this.#states[input];
    if (state === undefined) return;
    const code = this.#code(state);
    // No balance hears a channel that is doubted for itself: what it says is of before.
    if (code === 0 || code === DISAGREES) this.#suspect(state, "disagrees");
  }

  /** What the channel says, believed or not: for the tests that decide about it. */
  raw(input: number): number {
    return this.#states[input]?.median ?? Number.NaN;
  }

  /** By its usual pace the next reading is not overdue. */
  current(input: number): boolean {
    return this.#timing.isCurrent(input);
  }

  #reading(state: State): number {
    if (this.#timing.isOld(state.input)) return Number.NaN;
    return state.row.whole || state.row.plain ? state.recent[2] : state.median;
  }

  #code(state: State): number {
    // Silence proves nothing: it takes a reading after the hold to end a suspicion.
    const over = this.#timing.last_ms(state.input) > state.until_ms;
    return Number.isNaN(state.before) && over ? 0 : state.suspicion;
  }

  #suspect(state: State, suspicion: Suspicion, hold_ms = HOLD_ms): void {
    if (this.#code(state) === 0) state.suspicion = SUSPICIONS.indexOf(suspicion);
    state.until_ms = Math.max(state.until_ms, this.#timing.now_ms + Math.max(HOLD_ms, hold_ms));
  }

  #countEqual(state: State, value: number, t_ms: number): void {
    if (!state.row.noisy) return;
    // Zero is where a speed or a power rests.
    const { low, high, full } = state.limits;
    const zero = value === 0 || (low <= 0 && Math.abs(value) <= ZERO_SHARE * high);
    if (value !== state.recent[2] || zero || value >= full || this.#resting) {
      this.#moves += 1;
      const live = state.equal < this.#equalMost(state);
      if (live) state.longest = Math.max(state.longest, state.equal);
      state.equal = 1;
      state.equalFrom_ms = t_ms;
      state.movesBefore = this.#moves;
      return;
    }
    state.equal += 1;
    // Everything still is a machine at rest or a controller that holds its image.
    const othersMove = this.#moves - state.movesBefore >= EQUAL_READINGS;
    const long = state.equal >= this.#equalMost(state) && t_ms - state.equalFrom_ms >= EQUAL_ms;
    if (long && othersMove) this.#suspect(state, "stuck");
  }

  #equalMost({ longest }: State): number {
    return Math.max(EQUAL_READINGS, LONGEST * longest);
  }

  /** What it repeats now: so many equal readings, since when. */
  repeats(input: number): { readonly value: number; readonly count: number; readonly ms: number } {
    const state = this.#states[input];
    const ms = this.now_ms - (state?.equalFrom_ms ?? Number.NaN);
    return { value: state?.recent[2] ?? Number.NaN, count: state?.equal ?? 0, ms };
  }

  #checkNoise(state: State, value: number): void {
    const change = Math.abs(value - state.recent[2]);
    if (!state.row.noisy || Number.isNaN(change) || value === 0 || this.#resting) return;
    const old = Number.isNaN(state.stir) ? state.noise : state.stir;
    state.stir = Number.isNaN(old) ? change : old + (change - old) / (QUIET_READINGS / 3);
    if (state.stir < QUIET_SHARE * state.noise) this.#suspect(state, "too quiet");
  }

  #countSpike(state: State, t_ms: number): void {
    const [a, b, c] = state.recent;
    const { spike } = state.limits;
    const alone = Math.abs(b - a) > spike && Math.abs(b - c) > spike && b > a === b > c;
    const known = this.#code(state) === SPIKY;
    const { ms, readings } = known ? SPIKING : SPIKE_FORGET;
    const forget_ms = Math.max(ms, readings * this.#timing.pace_ms(state.input));
    if (t_ms - state.spiked_ms > forget_ms) state.spikes = 0;
    if (this.#timing.pace_ms(state.input) > NEIGHBOURS_ms) return;
    if (!alone || this.#resting || t_ms - state.spiked_ms < KNOCK_ms) return;
    state.spikes += 1;
    state.spiked_ms = t_ms;
    if (state.spikes >= SPIKES) this.#suspect(state, "spikes", forget_ms);
  }

  #checkStep(state: State, before: number, elapsed_s: number): void {
    const { jumpStep, jumpRate } = state.limits;
    const most = jumpStep + jumpRate * elapsed_s;
    if (!Number.isNaN(state.before)) {
      // Believed again once it is back where it left from, or as impossible a step leads back: what
      // it measures may have moved on meanwhile.
      const back = (before - state.median) * Math.sign(state.leap);
      const leapt = back > most && back > LEAP_BACK * Math.abs(state.leap);
      // A load that has changed takes a wrong temperature past where a right one once was.
      const returned = !state.modelled && Math.abs(state.median - state.before) <= jumpStep;
      if (leapt || returned) {
        state.before = Number.NaN;
        state.until_ms = this.#timing.now_ms + HOLD_ms;
      }
      return;
    }
    if (!(Math.abs(state.median - before) > most)) return;
    this.#suspect(state, "step");
    state.before = before;
    state.leap = state.median - before;
  }

  /** A model of the channel says whether it is what it should be: that ends a step that pends. */
  agree(input: number, agrees: boolean): void {
    const state = this.#states[input];
    if (state === undefined) return;
    state.modelled = true;
    if (agrees) state.before = Number.NaN;
  }
}

function median([a, b, c]: readonly [number, number, number]): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return c;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
