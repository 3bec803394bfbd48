//! A model that begins as a ternary network and ends in operators that the integer path does not
//! know: cut at one int8 value, the front runs on the backend, the rest in ONNX Runtime.
import type { Backend } from "../accel/backend.js";
import { openDense } from "./dense.js";
import { DENSE_CPU, type DenseUse } from "./dense-provider.js";
import type { Model } from "./model.js";
import { planNetwork } from "./network.js";
import type { Node, OnnxModel } from "./onnx/model.js";
import { readOnnx } from "./onnx/read.js";
import { reachable, recognise } from "./onnx/recognise.js";
import { ELEMENT } from "./onnx/tensor.js";
import { isWeighted, type TernaryNet } from "./onnx/ternary-net.js";
import { writeModel, writeValueInfo } from "./onnx/write.js";

/** Values that are tried as the cut, from the last on. */
const TRIES_MAX = 64;

/** Null where no such cut exists; the whole file is then for ONNX Runtime. */
export function openHybrid(
  onnx: OnnxModel,
  backend: Backend,
  hash: string,
  use: DenseUse = DENSE_CPU,
): Model | string | null {
  const cut = findCut(onnx);
  if (cut === null) return null;
  const network = planNetwork(cut.front, backend, hash);
  // What the planner refuses ONNX Runtime may still run as a whole.
  if (typeof network === "string") return null;
  const bytes = restOf(onnx, cut);
  const model = readOnnx(bytes);
  if (typeof model === "string") return model;
  const rest = openDense(model, bytes, hash, { use });
  if (typeof rest === "string") return rest;
  const between = new Float32Array(network.outputs[0]?.size ?? 0);
  return {
    inputs: network.inputs,
    outputs: rest.outputs,
    hash,
    tier: rest.tier,
    engine: `ternary on ${network.backend}, then ${rest.engine}`,
    run([x], outputs): string | null {
      if (x === undefined) return "no input";
      network.infer(x, between);
      return rest.run([between], outputs);
    },
  };
}

type Cut = {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly front: TernaryNet;
  readonly rest: readonly Node[];
};

/** The last value that alone leads from what is ternary to what is not. */
function findCut(onnx: OnnxModel): Cut | null {
  const { graph } = onnx;
  const writers = new Map(graph.nodes.flatMap((node) => node.outputs.map((out) => [out, node])));
  for (const { tensor, shape } of reachable(onnx).slice(-TRIES_MAX).toReversed()) {
    const before = ancestorsOf(tensor, writers);
    const rest = graph.nodes.filter((node) => !before.has(node) || isConstant(node, onnx));
    const made = new Set([tensor, "", ...graph.initializers.keys()]);
    for (const { outputs } of rest) for (const output of outputs) made.add(output);
    const alone = rest.every(({ inputs }) => inputs.every((input) => made.has(input)));
    if (!alone || !graph.outputs.every(({ name }) => made.has(name) && name !== tensor)) continue;
    const nodes = graph.nodes.filter((node) => before.has(node));
    const output = { name: tensor, type: ELEMENT.FLOAT, dims: null, raw: new Uint8Array(0) };
    const front = recognise({ ...onnx, graph: { ...graph, nodes, outputs: [output] } });
    if (typeof front !== "string" && front.layers.some(isWeighted)) {
      return { tensor, shape, front, rest };
    }
  }
  return null;
}

/** Weights and constants may serve both sides. */
function isConstant(node: Node, { graph }: OnnxModel): boolean {
  return node.inputs.every((input) => input === "" || graph.initializers.has(input));
}

function ancestorsOf(tensor: string, writers: ReadonlyMap<string, Node>): ReadonlySet<Node> {
  const found = new Set<Node>();
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = writers.get(name);
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    open.push(...node.inputs);
  }
  return found;
}

/** The rest as a file of its own, with the value of the cut as its input. */
function restOf({ graph, opsets }: OnnxModel, { tensor, shape, rest }: Cut): Uint8Array {
  const read = new Set(rest.flatMap((node) => node.inputs));
  const used = (name: string): boolean => read.has(name);
  const tensors = [...graph.initializers].filter(([name]) => used(name)).map(([, t]) => t.raw);
  const nodes = rest.filter(({ outputs }) => {
    return outputs.some((out) => used(out) || graph.outputs.some(({ name }) => name === out));
  });
  const whole = {
    name: "rest",
    nodes: nodes.map((node) => node.raw),
    tensors,
    inputs: [writeValueInfo(tensor, ELEMENT.FLOAT, shape)],
    outputs: graph.outputs.map(({ raw }) => raw),
  };
  return writeModel(whole, Object.fromEntries(opsets), []);
}
