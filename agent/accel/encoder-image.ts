//! An encoder as the bytes that native/encoder.hpp computes from. encoder.ts has checked it.
import { STEP_MAX_SMALL } from "./backend.js";
import {
  ACTIVATIONS,
  checkEncoder,
  type EncoderPlan,
  NORMS,
  ORDERS,
  type Projection,
  placeIn,
} from "./encoder.js";
import { align, type Image, laneBytes } from "./image.js";
import { packLayer, TILE } from "./pack.js";

// The rest mirrors native/encoder.hpp.
const MAGIC = 0x5345_4e44;
const HEADER_BYTES = 64;
const LAYER_WORDS = 48;
const LANES = 16;

type Put = (view: ArrayBufferView) => number;

/** `lookup`: the kernel can look up the sums of x within +-`STEP_MAX_SMALL`. */
export function encoderImage(plan: EncoderPlan, batch: number, lookup: boolean): Image {
  checkEncoder(plan, batch);
  const { sequence, width, heads, hidden, epsilon, limit, layers } = plan;
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let end = align(HEADER_BYTES + layers.length * LAYER_WORDS * 4);
  const put = (view: ArrayBufferView): number => {
    const at = end;
    parts.push({ at, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) });
    end = align(end + view.byteLength);
    return at;
  };
  const padded = Math.ceil(sequence / LANES) * LANES;
  const head = width / heads;
  // Of four rows the scores and what they weigh as words, of one its mask; or keys of sixteen.
  let lane = Math.max(4 * 7 * padded, 2 * LANES * head);
  const words = layers.map(({ in: first, out, up, down, norms }) => {
    const projections = [first, out, up, down];
    const list = projections.flatMap((projection) => {
      const made = projectionWords(projection, lookup && limit <= STEP_MAX_SMALL, put);
      lane = Math.max(lane, made.lane);
      return made.words;
    });
    const inverses = new Float32Array(projections.map(({ inverse }) => inverse));
    list.push(...new Uint32Array(inverses.buffer));
    list.push(...norms.map(({ gain }) => put(gain)), ...norms.map(({ offset }) => put(offset)));
    return list;
  });
  const ended = plan.end === null ? null : [put(plan.end.gain), put(plan.end.offset)];
  const bytes = new Uint8Array(end);
  const header = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4);
  header.set([MAGIC, end, sequence, padded, width, heads, hidden, layers.length]);
  header.set([batch, limit, align(lane), HEADER_BYTES], 8);
  new Float32Array(bytes.buffer, 48, 1)[0] = epsilon;
  header.set([formOf(plan), ...(ended ?? [0, 0])], 13);
  for (const [i, list] of words.entries()) {
    new Uint32Array(bytes.buffer, HEADER_BYTES + i * LAYER_WORDS * 4, LAYER_WORDS).set(list);
  }
  for (const part of parts) bytes.set(part.bytes, part.at);
  return { bytes, sizeIn: sequence * placeIn(plan), sizeOut: sequence * width, batch };
}

/** Two bits of the activation, one each of order, norm, mask, a norm at the end, causal. */
function formOf({ activation, order, norm, masked, end, causal }: EncoderPlan): number {
  const norms = 4 * ORDERS.indexOf(order) + 8 * NORMS.indexOf(norm);
  const flags = 16 * Number(masked) + 32 * Number(end !== null) + 64 * Number(causal);
  return ACTIVATIONS.indexOf(activation) + norms + flags;
}

function projectionWords(projection: Projection, small: boolean, put: Put) {
  const { rows, cols, scale, bias } = projection;
  const layer = { ...projection, ternary: true };
  const packed = packLayer(layer, small);
  const { form, weights, sparse } = packed;
  const where = [put(weights), sparse === null ? 0 : put(sparse)];
  const words = [
    rows,
    cols,
    Math.ceil(cols / 4),
    form,
    ...where,
    put(wide(scale)),
    put(wide(bias)),
  ];
  return { words, lane: laneBytes(layer, packed) };
}

/** Kernels take sixteen at a time. */
function wide(values: Float32Array): Float32Array {
  const all = new Float32Array(Math.ceil(values.length / TILE) * TILE);
  all.set(values);
  return all;
}
