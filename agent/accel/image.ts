//! A plan as the bytes that agent/accel/native/net.hpp computes from: header, stages, packed
//! weights. Every size and offset is checked here, because the code that reads them checks nothing.
import { assert } from "../base/errors.js";
import {
  BATCH_MAX,
  type Layer,
  type Plan,
  ROW_GAP_BYTES,
  STEP_MAX,
  STEP_MAX_SMALL,
  type Stage,
} from "./backend.js";
import { FORM, packLayer, TILE } from "./pack.js";

export const COLS_MAX = 65_536;
const ALIGN = 64;
const MAGIC = 0x5354_524e;
const HEADER_BYTES = 128;
const STAGE_BYTES = 64;
const IMAGE_BYTES_MAX = 2 ** 30;
/** As in native/layout.hpp. */
const ROWS_MAX = 6;
const LOOKUP_ROWS = 3;
const TABLE_BYTES = LOOKUP_ROWS * 64 * 128;

export type Image = {
  readonly bytes: Uint8Array;
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly batch: number;
};

const align = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** `lookup`: the kernel can look up the sums of x within +-7 (`STEP_MAX_SMALL`). */
export function imageOf(plan: Plan, batch: number, lookup = false): Image {
  check(plan, batch);
  const { input, stages, output } = plan;
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let end = align(HEADER_BYTES + stages.length * STAGE_BYTES);
  const put = (view: ArrayBufferView): number => {
    const at = end;
    parts.push({ at, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) });
    end = align(end + view.byteLength);
    return at;
  };
  const drafts = stages.map((stage, i) => stageWords(stage, lookup && isSmall(plan, i), put));
  // Kernels take sixteen at a time.
  const scales = new Float64Array(Math.ceil(output.channels / TILE) * TILE);
  scales.set(output.scale);
  const scale = put(scales);
  assert(end <= IMAGE_BYTES_MAX, "image: within 1 GiB");
  // Kernels read whole quads: up to 3 bytes beyond the last row. An odd number of cache lines keeps
  // the assets of a batch out of one cache set.
  const used = align(plan.arena_bytes + ROW_GAP_BYTES);
  const stride = used % 128 === 0 ? used + 64 : used;
  const totals = Math.max(batch, ...stages.map((stage) => stage.places));
  const bytes = new Uint8Array(end);
  const header = new Uint32Array(bytes.buffer, 0, 16);
  header.set([MAGIC, stages.length, stride, batch]);
  header.set([input.channels, input.length, input.at, output.channels], 4);
  header.set([output.places, output.at, output.sums ? 1 : 0, output.relu ? 1 : 0], 8);
  header.set([scale, HEADER_BYTES, end, totals], 12);
  new Float64Array(bytes.buffer, 64, 1)[0] = input.inverse;
  const lane = Math.max(...drafts.map((draft) => draft.lane_bytes));
  new Uint32Array(bytes.buffer, 72, 2).set([input.limit ?? STEP_MAX, lane]);
  for (const [i, { words }] of drafts.entries()) {
    new Uint32Array(bytes.buffer, HEADER_BYTES + i * STAGE_BYTES, 16).set(words);
  }
  for (const part of parts) bytes.set(part.bytes, part.at);
  const sizeIn = input.channels * input.length;
  return { bytes, sizeIn, sizeOut: output.channels * output.places, batch };
}

type Draft = { readonly words: readonly number[]; readonly lane_bytes: number };

function stageWords(
  stage: Stage,
  small: boolean,
  put: (view: ArrayBufferView) => number,
): Draft {
  const { layer, places, step, from, to } = stage;
  const { rows, cols, ternary, relu, limit = STEP_MAX } = layer;
  const tiles = Math.ceil(rows / TILE);
  const bias = new Int32Array(tiles * TILE);
  const scale = new Float64Array(tiles * TILE);
  bias.set(layer.bias);
  // Exact: a multiplier of 15 bits by a power of two.
  layer.multiplier.forEach((m, row) => {
    scale[row] = m * 2 ** -(layer.shift[row] as number);
  });
  const packed = packLayer(layer, small);
  const weights = put(packed.weights);
  const sparse = packed.sparse === null ? 0 : put(packed.sparse);
  const fold = ternary ? 0 : put(foldOf(layer)); // no ternary kernel folds
  const shape = [rows, cols, Math.ceil(cols / 4), places, step, from, to, packed.form];
  const tables = [relu ? 1 : 0, weights, put(bias), put(scale), limit, fold, sparse];
  // What one lane works in: run_tile gathers x there, run_lookups keeps tables and sums.
  const gathered = packed.sparse === null ? 0 : ROWS_MAX * align(cols);
  const sums = packed.form === FORM.lookup ? TABLE_BYTES + LOOKUP_ROWS * tiles * TILE * 4 : 0;
  return { words: [...shape, ...tables], lane_bytes: align(Math.max(gathered, sums)) };
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

/** Whether all that can lie in the x of a stage was clipped to +-7. */
function isSmall({ input, stages }: Plan, at: number): boolean {
  const { layer, places, step, from } = stages[at] as Stage;
  const end = from + (places - 1) * step + layer.cols;
  const meets = (to: number, bytes: number): boolean => to < end && to + bytes > from;
  const large = (limit: number | undefined): boolean => (limit ?? STEP_MAX) > STEP_MAX_SMALL;
  if (large(input.limit) && meets(input.at, input.channels * input.length)) return false;
  return !stages.some((s) => large(s.layer.limit) && meets(s.to, s.places * s.layer.rows));
}

function check(plan: Plan, batch: number): void {
  const { input, stages, output, arena_bytes } = plan;
  const inside = (from: number, bytes: number): boolean =>
    Number.isInteger(from) && from >= 0 && bytes >= 0 && from + bytes <= arena_bytes;
  assert(Number.isInteger(batch) && batch >= 1 && batch <= BATCH_MAX, "image: batch");
  assert(arena_bytes * batch <= IMAGE_BYTES_MAX, "image: arena within 1 GiB");
  assert(inside(input.at, input.channels * input.length), "image: input");
  assert(output.sums || inside(output.at, output.channels * output.places), "image: output");
  assert(output.scale.length === output.channels, "image: output scales");
  assert(isLimit(input.limit), "image: limit of the input");
  assert(stages.length > 0, "image: a stage");
  for (const [i, { layer, places, step, from, to }] of stages.entries()) {
    const { rows, cols, weights, ternary, bias, multiplier, shift } = layer;
    const last = output.sums && i === stages.length - 1;
    assert(rows > 0 && cols > 0 && cols <= COLS_MAX, "image: shape of a layer");
    assert(weights.length === rows * cols, "image: weights");
    assert(withinRange(weights, ternary ? 1 : 127), "image: a weight is out of range");
    const sized = [bias, multiplier, shift].every((list) => list.length === rows);
    assert(sized && shift.every((s) => s >= 1 && s <= 31), "image: scales of a layer");
    assert(isLimit(layer.limit), "image: limit of a layer");
    assert(places >= 1 && step >= 0, "image: places");
    assert(inside(from, (places - 1) * step + cols), "image: x of a stage");
    assert(last || inside(to, places * rows), "image: y of a stage");
    const end = from + (places - 1) * step + cols + ROW_GAP_BYTES;
    assert(last || to >= end || to + places * rows <= from, "image: y of a stage touches its x");
    const fits = !last || (output.channels === rows && output.places === places);
    assert(fits, "image: the last stage is the output");
  }
}

function isLimit(limit = STEP_MAX): boolean {
  return Number.isInteger(limit) && limit >= 1 && limit <= STEP_MAX;
}

function withinRange(weights: Int8Array, most: number): boolean {
  for (let i = 0; i < weights.length; i++) {
    if (Math.abs(weights[i] as number) > most) return false;
  }
  return true;
}
