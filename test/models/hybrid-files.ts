//! Files that begin ternary and end in other operators.

import { prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { type Draft, quantise, writeLayer } from "../../agent/models/onnx/write-layers.js";
import { dense, whole } from "./mixed-nets.js";

const FLOAT = 1;
const INT8 = 3;
const STEP = Math.fround(0.03);

/** x -> ternary dense -> [tail], with `more` nodes at its end, that read "h" and write "y". */
export function fileOf(seed: number, tail: readonly Uint8Array[], size = 6): Uint8Array {
  const random = prng(seed, "hybrid");
  const draft: Draft = { nodes: [], tensors: [writeTensor("zero", [], INT8, new Uint8Array(1))] };
  const cols = whole(random, 2, 9);
  quantise(draft, "x", STEP, "in", "step_in");
  const x = { tensor: "step_in", shape: [cols], scale: STEP };
  writeLayer(draft, dense(random, size, cols), 0, [x], "real0");
  quantise(draft, "real0", STEP, "0", "h");
  const graph = {
    name: "hybrid",
    nodes: [...draft.nodes, ...tail],
    tensors: draft.tensors,
    inputs: [writeValueInfo("x", FLOAT, [cols])],
    outputs: [writeValueInfo("y", FLOAT, [size])],
  };
  return writeModel(graph, { "": 25 }, []);
}

/** A piece of a graph: what it writes, from the tensor `from` with `size` values. */
export type Piece = (
  draft: Draft,
  from: string,
  size: number,
  key: string,
) => { readonly to: string; readonly size: number };

/** Two ternary layers between int8 steps. */
export const ternary =
  (seed: number, size = 6): Piece =>
  (draft, from, cols, key) => {
    const random = prng(seed, `piece ${key}`);
    let x = { tensor: `steps_${key}`, shape: [cols], scale: STEP };
    quantise(draft, from, STEP, `in_${key}`, x.tensor);
    for (const at of [0, 1]) {
      const index = 10 * draft.nodes.length + at;
      const made = `h${at}_${key}`;
      writeLayer(draft, dense(random, size, x.shape[0] as number), index, [x], `real_${made}`);
      quantise(draft, `real_${made}`, STEP, made, made);
      x = { tensor: made, shape: [size], scale: STEP };
    }
    return { to: x.tensor, size };
  };

/** Sine, which no ternary layer computes, plus what it was of. */
export const sine: Piece = (draft, from, size, key) => {
  draft.nodes.push(writeNode("Sin", [from], [`sin_${key}`]));
  draft.nodes.push(writeNode("Add", [`sin_${key}`, from], [`sum_${key}`]));
  return { to: `sum_${key}`, size };
};

/** The pieces one after another, from "x" of `size` values to "y". */
export function chainOf(size: number, pieces: readonly Piece[]): Uint8Array {
  const draft: Draft = { nodes: [], tensors: [writeTensor("zero", [], INT8, new Uint8Array(1))] };
  let at: { readonly to: string; readonly size: number } = { to: "x", size };
  for (const [i, piece] of pieces.entries()) at = piece(draft, at.to, at.size, `${i}`);
  draft.nodes.push(writeNode("Identity", [at.to], ["y"]));
  const graph = {
    ...{ name: "chain", nodes: draft.nodes, tensors: draft.tensors },
    inputs: [writeValueInfo("x", FLOAT, [size])],
    outputs: [writeValueInfo("y", FLOAT, [at.size])],
  };
  return writeModel(graph, { "": 25 }, []);
}

export function opened(model: Model | string): Model {
  if (typeof model === "string") throw new Error(model);
  return model;
}

/** The whole file in ONNX Runtime. */
export function wholeOf(bytes: Uint8Array): Model {
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  return opened(openDense(onnx, bytes, "sha256:whole"));
}
