//! A plan as the bytes that agent/accel/native/net.hpp computes from: header, stages, packed
//! weights. image-check.ts has checked every size and offset, because the code that reads them
//! checks nothing.
import { assert } from "../base/errors.js";
import type { Depthwise, Layer, Matmul, Plan, Pool, Rows, Stage } from "./backend.js";
import { ROW_GAP_BYTES, STEP_MAX } from "./backend.js";
import { checkPlan, IMAGE_BYTES_MAX, isSmall } from "./image-check.js";
import { FORM, type Packed, packedBytes, packLayer, type Shape, TILE } from "./pack.js";

export { COLS_MAX } from "./image-check.js";

const ALIGN = 64;
const MAGIC = 0x5354_524e;
// The rest mirrors native/layout.hpp.
const HEADER_BYTES = 192;
const STAGE_WORDS = 48;
const GATHER_ROWS = 48;
const ROWS_MAX = 6;
const LOOKUP_ROWS = 3;
const TABLE_BYTES = LOOKUP_ROWS * 64 * 128;
const KINDS = ["matmul", "depthwise", "add", "mul", "table", "pool"];

export type Image = {
  readonly bytes: Uint8Array;
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly batch: number;
};

/** `stride`: bytes from the arena of one asset to that of the next. */
export type NetImage = Image & { readonly stride: number };

/** Lays an array into the image: its offset. */
type Put = (view: ArrayBufferView) => number;
/** Fields of the struct Stage, by their word. */
type Words = Readonly<Record<number, number>>;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** `lookup`: the kernel can look up the sums of x within +-`STEP_MAX_SMALL`. */
export function imageOf(plan: Plan, batch: number, lookup = false): NetImage {
  checkPlan(plan, batch);
  const { input, stages, output, state } = plan;
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let end = align(HEADER_BYTES + stages.length * STAGE_WORDS * 4);
  const put = (view: ArrayBufferView): number => {
    const at = end;
    parts.push({ at, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) });
    end = align(end + view.byteLength);
    return at;
  };
  let lane = 0;
  const words = stages.map((stage) => {
    if (stage.kind !== "matmul") return stageWords(stage, put);
    const packed = packLayer(stage.layer, lookup && isSmall(plan, stage));
    lane = Math.max(lane, laneBytes(stage.layer, packed));
    return { ...stageWords(stage, put), ...packedWords(packed, put) };
  });
  const scale = put(padded(output.scale));
  const states = put(Uint32Array.from(state.flatMap((s) => [s.from, s.to, s.bytes])));
  assert(end <= IMAGE_BYTES_MAX, "image: within 1 GiB");
  // Kernels read whole quads: up to 3 bytes beyond the last row. An odd number of cache lines keeps
  // the assets of a batch out of one cache set.
  const used = align(plan.arena_bytes + ROW_GAP_BYTES);
  const stride = used % 128 === 0 ? used + 64 : used;
  const totals = Math.max(batch, GATHER_ROWS, ...stages.map((stage) => stage.places));
  const gather = Math.ceil(totals / 16) * 16;
  const scratch = gather + Math.max(0, ...stages.map(gatherWords));
  const bytes = new Uint8Array(end);
  const header = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4);
  header.set([MAGIC, stages.length, stride, batch]);
  header.set([input.channels, input.length, input.at, output.channels], 4);
  header.set([output.places, output.at, output.sums ? 1 : 0, output.relu ? 1 : 0], 8);
  header.set([scale, HEADER_BYTES, end, scratch], 12);
  header.set([input.lines, input.line, gather, state.length, states], 18);
  header.set([input.limit ?? STEP_MAX, align(lane)], 23);
  new Float64Array(bytes.buffer, 64, 1)[0] = input.inverse;
  for (const [i, fields] of words.entries()) {
    const at = HEADER_BYTES + i * STAGE_WORDS * 4;
    const into = new Uint32Array(bytes.buffer, at, STAGE_WORDS);
    for (const [word, value] of Object.entries(fields)) into[Number(word)] = value;
  }
  for (const part of parts) bytes.set(part.bytes, part.at);
  const sizeIn = input.channels * input.lines * input.length;
  return { bytes, sizeIn, sizeOut: output.channels * output.places, batch, stride };
}

/** The most that a stage takes in the image; the planner refuses what is more than it holds. */
export function stageBytes(stage: Stage): number {
  // Each of its arrays, at most eight, begins at a line of its own.
  const own = STAGE_WORDS * 4 + 8 * ALIGN;
  switch (stage.kind) {
    case "matmul":
    case "depthwise": {
      const { layer } = stage;
      const matmul = stage.kind === "matmul";
      const weights = matmul ? packedBytes(layer) : layer.cols * align(layer.rows);
      const offsets = (matmul ? stage.runs : stage.taps)?.byteLength ?? 0;
      // Bias, scale and fold of each row.
      return own + weights + offsets + 16 * align(layer.rows);
    }
    case "add":
      return own + 4 * 8 * stage.channels;
    case "pool":
      return own + 8 * stage.multiplier.length;
    case "table":
      return own + stage.table.byteLength;
    case "mul":
      return own;
  }
}

/** Scratch for rows gathered and rows to be spread: both in blocks of GATHER_ROWS. */
function gatherWords(stage: Stage): number {
  if (stage.kind !== "matmul" || (stage.runs === null && stage.lines === 1)) return 0;
  const { rows, cols } = stage.layer;
  return (GATHER_ROWS * (align(cols) + align(rows))) / 4;
}

function stageWords(stage: Stage, put: Put): Words {
  const { kind, lines, places, y } = stage;
  const common = { 3: places, 16: KINDS.indexOf(kind), 17: lines };
  const to = { 6: y.at, 19: y.step, 20: y.line };
  const x = (rows: Rows): Words => ({ 4: rows.step, 5: rows.at, 18: rows.line });
  const b = (rows: Rows): Words => ({ 24: rows.at, 25: rows.step, 26: rows.line });
  if (kind === "matmul") return { ...common, ...to, ...x(stage.x), ...matmulWords(stage, put) };
  if (kind === "depthwise") return { ...common, ...to, ...x(stage.x), ...depthwise(stage, put) };
  const plane = { ...common, ...to, 0: stage.channels };
  if (kind === "table") return { ...plane, ...x(stage.x), 9: put(stage.table) };
  if (kind === "pool") return { ...plane, ...x(stage.x), ...poolWords(stage, put) };
  if (kind === "mul") {
    const [m, s] = [put(Int32Array.of(stage.multiplier)), put(Int32Array.of(stage.shift - 1))];
    return { ...plane, ...x(stage.a), ...b(stage.b), 11: m, 12: s };
  }
  const wide = (stage.a.wide ? 1 : 0) + (stage.b.wide ? 2 : 0) + (stage.y.wide ? 4 : 0);
  const gains = { 8: stage.relu ? 1 : 0, 11: put(stage.gainA), 13: put(stage.gainB), 27: wide };
  const rest = { 10: put(stage.bias), 12: put(Int32Array.from(stage.shift, (s) => s - 1)) };
  return { ...plane, ...x(stage.a), ...b(stage.b), ...gains, ...rest };
}

function matmulWords({ layer, runs }: Matmul, put: Put): Words {
  const fold = layer.ternary ? 0 : put(foldOf(layer)); // no ternary kernel folds
  const words = { ...layerWords(layer, put), 13: fold };
  if (runs === null) return words;
  return { ...words, 21: runs.length, 22: layer.cols / runs.length, 23: put(runs) };
}

function packedWords({ form, weights, sparse }: Packed, put: Put): Words {
  return { 7: form, 9: put(weights), 14: sparse === null ? 0 : put(sparse) };
}

/** What one lane works in: it gathers kept blocks of x there, or keeps tables and sums. */
export function laneBytes({ rows, cols }: Shape, { form, sparse }: Packed): number {
  const gathered = sparse === null ? 0 : ROWS_MAX * align(cols);
  if (form !== FORM.lookup) return gathered;
  return TABLE_BYTES + LOOKUP_ROWS * Math.ceil(rows / TILE) * TILE * 4;
}

/** Filters tap by tap, so that channels lie side by side as they do in x. */
function depthwise({ layer, taps }: Depthwise, put: Put): Words {
  const { rows, cols, weights } = layer;
  const turned = new Int8Array(cols * align(rows));
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < cols; tap++) {
      turned[tap * align(rows) + row] = weights[row * cols + tap] as number;
    }
  }
  const form = layer.ternary ? FORM.ternary : FORM.wide;
  return { ...layerWords(layer, put), 7: form, 9: put(turned), 21: cols, 23: put(taps) };
}

function poolWords(stage: Pool, put: Put): Words {
  const { height, width, kernel, stride, pad, mode } = stage;
  const sides = [height, width, ...kernel, ...stride, ...pad, mode === "max" ? 1 : 0];
  const shift = put(Int32Array.from(stage.shift, (s) => s - 1));
  const table = { 11: put(Int32Array.from(stage.multiplier)), 12: shift };
  return { ...table, ...Object.fromEntries(sides.map((side, i) => [28 + i, side])) };
}

function layerWords(layer: Layer, put: Put): Words {
  const { rows, cols, relu, limit = STEP_MAX } = layer;
  const bias = new Int32Array(Math.ceil(rows / TILE) * TILE);
  bias.set(layer.bias);
  // Exact: a multiplier of 15 bits by a power of two.
  const scale = Float64Array.from(layer.multiplier, (m, row) => m * 2 ** -(layer.shift[row] ?? 0));
  return {
    ...{ 0: rows, 1: cols, 2: Math.ceil(cols / 4), 8: relu ? 1 : 0 },
    ...{ 10: put(bias), 37: put(padded(scale)), 38: limit },
  };
}

/** Kernels take sixteen at a time. */
function padded(values: Float64Array): Float64Array {
  const all = new Float64Array(Math.ceil(values.length / TILE) * TILE);
  all.set(values);
  return all;
}

/** Kernels that take x as x + 128 start from here. */
function foldOf({ rows, cols, weights }: Layer): Int32Array {
  const fold = new Int32Array(Math.ceil(rows / TILE) * TILE);
  for (let row = 0; row < rows; row++) {
    let total = 0;
    const end = (row + 1) * cols;
    for (let i = row * cols; i < end; i++) total += weights[i] as number;
    fold[row] = -128 * total;
  }
  return fold;
}
