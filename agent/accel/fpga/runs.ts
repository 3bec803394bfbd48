//! How the stages that the core takes become its runs: which feed one another there, where their
//! planes lie in its activations, and which must be cut into pieces.
import type { Layer, Matmul, Stage } from "../backend.js";
import { readsOf, type Span, writesOf } from "../spans.js";
import { AT, FLAG, type Shape, STAGE_WORDS } from "./registers.js";

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

/** Where a layer lies: its first word of weights and its first row of parameters. */
export type Slot = { readonly weights: number; readonly params: number };

/** What is taken of the core's memories: models share them and keep what they have. */
export type Usage = {
  weight_words: number;
  rows: number;
  stages: number;
  layers: Map<Layer, Slot>;
};

export const nothingTaken = (): Usage => ({
  weight_words: 0,
  rows: 0,
  stages: 0,
  layers: new Map(),
});

const regionOf = ({ from, to }: Span): Region => ({ from, bytes: to - from });
/** What a stage reads, in one piece, and what it writes. */
export function xOf(stage: Stage): Region {
  const reads = readsOf(stage);
  const from = Math.min(...reads.map((read) => read.from));
  return regionOf({ from, to: Math.max(...reads.map((read) => read.to)) });
}
export const yOf = (stage: Stage): Region => regionOf(writesOf(stage));
export const endOf = ({ from, bytes }: Region): number => from + bytes;

/** Some places of a stage, with the addresses of its weights and parameters. */
export type Piece = Slot & {
  readonly stage: Matmul;
  readonly place: number;
  readonly places: number;
  readonly raw: boolean;
};

/** Null when the core has too few stages. */
export function partsOf(
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
export const SPARE_BYTES = 4;

const xOfPiece = ({ stage, place, places }: Piece): Region => ({
  from: stage.x.at + place * stage.x.step,
  bytes: (places - 1) * stage.x.step + stage.layer.cols,
});
const yOfPiece = ({ stage, place, places }: Piece): Region => ({
  from: stage.y.at + place * stage.layer.rows,
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
    const step = places === 1 ? 0 : stage.x.step;
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
