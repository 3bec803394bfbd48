//! What every value of a plan can be, whatever comes in: intervals of the very integers that run,
//! channel by channel, and whether a value can rise or fall when declared inputs rise.
//! Stages are read as agent/accel/reference-stages.ts states them.
import type { Add, Depthwise, Matmul, Mul, Pool, Rows, Stage, Table } from "../accel/backend.js";
import { assert } from "../base/errors.js";
import { type Counts, tritCounter } from "../base/trits.js";
import { endOf, isPadded, type Plane, stepOf } from "./plane.js";

/** Bits of `moves`. */
export const RISES = 1;
export const FALLS = 2;

/** By channel of a plane, in steps; `moves` is what a rise of the declared inputs can do. */
export type Range = {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly moves: Uint8Array;
};

export type Ranges = ReadonlyMap<Plane, Range>;

/** Everything open: what an input or a state can be. */
export function fullRange({ channels, wide }: Plane): Range {
  const most = wide ? 32_767 : 127;
  return {
    low: new Float64Array(channels).fill(-most),
    high: new Float64Array(channels).fill(most),
    moves: new Uint8Array(channels),
  };
}

export function planeAt(planes: readonly Plane[], at: number): Plane {
  const found = planes.find((plane) => at >= plane.at && at < endOf(plane));
  assert(found !== undefined, "intervals: an offset outside of every plane");
  return found;
}

/** The interval of a stage's sums before they become steps: for a last layer without any. */
export type Sums = { readonly low: Float64Array; readonly high: Float64Array };

/** Widens the range of what the stage writes; `sums` is null for a stage without weights. */
export function trace(stage: Stage, planes: readonly Plane[], ranges: Map<Plane, Range>) {
  const plane = planeAt(planes, stage.y.at);
  const made = ranges.get(plane) ?? emptyRange(plane);
  ranges.set(plane, made);
  const first = channelAt(plane, stage.y.at);
  const set: Set = (channel, low, high, moves) => {
    made.low[first + channel] = low;
    made.high[first + channel] = high;
    made.moves[first + channel] = moves;
  };
  const read = (rows: Rows): Read => {
    const from = planeAt(planes, rows.at);
    const range = ranges.get(from);
    assert(range !== undefined, "intervals: read before written");
    return { plane: from, range, first: channelAt(from, rows.at) };
  };
  if (stage.kind === "matmul" || stage.kind === "depthwise") return weigh(stage, read, set);
  if (stage.kind === "add") addUp(stage, read, set);
  else if (stage.kind === "mul") multiply(stage, read, set);
  else if (stage.kind === "table") lookUp(stage, read, set);
  else poolUp(stage, read, set);
  return null;
}

type Set = (channel: number, low: number, high: number, moves: number) => void;
type Read = { readonly plane: Plane; readonly range: Range; readonly first: number };
type Reader = (rows: Rows) => Read;

function emptyRange({ channels }: Plane): Range {
  const make = () => new Float64Array(channels);
  return { low: make(), high: make(), moves: new Uint8Array(channels) };
}

function channelAt(plane: Plane, at: number): number {
  return ((at - plane.at) % stepOf(plane)) / (plane.wide ? 2 : 1);
}

const swapped = (moves: number): number => ((moves & RISES) << 1) | (moves >> 1);
const by = (gain: number, moves: number): number =>
  gain > 0 ? moves : gain < 0 ? swapped(moves) : 0;

function clamped(value: number, shift: number, most: number): number {
  const step = Math.floor((value + 2 ** (shift - 1)) / 2 ** shift);
  return Math.max(-most, Math.min(most, step));
}

function weigh(stage: Matmul | Depthwise, read: Reader, set: Set): Sums {
  const { rows, cols, weights, bias, multiplier, shift, relu, limit = 127 } = stage.layer;
  const source = read(stage.x);
  const sums = { low: new Float64Array(rows), high: new Float64Array(rows) };
  const columns = stage.kind === "matmul" ? columnsOf(stage, source) : null;
  const count = stage.layer.ternary ? tritCounter(weights, cols) : null;
  for (let row = 0; row < rows; row++) {
    const at = columns ?? filterOf(cols, source, row);
    const counts = at.even ? (count?.(row) ?? null) : null;
    const [low, high] =
      counts === null
        ? spread(weights, row * cols, at, bias[row] as number)
        : evenSpread(counts, at, bias[row] as number);
    sums.low[row] = low;
    sums.high[row] = high;
    const [m, s] = [multiplier[row] as number, shift[row] as number];
    const ends = [clamped(low * m, s, limit), clamped(high * m, s, limit)].map((end) => {
      return relu ? Math.max(0, end) : end;
    }) as [number, number];
    set(row, ...ends, at.moves === null ? 0 : movesOf(weights, row * cols, at.moves));
  }
  return sums;
}

/** By column: twice the middle and the width of what it can be. */
type Columns = {
  readonly twice: Float64Array;
  readonly width: Float64Array;
  /** All columns are alike. */
  readonly even: boolean;
  /** Null where nothing moves. */
  readonly moves: Uint8Array | null;
};

function columnsOf(stage: Matmul, { plane, range, first }: Read): Columns {
  const { runs, layer } = stage;
  const run = layer.cols / (runs?.length ?? 1);
  const base = plane.at + first;
  return columnsFrom(layer.cols, plane, range, (i) => {
    const offset = runs === null ? i : (runs[Math.floor(i / run)] as number) + (i % run);
    return channelAt(plane, base + offset);
  });
}

function filterOf(cols: number, { plane, range, first }: Read, row: number): Columns {
  return columnsFrom(cols, plane, range, () => first + row);
}

function columnsFrom(
  cols: number,
  plane: Plane,
  range: Range,
  channelOf: (column: number) => number,
): Columns {
  const [twice, width] = [new Float64Array(cols), new Float64Array(cols)];
  const moves = new Uint8Array(cols);
  const padded = isPadded(plane);
  for (let i = 0; i < cols; i++) {
    const channel = channelOf(i);
    let [low, high] = [range.low[channel] as number, range.high[channel] as number];
    // Pads are 0.
    if (padded) [low, high] = [Math.min(0, low), Math.max(0, high)];
    twice[i] = low + high;
    width[i] = high - low;
    moves[i] = range.moves[channel] as number;
  }
  const alike = (list: Float64Array): boolean => list.every((value) => value === list[0]);
  const even = alike(twice) && alike(width);
  return { twice, width, even, moves: moves.some((bits) => bits !== 0) ? moves : null };
}

/** sum(w * x) with each x in its interval: the middle moves by w, the width by |w|. Exact. */
function spread(
  weights: Int8Array,
  from: number,
  { twice, width }: Columns,
  bias: number,
): readonly [number, number] {
  let [middle, half] = [0, 0];
  for (let i = 0; i < twice.length; i++) {
    const w = weights[from + i] as number;
    middle += w * (twice[i] as number);
    half += (w < 0 ? -w : w) * (width[i] as number);
  }
  return [(middle - half) / 2 + bias, (middle + half) / 2 + bias];
}

/** The same where every column is alike. */
function evenSpread({ plus, minus }: Counts, { twice, width }: Columns, bias: number) {
  const middle = (plus - minus) * (twice[0] as number);
  const half = (plus + minus) * (width[0] as number);
  return [(middle - half) / 2 + bias, (middle + half) / 2 + bias] as const;
}

function movesOf(weights: Int8Array, from: number, moves: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < moves.length; i++) {
    bits |= by(weights[from + i] as number, moves[i] as number);
  }
  return bits;
}

function addUp(stage: Add, read: Reader, set: Set): void {
  const { a, b, y, gainA, gainB, bias, shift, relu } = stage;
  const [left, right] = [read(a), read(b)];
  for (let c = 0; c < stage.channels; c++) {
    let [low, high] = [bias[c] as number, bias[c] as number];
    let moves = 0;
    for (const [{ range, first }, gain] of [
      [left, gainA[c] as number],
      [right, gainB[c] as number],
    ] as const) {
      const ends = [range.low[first + c] as number, range.high[first + c] as number] as const;
      low += Math.min(gain * ends[0], gain * ends[1]);
      high += Math.max(gain * ends[0], gain * ends[1]);
      moves |= by(gain, range.moves[first + c] as number);
    }
    const ends = [low, high].map((end) => clamped(end, shift[c] as number, y.wide ? 32_767 : 127));
    const [l, h] = ends.map((end) => (relu ? Math.max(0, end) : end)) as [number, number];
    set(c, l, h, moves);
  }
}

/** a rises: a * b rises where b is not below 0, falls where it is not above, else either. */
function multiply(stage: Mul, read: Reader, set: Set): void {
  const [a, b] = [read(stage.a), read(stage.b)];
  const { multiplier, shift } = stage;
  const sign = ({ range, first }: Read, c: number): number => {
    if ((range.low[first + c] as number) >= 0) return 1;
    return (range.high[first + c] as number) <= 0 ? -1 : 0;
  };
  const moved = (bits: number, of: number): number =>
    of === 0 && bits !== 0 ? RISES | FALLS : by(of, bits);
  for (let c = 0; c < stage.channels; c++) {
    const [p, q] = [a, b].map(({ range, first }) => {
      return [range.low[first + c] as number, range.high[first + c] as number];
    }) as [[number, number], [number, number]];
    const products = p.flatMap((x) => q.map((y) => clamped(x * y * multiplier, shift, 127)));
    const bits =
      moved(a.range.moves[a.first + c] as number, sign(b, c)) |
      moved(b.range.moves[b.first + c] as number, sign(a, c));
    set(c, Math.min(...products), Math.max(...products), bits);
  }
}

function lookUp({ channels, x, table }: Table, read: Reader, set: Set): void {
  const { range, first } = read(x);
  for (let c = 0; c < channels; c++) {
    const [from, to] = [range.low[first + c] as number, range.high[first + c] as number];
    let [low, high, way] = [127, -127, 0];
    for (let step = from; step <= to; step++) {
      const value = table[step + 128] as number;
      if (step > from && value > (table[step + 127] as number)) way |= RISES;
      if (step > from && value < (table[step + 127] as number)) way |= FALLS;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    const bits = range.moves[first + c] as number;
    const falling = (way & FALLS) === 0 ? 0 : swapped(bits);
    set(c, low, high, ((way & RISES) === 0 ? 0 : bits) | falling);
  }
}

function poolUp(stage: Pool, read: Reader, set: Set): void {
  const { range, first } = read(stage.x);
  const { mode, channels, multiplier, shift } = stage;
  // Counts at which a window can be cut; for very large ones the ends of all channels serve all.
  const counts = mode === "max" ? 0 : multiplier.length;
  const many = counts * channels > 2 ** 22;
  const least = many ? range.low.reduce((a, b) => Math.min(a, b)) : null;
  const most = many ? range.high.reduce((a, b) => Math.max(a, b)) : null;
  let last: [number, number, number, number] | null = null;
  for (let c = 0; c < channels; c++) {
    const from = least ?? (range.low[first + c] as number);
    const to = most ?? (range.high[first + c] as number);
    let [low, high] = [from, to];
    if (last !== null && last[0] === from && last[1] === to) [, , low, high] = last;
    else if (counts > 0) {
      [low, high] = [127, -127];
      for (let n = 1; n <= counts; n++) {
        const [m, s] = [multiplier[n - 1] as number, shift[n - 1] as number];
        low = Math.min(low, clamped(from * n * m, s, 127));
        high = Math.max(high, clamped(to * n * m, s, 127));
      }
    }
    last = [from, to, low, high];
    set(c, low, high, range.moves[first + c] as number);
  }
}
