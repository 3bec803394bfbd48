//! From a float32 ONNX file (a chain of Gemm and Relu) to a file for Sterna: weights int8, or ternary
//! with --ternary, steps of the activations from rows of your data, units and claims beside them.
//!
//!     node docs/examples/from-fp32.mjs model.onnx rows.csv out.onnx [--ternary]
//!
//! rows.csv: one row of inputs a line, as many as you have, in the units of training. No training
//! happens here: int8 keeps almost everything; ternary without training loses some points of
//! accuracy, and the last line says how far the answers moved on your own rows.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { reference } from "../../dist/agent/accel/reference.js";
import { loadNetwork } from "../../dist/agent/models/network.js";
import { readOnnx } from "../../dist/agent/models/onnx/read.js";
import { floatsOf } from "../../dist/agent/models/onnx/tensor.js";
import { writeTernaryNet } from "../../dist/agent/models/onnx/write-net.js";

const { values, positionals } = parseArgs({
  options: { ternary: { type: "boolean" } },
  allowPositionals: true,
});
const [from, data, to] = positionals;
const rows = readFileSync(data, "utf8")
  .trim()
  .split("\n")
  .map((line) => Float32Array.from(line.split(","), Number));
const model = readOnnx(readFileSync(from));
if (typeof model === "string") throw new Error(model);

// 1. The weights: Gemm by Gemm, row-major with one row for each output.
const { graph } = model;
const floats = (name) => floatsOf(graph.initializers.get(name));
const dense = graph.nodes
  .filter((node) => node.op === "Gemm")
  .map((node) => {
    const [, w, b] = node.inputs;
    const [p, q] = graph.initializers.get(w).dims;
    const turned = (node.attributes.get("transB")?.integer ?? 0) === 0;
    const [count, cols] = turned ? [q, p] : [p, q];
    const given = floats(w);
    const weights = Float32Array.from({ length: count * cols }, (_, i) => {
      return turned ? given[(i % cols) * count + Math.floor(i / cols)] : given[i];
    });
    const next = graph.nodes.find((other) => other.inputs[0] === node.outputs[0]);
    return { rows: count, cols, weights, bias: floats(b), relu: next?.op === "Relu" };
  });

// 2. Run the float network on your rows, and see how large each value gets.
const apply = ({ rows: count, cols, weights, bias, relu }, x) =>
  Float32Array.from({ length: count }, (_, r) => {
    let sum = bias[r];
    for (let c = 0; c < cols; c++) sum += weights[r * cols + c] * x[c];
    return relu ? Math.max(0, sum) : sum;
  });
const at = (lists) => {
  const sizes = lists.flatMap((list) => [...list].map(Math.abs)).sort((a, b) => a - b);
  // The last promille is clipped, so that one wild value does not coarsen all others.
  return Math.fround(sizes[Math.floor(0.999 * (sizes.length - 1))] / 127 || 1 / 127);
};
const values_of = [rows];
for (const layer of dense) values_of.push(values_of.at(-1).map((x) => apply(layer, x)));

// 3. Integers with one scale for each output.
function quantise(layer, edge) {
  const { rows: count, cols, weights } = layer;
  const ternary = values.ternary === true && !edge;
  const wScale = new Float32Array(count);
  const steps = new Int8Array(weights.length);
  for (let r = 0; r < count; r++) {
    const row = weights.subarray(r * cols, (r + 1) * cols);
    const mean = row.reduce((sum, w) => sum + Math.abs(w), 0) / cols;
    const cut = ternary ? 0.845 * mean : 0;
    const kept = row.filter((w) => Math.abs(w) > cut).map(Math.abs);
    wScale[r] = ternary
      ? kept.reduce((sum, w) => sum + w, 0) / Math.max(1, kept.length) || 1
      : kept.reduce((most, w) => Math.max(most, w), 0) / 127 || 1;
    row.forEach((w, c) => {
      steps[r * cols + c] = ternary ? (Math.abs(w) > cut ? Math.sign(w) : 0) : Math.round(w / wScale[r]);
    });
  }
  return { weights: steps, ternary, wScale };
}

const last = dense.length - 1;
const bytes = writeTernaryNet({
  // 4. Say what goes in and out: `sterna check` compares these units with your channels.
  input: { name: "x", unit: "1", min: -10, max: 10, shape: [dense[0].cols], scale: at(rows) },
  layers: dense.map((layer, i) => ({
    kind: "dense",
    rows: layer.rows,
    cols: layer.cols,
    ...quantise(layer, i === 0 || i === last),
    bias: layer.bias,
    relu: layer.relu,
    outScale: i === last ? null : at(values_of[i + 1]),
  })),
  output: { name: "y", unit: "1", min: -Infinity, max: Infinity, classes: [] },
  meta: { version: "1", training: "sha256:none", facts: { from: "docs/examples/from-fp32.mjs" } },
  // claims: { monotone: [0], bounds: [-10, 10] },   proven here and at every load, or refused
});
writeFileSync(to, bytes);

// 5. How far the answers moved.
const network = loadNetwork(bytes, reference);
if (typeof network === "string") throw new Error(network);
const y = new Float32Array(dense[last].rows);
let [wrong, size] = [0, 0];
rows.forEach((x, i) => {
  network.infer(x, y);
  values_of[last + 1][i].forEach((value, k) => {
    wrong += (value - y[k]) ** 2;
    size += value ** 2;
  });
});
console.log(`${to}: ${bytes.length} bytes; rms error ${(100 * Math.sqrt(wrong / size)).toFixed(2)} %`);
console.log(`models:
  own:
    file: ${to}
    asset: YOUR-ASSET
    in: { x: { channels: [${Array.from(rows[0], (_, i) => `channel${i}`).join(", ")}], unit: "1" } }
    out: { y: { channel: score, unit: "1" } }`);
