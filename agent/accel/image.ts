//! A plan as the bytes that agent/accel/native/net.hpp computes from: header, stages, packed
//! weights. Every size and offset is checked here, because the code that reads them checks nothing.
import { assert } from "../base/errors.js";
import { BATCH_MAX, type Plan, ROW_GAP_BYTES, type Stage } from "./backend.js";
import { packTernary, packWide, TILE } from "./pack.js";

export const COLS_MAX = 65_536;
const ALIGN = 64;
const MAGIC = 0x5354_524e;
const HEADER_BYTES = 128;
const STAGE_BYTES = 64;
const IMAGE_BYTES_MAX = 2 ** 30;

export type Image = {
  readonly bytes: Uint8Array;
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly batch: number;
};

const align = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

export function imageOf(plan: Plan, batch: number): Image {
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
  const words = stages.map((stage) => stageWords(stage, put));
  const scale = put(output.scale);
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
  for (const [i, list] of words.entries()) {
    new Uint32Array(bytes.buffer, HEADER_BYTES + i * STAGE_BYTES, 16).set(list);
  }
  for (const part of parts) bytes.set(part.bytes, part.at);
  const sizeIn = input.channels * input.length;
  return { bytes, sizeIn, sizeOut: output.channels * output.places, batch };
}

function stageWords(stage: Stage, put: (view: ArrayBufferView) => number): number[] {
  const { layer, places, step, from, to } = stage;
  const { rows, cols, ternary, relu } = layer;
  const padded = Math.ceil(rows / TILE) * TILE;
  const bias = new Int32Array(padded);
  const multiplier = new Int32Array(padded);
  const shift = new Int32Array(padded);
  const fold = new Int32Array(padded);
  bias.set(layer.bias);
  multiplier.set(layer.multiplier);
  for (let row = 0; row < rows; row++) {
    // Stored one less: floor((v + 2^(s-1)) / 2^s) is ((v >> (s-1)) + 1) >> 1.
    shift[row] = (layer.shift[row] as number) - 1;
    if (ternary) continue; // no kernel folds those
    let total = 0;
    const end = (row + 1) * cols;
    for (let i = row * cols; i < end; i++) total += layer.weights[i] as number;
    // Kernels that take x as x + 128 start from here.
    fold[row] = -128 * total;
  }
  const quads = Math.ceil(cols / 4);
  const weights = put(ternary ? packTernary(layer) : packWide(layer));
  const channels = [weights, put(bias), put(multiplier), put(shift), put(fold), 0, 0];
  const flags = [ternary ? 1 : 0, relu ? 1 : 0];
  return [rows, cols, quads, places, step, from, to, ...flags, ...channels];
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
  assert(stages.length > 0, "image: a stage");
  for (const [i, { layer, places, step, from, to }] of stages.entries()) {
    const { rows, cols, weights, ternary, bias, multiplier, shift } = layer;
    const last = output.sums && i === stages.length - 1;
    assert(rows > 0 && cols > 0 && cols <= COLS_MAX, "image: shape of a layer");
    assert(weights.length === rows * cols, "image: weights");
    assert(withinRange(weights, ternary ? 1 : 127), "image: a weight is out of range");
    const sized = [bias, multiplier, shift].every((list) => list.length === rows);
    assert(sized && shift.every((s) => s >= 1 && s <= 31), "image: scales of a layer");
    assert(places >= 1 && step >= 0, "image: places");
    assert(inside(from, (places - 1) * step + cols), "image: x of a stage");
    assert(last || inside(to, places * rows), "image: y of a stage");
    const end = from + (places - 1) * step + cols + ROW_GAP_BYTES;
    assert(last || to >= end || to + places * rows <= from, "image: y of a stage touches its x");
    const fits = !last || (output.channels === rows && output.places === places);
    assert(fits, "image: the last stage is the output");
  }
}

function withinRange(weights: Int8Array, most: number): boolean {
  for (let i = 0; i < weights.length; i++) {
    if (Math.abs(weights[i] as number) > most) return false;
  }
  return true;
}
