//! From a plan to what the core and the CPU do of it: which stages fit the core and why the others
//! do not, where their weights lie in its memories, and which runs of the core compute them.
import type { Layer, Plan, Stage } from "../backend.js";
import {
  AT,
  FIELD_MAX,
  FLAG,
  MULTIPLIER_MAX,
  SHIFT_MAX,
  type Shape,
  STAGE_WORDS,
} from "./registers.js";

/** Bytes of the arena. */
export type Region = { readonly from: number; readonly bytes: number };

export type Words = { readonly at: number; readonly count: number };

/** One start of the core: stages that feed one another, or some places of a stage alone. */
export type Run = {
  /** The first of its stages in the memory of the core. */
  readonly stage: number;
  readonly count: number;
  /** Word address in the arena that is word 0 of the core's activations. */
  readonly base: number;
  /** Words to send from there. */
  readonly words: number;
  /** Words of the core's activations that are pads between its stages: zero before each run. */
  readonly zeros: readonly Words[];
  readonly y: Region;
  /** Where y begins in the core's activations, in bytes. */
  readonly yAt: number;
  /** The sums of the last stage in place of its int8 steps. */
  readonly raw: boolean;
  /** Clocks it takes at most. */
  readonly cycles_max: number;
};

/** Stages first to last of the plan, on the core or on the CPU. */
export type Part = {
  readonly first: number;
  readonly last: number;
  /** Null on the CPU. */
  readonly runs: readonly Run[] | null;
};

export type Upload = { readonly addr: number; readonly words: Uint32Array };

export type Program = {
  readonly parts: readonly Part[];
  readonly uploads: readonly Upload[];
  /** Why stages run on the CPU, one line each. */
  readonly why: readonly string[];
};

/** What is taken of the core's memories: models share it and keep what they have. */
export type Usage = { weight_words: number; rows: number; stages: number };

export const xOf = ({ layer, places, step, from }: Stage): Region => ({
  from,
  bytes: (places - 1) * step + layer.cols,
});
export const yOf = ({ layer, places, to }: Stage): Region => ({
  from: to,
  bytes: places * layer.rows,
});
const endOf = ({ from, bytes }: Region): number => from + bytes;
const meet = (a: Region, b: Region): boolean => a.from < endOf(b) && b.from < endOf(a);

/** Every stage reads what the one before wrote, zeros, and nothing else: then parts can be cut. */
function isChain({ stages, input }: Plan): boolean {
  const ys = stages.map(yOf);
  const given = { from: input.at, bytes: input.channels * input.length };
  return stages.every((stage, i) => {
    const x = xOf(stage);
    return (i === 0 || !meet(x, given)) && ys.every((y, k) => k === i - 1 || !meet(x, y));
  });
}

/** Why the core cannot compute the stage, or null. */
function whyNot({ layer, places }: Stage, raw: boolean, shape: Shape): string | null {
  const { rows, cols, weights, ternary, bias, multiplier, shift } = layer;
  const sum_max = 2 ** (shape.acc_bits - 1) - 1;
  if (!ternary) return "its weights are int8, not ternary";
  if (rows > FIELD_MAX || places > FIELD_MAX) return `more than ${FIELD_MAX} rows or places`;
  const bytes = cols + rows * (raw ? 4 : 1) + 3 * SPARE_BYTES;
  if (bytes > shape.data_bytes) return `${cols} columns and ${rows} rows, beyond its activations`;
  for (let row = 0; row < rows; row++) {
    let total = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) total += Math.abs(weights[i] as number);
    const most = 127 * total + Math.abs(bias[row] as number);
    if (most > sum_max) return `sums reach ${most}, it holds ${sum_max}`;
    if ((multiplier[row] as number) > MULTIPLIER_MAX) return "a multiplier has more than 15 bits";
    const s = shift[row] as number;
    if (s < 1 || s > SHIFT_MAX) return `a shift of ${s}`;
  }
  return null;
}

/** What is planned of a core: the parts of a plan, and what to write into its memories first. */
export function compile(plan: Plan, shape: Shape, usage: Usage): Program {
  const last = plan.stages.length - 1;
  const onCpu = (why: string): Program => ({
    parts: [{ first: 0, last, runs: null }],
    uploads: [],
    why: [why],
  });
  if (!isChain(plan)) return onCpu("its stages are no chain");
  const why: string[] = [];
  const uploads: Upload[] = [];
  const taken = { ...usage };
  const pieces = plan.stages.map((stage, i): Piece | null => {
    const raw = plan.output.sums && i === last;
    const not = whyNot(stage, raw, shape) ?? noRoom(stage.layer, shape, taken);
    if (not !== null) {
      why.push(`layer ${i}: ${not}`);
      return null;
    }
    const { weight_words: weights, rows: params } = taken;
    uploads.push(...layerUploads(stage.layer, shape, taken));
    return { stage, weights, params, place: 0, places: stage.places, raw };
  });
  const parts = partsOf(pieces, shape, taken, uploads);
  if (parts === null) return onCpu(`its ${shape.stages} stages are taken`);
  Object.assign(usage, taken);
  return { parts, uploads, why };
}

/** Some places of a stage, with the addresses of its weights and parameters. */
type Piece = {
  readonly stage: Stage;
  readonly weights: number;
  readonly params: number;
  readonly place: number;
  readonly places: number;
  readonly raw: boolean;
};

const weightWords = ({ rows, cols }: Layer, { lanes }: Shape): number =>
  Math.ceil(rows / lanes) * cols;

function noRoom(layer: Layer, shape: Shape, usage: Usage): string | null {
  const free = shape.weight_words - usage.weight_words;
  const words = weightWords(layer, shape);
  if (words > free) return `${words} words of weights, ${free} are free`;
  const rows = shape.rows - usage.rows;
  return layer.rows > rows ? `${layer.rows} rows, ${rows} are free` : null;
}

/** Weights and parameters of a layer as the core holds them; takes their place. */
function layerUploads(layer: Layer, shape: Shape, usage: Usage): Upload[] {
  const { rows, cols, weights, bias, multiplier, shift } = layer;
  const { lanes } = shape;
  const width = lanes / 16; // bus words of one column of a block of rows
  const packed = new Uint32Array(weightWords(layer, shape) * width);
  for (let row = 0; row < rows; row++) {
    const lane = row % lanes;
    const field = 2 * (lane % 16);
    let at = Math.floor(row / lanes) * cols * width + (lane >> 4);
    for (let col = 0; col < cols; col++) {
      // 00 is 0, 01 is +1, 11 is -1.
      const code = (weights[row * cols + col] as number) & 3;
      packed[at] = (packed[at] as number) | (code << field);
      at += width;
    }
  }
  const params = new Uint32Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    params[2 * row] = bias[row] as number;
    params[2 * row + 1] = ((shift[row] as number) << 16) | (multiplier[row] as number);
  }
  const uploads = [
    { addr: AT.weights + usage.weight_words * width, words: packed },
    { addr: AT.params + 2 * usage.rows, words: params },
  ];
  usage.weight_words += weightWords(layer, shape);
  usage.rows += rows;
  return uploads;
}

/** Null when the core has too few stages. */
function partsOf(
  pieces: readonly (Piece | null)[],
  shape: Shape,
  usage: Usage,
  uploads: Upload[],
): Part[] | null {
  const parts: Part[] = [];
  let chain: Piece[] = [];
  let runs: Run[] = [];
  const close = (): void => {
    if (chain.length > 0) runs.push(runOf(chain, shape.lanes, usage, uploads));
    chain = [];
  };
  for (const [i, piece] of pieces.entries()) {
    const before = parts.at(-1);
    if (
      (piece === null) !== (before !== undefined && before.runs === null) ||
      before === undefined
    ) {
      close();
      runs = [];
      parts.push({ first: i, last: i, runs: piece === null ? null : runs });
    } else {
      parts[parts.length - 1] = { ...before, last: i };
    }
    if (piece === null) continue;
    if (layout([...chain, piece]).end <= shape.data_bytes) {
      chain.push(piece);
      continue;
    }
    close();
    const cut = inPlaces(piece, shape);
    for (const one of cut) {
      chain = [one];
      // What follows needs all places, so nothing joins a stage that was cut.
      if (cut.length > 1) close();
    }
  }
  close();
  return usage.stages > shape.stages ? null : parts;
}

/** A stage in as many pieces as its activations need. */
function inPlaces(piece: Piece, shape: Shape): Piece[] {
  const pieces: Piece[] = [];
  for (let place = 0; place < piece.places; ) {
    let places = piece.places - place;
    // One place fits, as `whyNot` has seen.
    while (layout([{ ...piece, place, places }]).end > shape.data_bytes)
      places = Math.ceil(places / 2);
    pieces.push({ ...piece, place, places });
    place += places;
  }
  return pieces;
}

/** Up to 3 bytes before x, up to 3 between the planes and at the end. */
const SPARE_BYTES = 4;

const xOfPiece = ({ stage, place, places }: Piece): Region => ({
  from: stage.from + place * stage.step,
  bytes: (places - 1) * stage.step + stage.layer.cols,
});
const yOfPiece = ({ stage, place, places }: Piece): Region => ({
  from: stage.to + place * stage.layer.rows,
  bytes: places * stage.layer.rows,
});
const down = (bytes: number): number => bytes & ~3;
const up = (bytes: number): number => (bytes + 3) & ~3;

/**
 * Where the planes of a chain lie in the core's activations, in bytes: one for each x, with what
 * the stage before wrote, and one for the last y. They follow one another; the first keeps its
 * distance from a whole word, so that it is sent as it lies in the arena.
 */
function layout(chain: readonly Piece[]): { x: number[]; y: number[]; end: number } {
  const x: number[] = [];
  const y: number[] = [];
  let at = xOfPiece(chain[0] as Piece).from & 3;
  for (const [i, piece] of chain.entries()) {
    const reads = xOfPiece(piece);
    const before = chain[i - 1];
    const written = before === undefined ? reads : yOfPiece(before);
    const from = Math.min(reads.from, written.from);
    if (before !== undefined) y.push(at + written.from - from);
    x.push(at + reads.from - from);
    at = up(at + Math.max(endOf(reads), endOf(written)) - from);
  }
  const last = chain.at(-1) as Piece;
  y.push(at);
  return { x, y, end: up(at + yOfPiece(last).bytes * (last.raw ? 4 : 1)) };
}

function runOf(chain: readonly Piece[], lanes: number, usage: Usage, uploads: Upload[]): Run {
  const [first, last] = [chain[0] as Piece, chain.at(-1) as Piece];
  const at = layout(chain);
  const zeros: Words[] = [];
  const words = chain.flatMap((piece, i) => {
    const { stage, places, weights, params, raw } = piece;
    const { rows, cols, relu } = stage.layer;
    const [x = 0, y = 0] = [at.x[i], at.y[i]];
    if (i > 0) {
      const from = at.y[i - 1] ?? 0;
      const written = { from, bytes: yOfPiece(chain[i - 1] as Piece).bytes };
      zeros.push(...padsOf({ from: x, bytes: xOfPiece(piece).bytes }, written));
    }
    const flags = (raw ? FLAG.raw : 0) | (relu ? FLAG.relu : 0);
    const step = places === 1 ? 0 : stage.step;
    return [rows | flags, cols, places, weights, params, x, step, y];
  });
  const stage = usage.stages;
  uploads.push({ addr: AT.stages + STAGE_WORDS * stage, words: Uint32Array.from(words) });
  usage.stages += chain.length;
  const x = xOfPiece(first);
  const base = down(x.from);
  const send = up(endOf(x) - base) / 4;
  const run = { stage, count: chain.length, base: base / 4, words: send, zeros };
  const cycles_max = chain.reduce((sum, piece) => sum + cyclesOf(piece, lanes), 0);
  return { ...run, y: yOfPiece(last), yAt: at.y.at(-1) ?? 0, raw: last.raw, cycles_max };
}

/** A block takes its columns or, when they are few, as long as the one before it drains. */
function cyclesOf({ stage, places }: Piece, lanes: number): number {
  const { rows, cols } = stage.layer;
  return places * Math.ceil(rows / lanes) * (Math.max(cols, lanes) + 4) + lanes + 32;
}

/** Words of a stage's x on both sides of what the stage before writes. */
function padsOf(x: Region, y: Region): Words[] {
  const words = (from: number, to: number): Words => ({
    at: down(from) / 4,
    count: (up(to) - down(from)) / 4,
  });
  const before = y.from > x.from ? [words(x.from, y.from)] : [];
  return endOf(x) > endOf(y) ? [...before, words(endOf(y), endOf(x))] : before;
}
