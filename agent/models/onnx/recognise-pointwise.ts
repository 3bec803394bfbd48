//! A function of one value that exporters spell in many nodes: GELU by Erf, by Tanh and a cube, and
//! whatever order they multiply in. The nodes are followed back to the one value they all read, and
//! computed at some points, which tell the functions apart.
import { ACTIVATIONS, type EncoderForm, FUNCTIONS } from "../../accel/encoder.js";
import { erf } from "../../base/erf.js";
import { type Graph, type Node, nodeName, type OnnxModel } from "./model.js";
import { type Search, scalarOf, stop } from "./recognise-projection.js";
import { constantsOf } from "./recognised.js";

type Op = (a: number, b: number) => number;
const OPS: Readonly<Record<string, Op>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Max: (a, b) => Math.max(a, b),
  Erf: erf,
  Tanh: Math.tanh,
  Relu: (a) => Math.max(0, a),
  Neg: (a) => -a,
};
/** GELU by a cube has nine, and reads x five times. */
const VISITS_MAX = 24;
const POINTS = Array.from({ length: 61 }, (_, i) => (i - 30) / 5);
/** The two forms of GELU differ by up to 4.7e-4, constants as exporters round them by 1e-5. */
const NEAR = 1e-4;

type Formula = (x: number) => number;

/** Which function of which value `value` is. */
export function readActivation(
  search: Search,
  value: string,
): { readonly x: string; readonly activation: EncoderForm["activation"] } {
  const last = search.writers.get(value);
  if (last?.op === "Gelu" && last.domain === "") {
    search.taken.add(last);
    const tanh = last.attributes.get("approximate")?.text === "tanh";
    return { x: last.inputs[0] ?? "", activation: tanh ? "gelu-tanh" : "gelu" };
  }
  const sources = new Set<string>();
  const formula = formulaOf(search, value, sources, { left: VISITS_MAX });
  const [x = "", ...more] = sources;
  const activation = ACTIVATIONS.find((name) => {
    return POINTS.every((at) => Math.abs(formula(at) - FUNCTIONS[name](at)) < NEAR);
  });
  if (x === value || more.length > 0 || activation === undefined) {
    const found = last === undefined ? `"${value}"` : nodeName(last);
    stop(search, `${found} is neither GELU nor Relu of the first projection`);
  }
  return { x, activation: activation ?? "gelu" };
}

/** As far back as the nodes are of this kind; values before them are `sources`, and x. */
function formulaOf(
  search: Search,
  value: string,
  sources: Set<string>,
  budget: { left: number },
): Formula {
  const fixed = numberOf(search, value);
  if (fixed !== null) return () => fixed;
  const node = search.writers.get(value);
  const op = node?.domain === "" ? OPS[node.op] : undefined;
  budget.left -= 1;
  // The bias of a projection is an Add too, but of many constants.
  const many = node?.inputs.some((name) => {
    return search.constants.has(name) && numberOf(search, name) === null;
  });
  // Max takes any number of values.
  const two = (node?.inputs.length ?? 0) <= 2;
  if (node === undefined || op === undefined || many === true || !two || budget.left < 0) {
    sources.add(value);
    return (x) => x;
  }
  search.taken.add(node);
  const [a = (): number => Number.NaN, b = a] = node.inputs.map((name) => {
    return formulaOf(search, name, sources, budget);
  });
  return (x) => op(a(x), b(x));
}

/** The one number of a constant that adds no side to what it is combined with, or null. */
function numberOf(search: Search, value: string): number | null {
  const { dims = [] } = search.constants.get(value) ?? {};
  return dims.length <= 2 ? scalarOf(search, value) : null;
}

/** The model with GELU as one node wherever it is spelled in many. */
export function withGelu(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const { nodes, inputs } = graph;
  if (!nodes.some(({ op }) => op === "Erf" || op === "Tanh")) return model;
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const { constants } = constantsOf(graph);
  const gelus = new Map<Node, Node>();
  const gone = new Set<Node>();
  for (const node of nodes) {
    const [value] = node.outputs;
    if (node.op !== "Mul" || value === undefined) continue;
    const search: Search = { writers, constants, inputs, taken: new Set(), folds: 0, fault: null };
    const { x, activation } = readActivation(search, value);
    search.taken.delete(node);
    if (search.fault !== null || activation === "relu" || isSeen(graph, search.taken)) continue;
    const text = activation === "gelu" ? "none" : "tanh";
    const approximate = { ...PLAIN_ATTRIBUTE, text };
    const attributes = new Map([["approximate", approximate]]);
    gelus.set(node, { ...node, op: "Gelu", inputs: [x], attributes });
    for (const one of search.taken) gone.add(one);
  }
  if (gelus.size === 0) return model;
  const left = nodes.flatMap((node) => (gone.has(node) ? [] : [gelus.get(node) ?? node]));
  return { ...model, graph: { ...graph, nodes: left } };
}

const PLAIN_ATTRIBUTE = {
  ...{ float: 0, integer: 0, tensor: null, floats: [], integers: [], texts: [], graph: false },
};

/** Whether what they write is an output. */
function isSeen({ outputs }: Graph, nodes: ReadonlySet<Node>): boolean {
  return outputs.some(({ name }) => [...nodes].some((node) => node.outputs.includes(name)));
}
