//! Writes a TernaryNet as an ordinary ONNX file, opset 25: INT2 (or INT8) weights behind
//! DequantizeLinear, activations through Clip and QuantizeLinear/DequantizeLinear. A state is an
//! input and an output of the graph.
import { assert } from "../../base/errors.js";
import { certificateOf, claimFault, prove } from "../certificate.js";
import { planNet } from "../net-plan.js";
import { CERTIFICATE_KEY, writePorts, writeStates } from "./meta.js";
import { readOnnx } from "./read.js";
import { recognise } from "./recognise.js";
import { shapesOf } from "./shapes.js";
import { ELEMENT } from "./tensor.js";
import { type NetLayer, type NetState, nameOf, sourcesOf, type TernaryNet } from "./ternary-net.js";
import { writeModel, writeTensor, writeValueInfo } from "./write.js";
import { type Draft, quantise, type Value, writeLayer } from "./write-layers.js";

const OPSET = 25;

/** As it is read back: a planner without limits. */
const ANY = { name: "any", cols_max: 65_536 };

/** Writes the net, reads it back and adds what is proven of it; a net that does not fit asserts. */
export function writeTernaryNet(net: TernaryNet): Uint8Array {
  const model = readOnnx(writeNet(net));
  const read = typeof model === "string" ? model : recognise(model);
  assert(typeof read !== "string", `the net cannot be read back: ${String(read)}`);
  const planned = planNet(read, ANY);
  assert(typeof planned !== "string", `the net: ${String(planned)}`);
  const fault = claimFault(planned, read, null);
  assert(fault === null, `the net: ${fault}`);
  return writeNet(net, certificateOf(prove(planned, read)));
}

/** The file with whatever certificate is given: nothing is proven here. */
export function writeNet(net: TernaryNet, certificate: string | null = null): Uint8Array {
  const shapes = shapesOf(net);
  assert(typeof shapes !== "string", `the net: ${String(shapes)}`);
  const draft: Draft = { nodes: [], tensors: [] };
  const states = net.states ?? [];
  draft.tensors.push(writeTensor("zero", [], ELEMENT.INT8, new Uint8Array(1)));
  const wide = [...states, ...net.layers].some((part) => "bits" in part && part.bits === 16);
  if (wide) draft.tensors.push(writeTensor("zero16", [], ELEMENT.INT16, new Uint8Array(2)));
  const { input, output, meta } = net;
  const values = new Map<string, Value>();
  quantise(draft, input.name, input.scale, "in", "step_in");
  values.set(input.name, { tensor: "step_in", shape: input.shape, scale: input.scale });
  for (const { name, channels, scale, bits } of states) {
    quantise(draft, name, scale, `of_${name}`, `step_of_${name}`, { bits });
    values.set(name, { tensor: `step_of_${name}`, shape: [channels], scale });
  }
  net.layers.forEach((layer, i) => {
    const name = nameOf(layer, i);
    const sources = sourcesOf(net, i).map((from) => values.get(from) as Value);
    const tensor = tensorOf(net, i);
    const scale = writeOne(draft, layer, i, sources, tensor);
    values.set(name, { tensor, shape: shapes.get(name) ?? [], scale });
  });
  const last = values.get(nameOf(net.layers.at(-1) as NetLayer, net.layers.length - 1)) as Value;
  const next = states.map((state) => values.get(state.next) as Value);
  const apart = next.filter(({ tensor }) => tensor !== output.name);
  const graph = {
    name: "sterna",
    ...draft,
    inputs: [
      writeValueInfo(input.name, ELEMENT.FLOAT, input.shape),
      ...states.map(({ name, channels }) => writeValueInfo(name, ELEMENT.FLOAT, [channels])),
    ],
    outputs: [
      writeValueInfo(output.name, ELEMENT.FLOAT, last.shape),
      ...apart.map(({ tensor, shape }) => writeValueInfo(tensor, ELEMENT.FLOAT, shape)),
    ],
  };
  const { monotone = [], bounds } = net.claims ?? {};
  return writeModel(graph, { "": OPSET }, [
    ["sterna.inputs", writePorts([input])],
    ["sterna.outputs", writePorts([output])],
    ["sterna.version", meta.version],
    ["sterna.training", meta.training],
    ...Object.entries(meta.facts).map(([k, v]): [string, string] => [`sterna.${k}`, v]),
    ...entry("sterna.state", states.length > 0 ? writeStates(statesIn(states, next)) : null),
    ...entry("sterna.monotone", monotone.length > 0 ? JSON.stringify(monotone) : null),
    ...entry("sterna.bounds", bounds === undefined ? null : JSON.stringify(bounds)),
    ...entry(CERTIFICATE_KEY, certificate),
  ]);
}

function entry(key: string, value: string | null): [string, string][] {
  return value === null ? [] : [[key, value]];
}

function statesIn(states: readonly NetState[], next: readonly Value[]) {
  return states.map(({ name }, i) => ({ input: name, output: (next[i] as Value).tensor }));
}

/** The tensor that other layers read, or that is the output. */
function tensorOf(net: TernaryNet, i: number): string {
  if (i === net.layers.length - 1) return net.output.name;
  return net.layers[i]?.name ?? `step${i}`;
}

/** Writes the layer and its steps; gives the scale of what it makes. */
function writeOne(
  draft: Draft,
  layer: NetLayer,
  i: number,
  sources: readonly Value[],
  tensor: string,
): number {
  const scale = "outScale" in layer ? layer.outScale : null;
  if (scale === null) {
    writeLayer(draft, layer, i, sources, tensor);
    return sources[0]?.scale ?? 1;
  }
  writeLayer(draft, layer, i, sources, `real${i}`);
  const bits = layer.kind === "add" ? layer.bits : 8;
  const relu = "relu" in layer && layer.relu;
  quantise(draft, `real${i}`, scale, `${i}`, tensor, { clip: !relu, bits });
  return scale;
}
