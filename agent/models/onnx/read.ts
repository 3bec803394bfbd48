//! Reads an ONNX file that may come from anybody. Every length and shape is checked before anything
//! is kept, and there is no recursion: sub-graphs are stepped over. One text says what is wrong.
import { createHash } from "node:crypto";
import {
  type Attribute,
  type Graph,
  type Node,
  nodeName,
  type OnnxModel,
  quote,
  type ValueInfo,
} from "./model.js";
import { WireReader } from "./proto.js";
import { MODEL_BYTES_MAX, readTensor, readValueInfo } from "./read-tensor.js";
import type { Tensor } from "./tensor.js";
import { weightsFault } from "./weights-fault.js";

/** Nodes, names, attribute values together: bounds what the objects of a small file can weigh. */
const MODEL_ITEMS_MAX = 2_000_000;
/** The newest standard operator set known here. */
const OPSET_MAX = 25;

/** The entry of the metadata that stands last and holds the SHA-256 of all bytes before it. */
export const DIGEST_KEY = "sterna.sha256";

export function readOnnx(bytes: Uint8Array): OnnxModel | string {
  if (bytes.length === 0) return "the model file is empty";
  if (bytes.length > MODEL_BYTES_MAX) {
    const size = Math.ceil(bytes.length / 2 ** 20);
    return `the model file has ${size} MiB, at most ${MODEL_BYTES_MAX / 2 ** 20} are read`;
  }
  const wire = new WireReader(bytes, MODEL_ITEMS_MAX);
  const model = readModel(wire, bytes);
  if (wire.fault !== null) return `not a whole ONNX file: ${wire.fault}`;
  if (typeof model === "string") return model;
  return graphFault(model.graph) ?? weightsFault(model.graph) ?? model;
}

function readModel(wire: WireReader, bytes: Uint8Array): OnnxModel | string {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  let irVersion = 0;
  let producer = "";
  let graph: Graph | null = null;
  let functions = false;
  let digest: { readonly from: number; readonly to: number; readonly text: string } | null = null;
  let from = 0;
  while (wire.next(bytes.length)) {
    if (wire.field === 1) irVersion = wire.integer();
    else if (wire.field === 2) producer = wire.text();
    else if (wire.field === 7 && graph !== null) wire.fail("a second graph");
    else if (wire.field === 7) graph = readGraph(wire);
    else if (wire.field === 8) readOpset(wire, opsets);
    else if (wire.field === 14) {
      const [key, text] = readEntry(wire);
      if (metadata.has(key)) wire.fail(`metadata ${quote(key)} given twice`);
      metadata.set(key, text);
      if (key === DIGEST_KEY) digest = { from, to: wire.at, text };
    } else if (wire.field === 25) functions = true;
    from = wire.at;
  }
  if (wire.fault !== null) return wire.fault;
  if (graph === null) return "not an ONNX file: it has no graph";
  const opset = opsets.get("");
  if (irVersion < 1) return "not an ONNX file: it states no IR version";
  if (opsets.size === 0) return "the model states no operator set; it may be cut off";
  if (opset !== undefined && opset > OPSET_MAX) {
    return `the model uses operator set ${opset}; export it for ${OPSET_MAX} or older`;
  }
  const tampered = digestFault(bytes, metadata, digest);
  return tampered ?? { irVersion, opsets, producer, metadata, graph, functions };
}

/** A file of ours carries its digest; without it a cut between two metadata entries would pass. */
function digestFault(
  bytes: Uint8Array,
  metadata: ReadonlyMap<string, string>,
  digest: { readonly from: number; readonly to: number; readonly text: string } | null,
): string | null {
  const advice = "take a fresh copy of the file";
  if (digest === null) {
    const ours = [...metadata.keys()].some((key) => key.startsWith("sterna."));
    const what = `the model has sterna metadata but no ${DIGEST_KEY}`;
    return ours ? `${what}; write it last (docs/model-format.md, Metadata), or ${advice}` : null;
  }
  if (digest.to !== bytes.length) return `bytes were added after ${DIGEST_KEY}; ${advice}`;
  const found = createHash("sha256").update(bytes.subarray(0, digest.from)).digest("hex");
  if (found === digest.text) return null;
  return `the model was changed after it was written: ${DIGEST_KEY} does not match; ${advice}`;
}

function readOpset(wire: WireReader, opsets: Map<string, number>): void {
  const end = wire.enter();
  let domain = "";
  let version = 0;
  while (wire.next(end)) {
    if (wire.field === 1) domain = wire.text();
    else if (wire.field === 2) version = wire.integer();
  }
  opsets.set(domain === "ai.onnx" ? "" : domain, version);
}

function readEntry(wire: WireReader): [string, string] {
  const end = wire.enter();
  let key = "";
  let value = "";
  while (wire.next(end)) {
    if (wire.field === 1) key = wire.text();
    else if (wire.field === 2) value = wire.text();
  }
  return [key, value];
}

function readGraph(wire: WireReader): Graph {
  const end = wire.enter();
  const nodes: Node[] = [];
  const initializers = new Map<string, Tensor>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  let name = "";
  while (wire.next(end)) {
    if (!wire.keep(1)) break;
    const raw = wire.content();
    if (wire.field === 1) nodes.push({ ...readNode(wire), raw });
    else if (wire.field === 2) name = wire.text();
    else if (wire.field === 5) {
      const tensor = { ...readTensor(wire), raw };
      if (initializers.has(tensor.name)) wire.fail(`tensor ${quote(tensor.name)} given twice`);
      initializers.set(tensor.name, tensor);
    } else if (wire.field === 11) inputs.push({ ...readValueInfo(wire), raw });
    else if (wire.field === 12) outputs.push({ ...readValueInfo(wire), raw });
  }
  const real = inputs.filter((input) => !initializers.has(input.name));
  return { name, nodes, initializers, inputs: real, outputs };
}

function readNode(wire: WireReader): Omit<Node, "raw"> {
  const end = wire.enter();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let [name, op, domain] = ["", "", ""];
  while (wire.next(end)) {
    if (wire.field === 1) inputs.push(wire.text());
    else if (wire.field === 2) outputs.push(wire.text());
    else if (wire.field === 3) name = wire.text();
    else if (wire.field === 4) op = wire.text();
    else if (wire.field === 5) readAttribute(wire, attributes);
    else if (wire.field === 7) domain = wire.text();
  }
  return { name, op, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs, attributes };
}

function readAttribute(wire: WireReader, into: Map<string, Attribute>): void {
  const end = wire.enter();
  const floats: number[] = [];
  const integers: number[] = [];
  const texts: string[] = [];
  let [name, text] = ["", ""];
  let [float, integer] = [0, 0];
  let tensor: Attribute["tensor"] = null;
  let graph = false;
  while (wire.next(end)) {
    if (wire.field === 1) name = wire.text();
    else if (wire.field === 2) float = wire.float();
    else if (wire.field === 3) integer = wire.integer();
    else if (wire.field === 4) text = wire.text();
    else if (wire.field === 5) tensor = readTensor(wire);
    else if (wire.field === 6 || wire.field === 11) graph = true;
    else if (wire.field === 7) wire.floats(floats);
    else if (wire.field === 8) wire.integers(integers);
    else if (wire.field === 9) texts.push(wire.text());
  }
  if (!wire.keep(1)) return;
  into.set(name, { float, integer, text, tensor, floats, integers, texts, graph });
}

/** Each node may read only what stands before it, which also rules out cycles. */
function graphFault(graph: Graph): string | null {
  if (graph.outputs.length === 0) return "the model has no output";
  const known = new Set([...graph.initializers.keys(), ...graph.inputs.map((i) => i.name), ""]);
  for (const node of graph.nodes) {
    const missing = node.inputs.find((input) => !known.has(input));
    if (missing !== undefined) {
      return `${nodeName(node)} reads ${quote(missing)}, which nothing before it writes`;
    }
    for (const output of node.outputs) {
      if (output !== "" && known.has(output)) {
        return `${nodeName(node)} writes ${quote(output)}, which exists already`;
      }
      known.add(output);
    }
  }
  const lost = graph.outputs.find((output) => !known.has(output.name));
  return lost === undefined ? null : `nothing writes the output ${quote(lost.name)}`;
}
