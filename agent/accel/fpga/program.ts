//! From a plan to what the core and the CPU do of it: which stages fit the core and why the others
//! do not, where their weights lie in its memories, and which runs of the core compute them.
import { type Layer, type Matmul, type Plan, STEP_MAX } from "../backend.js";
import { AT, FIELD_MAX, MULTIPLIER_MAX, SHIFT_MAX, type Shape } from "./registers.js";
import {
  endOf,
  type Part,
  type Piece,
  partsOf,
  type Region,
  type Slot,
  SPARE_BYTES,
  type Upload,
  type Usage,
  xOf,
  yOf,
} from "./runs.js";

export type Program = {
  readonly parts: readonly Part[];
  readonly uploads: readonly Upload[];
  /** Why stages run on the CPU, one line each. */
  readonly why: readonly string[];
  /** What is taken of the core's memories with it. */
  readonly usage: Usage;
};

const meet = (a: Region, b: Region): boolean => a.from < endOf(b) && b.from < endOf(a);

/**
 * Why parts of the plan cannot run in different places, or null: every stage must read what the one
 * before wrote, zeros, and nothing else.
 */
function whyWhole({ stages, input, state }: Plan): string | null {
  if (state.length > 0) return "it has a state";
  const wide = stages.some(
    (stage) => stage.kind === "add" && [stage.a, stage.b, stage.y].some((rows) => rows.wide),
  );
  if (wide) return "it has steps of 16 bits";
  const ys = stages.map(yOf);
  const { at, line, lines, length, channels } = input;
  const given = { from: at, bytes: (lines - 1) * line + length * channels };
  const chain = stages.every((stage, i) => {
    const x = xOf(stage);
    return (i === 0 || !meet(x, given)) && ys.every((y, k) => k === i - 1 || !meet(x, y));
  });
  return chain ? null : "its stages are no chain";
}

/** Why the core cannot compute the stage, or null. */
function whyNot(stage: Matmul, raw: boolean, shape: Shape): string | null {
  const { layer, places, lines, runs, y } = stage;
  if (lines > 1 || runs !== null) return "its rows are gathered or in two dimensions";
  const { limit = STEP_MAX, rows, cols, weights, ternary, bias, multiplier, shift } = layer;
  if (places > 1 && y.step !== rows) return "its places do not follow one another";
  if (limit !== STEP_MAX) return `its steps end at ${limit}`;
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
    usage,
  });
  const whole = whyWhole(plan);
  if (whole !== null) return onCpu(whole);
  const why: string[] = [];
  const uploads: Upload[] = [];
  const taken = { ...usage, layers: new Map(usage.layers) };
  const pieces = plan.stages.map((stage, i): Piece | null => {
    const raw = plan.output.sums && i === last;
    const not =
      stage.kind === "matmul"
        ? (whyNot(stage, raw, shape) ?? noRoom(stage.layer, shape, taken))
        : `${stage.kind} is none of its operations`;
    if (not !== null || stage.kind !== "matmul") {
      why.push(`layer ${i}: ${not}`);
      return null;
    }
    const slot = taken.layers.get(stage.layer) ?? takeSlot(stage.layer, shape, taken, uploads);
    return { stage, ...slot, place: 0, places: stage.places, raw };
  });
  const parts = partsOf(pieces, shape, taken, uploads);
  if (parts === null) return onCpu(`its ${shape.stages} stages are taken`);
  return { parts, uploads, why, usage: taken };
}

const weightWords = ({ rows, cols }: Layer, { lanes }: Shape): number =>
  Math.ceil(rows / lanes) * cols;

function noRoom(layer: Layer, shape: Shape, usage: Usage): string | null {
  if (usage.layers.has(layer)) return null;
  const free = shape.weight_words - usage.weight_words;
  const words = weightWords(layer, shape);
  if (words > free) return `${words} words of weights, ${free} are free`;
  const rows = shape.rows - usage.rows;
  return layer.rows > rows ? `${layer.rows} rows, ${rows} are free` : null;
}

/** Weights and parameters of a layer as the core holds them. */
function takeSlot(layer: Layer, shape: Shape, usage: Usage, uploads: Upload[]): Slot {
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
  const slot = { weights: usage.weight_words, params: usage.rows };
  uploads.push({ addr: AT.weights + slot.weights * width, words: packed });
  uploads.push({ addr: AT.params + 2 * slot.params, words: params });
  usage.weight_words += weightWords(layer, shape);
  usage.rows += rows;
  usage.layers.set(layer, slot);
  return slot;
}
