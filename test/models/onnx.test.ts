import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { bestCpu } from "../../agent/accel/registry.js";
import { loadNetwork, planNetwork } from "../../agent/models/network.js";
import {
  finish,
  type Message,
  putBytes,
  putText,
  putVarint,
} from "../../agent/models/onnx/proto.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { MODEL_BYTES_MAX } from "../../agent/models/onnx/read-tensor.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import { int8sOf, packInt2, transposeOf, unpackInt2 } from "../../agent/models/onnx/tensor.js";
import { isWeighted, type TernaryNet } from "../../agent/models/onnx/ternary-net.js";
import {
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeNet, writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { openModel } from "../../agent/models/user-model.js";
import { mixedNet } from "./mixed-nets.js";
import { randomCnn, randomMlp } from "./nets.js";

/** A text of one printable line, whatever came in. */
function faultOf(bytes: Uint8Array): string | null {
  const found = readOnnx(bytes);
  if (typeof found !== "string") return null;
  expect(found).toMatch(/^[^\n\r]{10,400}$/);
  return found;
}

const FLOAT = 1;
const node = writeNode("Relu", ["x"], ["y"]);
const graph = {
  name: "g",
  nodes: [node],
  tensors: [] as Uint8Array[],
  inputs: [writeValueInfo("x", FLOAT, [4])],
  outputs: [writeValueInfo("y", FLOAT, [4])],
};
const build = (change: Partial<typeof graph>, metadata: [string, string][] = []): Uint8Array =>
  writeModel({ ...graph, ...change }, { "": 25 }, metadata);

test("what is written is read back: net, units, ranges, facts", () => {
  for (const net of [randomMlp(3), randomCnn(3)]) {
    const model = readOnnx(writeTernaryNet(net));
    if (typeof model === "string") throw new Error(model);
    const found = recognise(model);
    if (typeof found === "string") throw new Error(found);
    expect(found.meta).toEqual(net.meta);
    expect(found.input).toMatchObject(net.input);
    expect(found.output).toEqual(net.output);
    const layers = found.layers.filter(isWeighted);
    expect(layers.map((l) => l.weights)).toEqual(net.layers.map((l) => l.weights));
    expect(layers.map((l) => l.wScale)).toEqual(net.layers.map((l) => l.wScale));
    // Biases are put on the grid of the sums, and a second writing changes nothing more.
    expect(writeTernaryNet(found)).toEqual(writeTernaryNet(net));
  }
});

test("INT2 packs 4 weights a byte, the first in the low bits", () => {
  expect(packInt2(Int8Array.of(1, -1, 0, 1, -2))).toEqual(Uint8Array.of(0b01001101, 0b10));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -2, max: 1 })), (values) => {
      const packed = packInt2(Int8Array.from(values));
      expect([...unpackInt2(packed, values.length)]).toEqual(values);
    }),
  );
});

test("every cut of a model file is refused", () => {
  const whole = writeTernaryNet(randomMlp(5));
  expect(faultOf(whole)).toBeNull();
  for (let length = 0; length < whole.length; length += length > 2000 ? 41 : 1) {
    expect(faultOf(whole.subarray(0, length)), `${length} bytes`).not.toBeNull();
  }
});

test("a changed, extended or stripped file of ours is refused", () => {
  const whole = writeTernaryNet(randomMlp(5));
  for (let at = 0; at < whole.length; at += 97) {
    const changed = whole.slice();
    changed[at] = (changed[at] as number) ^ 1;
    expect(faultOf(changed), `byte ${at}`).not.toBeNull();
  }
  const longer: Message = [whole];
  putText(longer, 2, "x");
  expect(faultOf(finish(longer))).toContain("bytes were added after sterna.sha256");
  const body = whole.subarray(0, digestStart(whole));
  expect(faultOf(body)).toContain("no sterna.sha256");
  const digest = createHash("sha256").update(body).digest("hex");
  expect(Buffer.from(whole.subarray(-64)).toString()).toBe(digest);
});

/** The same model as somebody else would write it: no digest, no metadata of ours. */
function unsigned(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.subarray(0, digestStart(bytes))).toString("latin1");
  return Buffer.from(text.replaceAll("sterna.", "nobody."), "latin1");
}

/** The last entry: tag, length, key (15 bytes with its head), value (66 bytes with its head). */
function digestStart(bytes: Uint8Array): number {
  return bytes.length - 66 - 15 - 2;
}

const HUGE = 2 ** 40;
const typed = (dims: number[]): Uint8Array => writeTensor("w", dims, FLOAT, new Uint8Array(8));
const cases: [string, Uint8Array, string][] = [
  ["empty", new Uint8Array(0), "empty"],
  ["text", new TextEncoder().encode("not a model at all"), "not a whole ONNX file"],
  ["wrong size", build({ tensors: [typed([3])] }), "has 8 bytes, its shape [3] wants 12"],
  ["huge dims", build({ tensors: [typed([HUGE, HUGE])] }), "impossible shape"],
  ["huge times zero", build({ tensors: [typed([HUGE, HUGE, 0])] }), "impossible shape"],
  ["negative dim", build({ tensors: [typed([-2])] }), "impossible shape [-2]"],
  ["deep shape", build({ tensors: [typed(new Array<number>(40).fill(1))] }), "impossible shape"],
  ["twice", build({ tensors: [typed([2]), typed([2])] }), 'tensor "w" given twice'],
  ["negative input", build({ inputs: [writeValueInfo("x", FLOAT, [-7])] }), "impossible shape"],
  ["no output", build({ outputs: [] }), "no output"],
  [
    "cycle",
    build({ nodes: [writeNode("Add", ["x", "b"], ["a"]), writeNode("Relu", ["a"], ["b"])] }),
    'reads "b", which nothing before it writes',
  ],
  ["itself", build({ nodes: [writeNode("Relu", ["y"], ["y"])] }), 'reads "y"'],
  ["written twice", build({ nodes: [node, node] }), "exists already"],
  ["lost output", build({ nodes: [] }), 'nothing writes the output "y"'],
  [
    "meta twice",
    build({}, [
      ["a", "1"],
      ["a", "2"],
    ]),
    'metadata "a" given twice',
  ],
  ["newer", writeModel(graph, { "": 99 }, []), "operator set 99"],
  ["no opset", writeModel(graph, {}, []), "no operator set"],
];
for (const [name, bytes, text] of cases) {
  test(`refused: ${name}`, () => {
    expect(faultOf(bytes)).toContain(text);
  });
}

test("refused: too large, nested without end, external data, too many items", () => {
  expect(faultOf(new Uint8Array(MODEL_BYTES_MAX + 1))).toContain("65 MiB, at most 64 are read");
  let nested = finish([]);
  for (let depth = 0; depth < 2000; depth++) {
    const deeper: Message = [];
    putBytes(deeper, 6, nested); // a sub-graph in an attribute in a node, again and again
    nested = finish(deeper);
  }
  const graphOf: Message = [];
  putBytes(graphOf, 1, nested);
  const model: Message = [];
  putBytes(model, 7, finish(graphOf));
  expect(faultOf(finish(model))).not.toBeNull();
  const outside: Message = [];
  putText(outside, 8, "w");
  putBytes(outside, 13, new Uint8Array(0));
  expect(faultOf(build({ tensors: [finish(outside)] }))).toContain("lies in another file");
  const many: Message = [];
  putVarint(many, 2, FLOAT);
  putBytes(many, 5, new Uint8Array(3_000_000));
  expect(faultOf(build({ tensors: [finish(many)] }))).toContain("more than 2000000 items");
});

test("a hundred thousand nodes, or outputs, are refused at once", () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => {
    return writeNode("Relu", [i === 0 ? "x" : `v${i}`], [i === 99_999 ? "y" : `v${i + 1}`]);
  });
  const bytes = build({ nodes });
  const start = performance.now();
  expect(loadNetwork(bytes, reference)).toContain("100000 nodes");
  // A bound against what grows with the square, on a machine with other work.
  expect(performance.now() - start).toBeLessThan(20_000);
  const many = Array.from({ length: 10_000 }, () => writeValueInfo("y", FLOAT, [4]));
  expect(loadNetwork(build({ outputs: many }), reference)).toContain("not exactly one output");
});

test("fuzz: no mutation throws, hangs, or gives a network that computes nonsense", () => {
  // Without a digest every mutation reaches the parser, the recogniser and the planner.
  const nets = [randomMlp(1), randomCnn(2), mixedNet("image", 1), mixedNet("series", 2)];
  const seeds = nets.map((net) => unsigned(writeTernaryNet(net)));
  const edit = fc.record({
    at: fc.noBias(fc.nat(2 ** 20)),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
    // Most edits keep the length, or the lengths around them would refuse them all.
    longer: fc.constantFrom(0, 0, 0, 1, -1, 12),
  });
  const fast = bestCpu();
  let loaded = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(nets.length - 1), fc.array(edit, { maxLength: 4 }), (seed, edits) => {
      let bytes = seeds[seed] ?? Buffer.alloc(0);
      for (const { at, bytes: put, longer } of edits) {
        const from = at % bytes.length;
        const rest = bytes.subarray(from + Math.max(0, put.length - longer));
        bytes = Buffer.concat([bytes.subarray(0, from), put, rest]);
      }
      const network = loadNetwork(bytes, reference);
      if (typeof network === "string") {
        refused += 1;
        expect(network).toMatch(/^[^\n\r]{10,400}$/);
        return;
      }
      loaded += 1;
      const y = new Float32Array(network.outputs[0]?.size ?? 0);
      const x = new Float32Array(network.inputs[0]?.size ?? 0).fill(0.5);
      network.infer(x, y);
      expect(y.every(Number.isFinite)).toBe(true);
      // The same through the kernels of this CPU: memory safe, and the same integers.
      const other = loadNetwork(bytes, fast);
      if (typeof other === "string") throw new Error(other);
      const z = new Float32Array(y.length);
      other.infer(x, z);
      expect(z).toEqual(y);
    }),
    { numRuns: 1500 },
  );
  console.info(`fuzz: ${refused} mutations refused, ${loaded} loaded and computed`);
  expect(refused).toBeGreaterThan(100);
  expect(loaded).toBeGreaterThan(10);
});

test("a claim that does not hold is refused, with the layer named", () => {
  const net = randomMlp(7);
  const [first, second, third] = net.layers;
  const refuse = (change: Partial<(typeof net.layers)[number]>, text: string): void => {
    const layers = [first, { ...second, ...change }, third] as TernaryNet["layers"];
    const found = loadNetwork(writeNet({ ...net, layers }), reference);
    expect(found).toContain(text);
  };
  const rows = second?.bias.length ?? 0;
  refuse({ bias: new Float32Array(rows).fill(1e12) }, "layer 1 (dense): row 0: sums reach");
  refuse({ wScale: new Float32Array(rows).fill(-1) }, "the weight scale -1 is not above 0");
  refuse({ wScale: new Float32Array(rows).fill(Number.NaN) }, "the weight scale NaN");
  refuse({ wScale: new Float32Array(rows).fill(1e6) }, "output steps");
  refuse({ bias: new Float32Array(rows).fill(Number.NaN) }, "layer 1 (dense): row 0: the bias is");
  refuse({ outScale: Number.NaN }, "has the scale NaN");
});

test("results that float32 cannot hold, and names that are no words, stay one clear line", () => {
  const net = randomMlp(8);
  net.layers.at(-1)?.wScale.fill(1e37);
  expect(planNetwork(net, reference, "sha256:test")).toContain("layer 2 (dense): row 0: results");
  const odd = build({ nodes: [writeNode("Re\nlu\u0007", ["x"], ["y"])] });
  expect(loadNetwork(odd, reference)).toMatch(/^[\x20-\x7e]+$/);
});

test("-2 among ternary weights and -128 among int8 weights are refused", () => {
  const plan = (at: number, weight: number): unknown => {
    const net = randomMlp(8);
    net.layers[at]?.weights.fill(weight, 0, 1);
    return planNetwork(net, reference, "sha256:test");
  };
  expect(plan(1, -2)).toContain("layer 1 (dense): weight -2 in row 0 is below -1");
  expect(plan(0, -128)).toContain("layer 0 (dense): weight -128 in row 0 is below -127");
  expect(typeof plan(0, -127)).toBe("object");
  expect(typeof plan(1, -1)).toBe("object");
});

const TFLITE = new URL("../../../shared/data/mlperf_tiny_models/", import.meta.url);
test.skipIf(!existsSync(TFLITE))("files of another format are one clear line", () => {
  for (const name of readdirSync(TFLITE).filter((file) => file.endsWith(".tflite"))) {
    expect(faultOf(readFileSync(new URL(name, TFLITE))), name).toContain("not a");
  }
});

const LIGHT = new URL("../../../shared/data/onnx_light/", import.meta.url);
test.skipIf(!existsSync(LIGHT))("public models of other makers are read, or say why", () => {
  for (const name of readdirSync(LIGHT).filter((file) => file.endsWith(".onnx"))) {
    const bytes = readFileSync(new URL(name, LIGHT));
    expect(typeof readOnnx(bytes), name).toBe("object");
    expect(loadNetwork(bytes, reference), name).toContain("not a network of the ternary pattern");
  }
  const small = openModel(readFileSync(new URL("light_squeezenet.onnx", LIGHT)), reference);
  if (typeof small === "string") throw new Error(small);
  expect(small.engine).toContain("onnxruntime");
  const x = small.inputs.map((port) => new Float32Array(port.size).fill(0.5));
  const y = small.outputs.map((port) => new Float32Array(port.size));
  expect(small.run(x, y)).toBeNull();
  expect(y[0]).toHaveLength(1000);
});

test("layers that share a tensor share what it is unpacked to, and its transpose", () => {
  const bytes = Uint8Array.of(0b01_00_11_01, 0b00_01);
  const tensor = { name: "w", dims: [2, 3], type: 26, count: 6, bytes };
  const weights = int8sOf(tensor);
  expect(weights).toEqual(Int8Array.of(1, -1, 0, 1, 1, 0));
  expect(int8sOf({ ...tensor })).toBe(weights);
  const turned = transposeOf(weights as Int8Array, 2);
  expect(turned).toEqual(Int8Array.of(1, 1, -1, 1, 0, 0));
  expect(transposeOf(weights as Int8Array, 2)).toBe(turned);
});
