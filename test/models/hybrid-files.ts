//! Files that begin ternary and end in other operators.
import { prng } from "../../agent/base/prng.js";
import { writeModel, writeTensor, writeValueInfo } from "../../agent/models/onnx/write.js";
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
