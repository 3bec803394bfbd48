//! What a model claims of itself is proven at load, or the model is refused with the layer named.
import fc from "fast-check";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { certificateOf, claimFault, type Proof, prove } from "../../agent/models/certificate.js";
import { planNet } from "../../agent/models/net-plan.js";
import { loadNetwork, type Network, planNetwork } from "../../agent/models/network.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import {
  isWeighted,
  type NetClaims,
  type TernaryNet,
} from "../../agent/models/onnx/ternary-net.js";
import { writeModel, writeNode, writeValueInfo } from "../../agent/models/onnx/write.js";
import { writeNet, writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { openModel } from "../../agent/models/user-model.js";
import { dense, KINDS, mixedNet, table, whole } from "./mixed-nets.js";
import { randomCnn, randomMlp } from "./nets.js";

function proofOf(net: TernaryNet): Proof {
  const planned = planNet(net, reference);
  if (typeof planned === "string") throw new Error(planned);
  return prove(planned, net);
}

function load(bytes: Uint8Array): Network {
  const network = loadNetwork(bytes, reference);
  if (typeof network === "string") throw new Error(network);
  return network;
}

const MAKERS: readonly ((seed: number) => TernaryNet)[] = [
  randomMlp,
  randomCnn,
  ...(Object.keys(KINDS) as (keyof typeof KINDS)[]).map((kind) => (seed: number) => {
    return mixedNet(kind, seed);
  }),
];

test("no output ever leaves the interval that is proven, whatever comes in", () => {
  let tightest = 1;
  fc.assert(
    fc.property(fc.nat(MAKERS.length - 1), fc.nat(10_000), (kind, seed) => {
      const net = MAKERS[kind]?.(seed) as TernaryNet;
      const { output } = proofOf(net);
      const network = planNetwork(net, reference, "test");
      if (typeof network === "string") throw new Error(network);
      const random = prng(seed, "inputs");
      const size = network.outputs[0]?.size ?? 0;
      const y = new Float32Array(size);
      const places = size / output.length;
      for (let call = 0; call < 12; call++) {
        const reach = 10 ** (call / 3 - 1);
        const x = new Float32Array(network.inputs[0]?.size ?? 0).map(() =>
          call % 2 === 0 ? random.normal() * reach : random.next() < 0.5 ? -reach : reach,
        );
        network.infer(x, y);
        for (const [i, value] of y.entries()) {
          const [low, high] = output[Math.floor(i / places)] as readonly [number, number];
          const more = 1e-6 * Math.max(1, Math.abs(low), Math.abs(high)); // float32
          expect(value).toBeGreaterThanOrEqual(low - more);
          expect(value).toBeLessThanOrEqual(high + more);
          if (high > low) tightest = Math.min(tightest, 1 - (value - low) / (high - low));
        }
      }
    }),
    { numRuns: 120 },
  );
  expect(tightest, "an interval that nothing comes near proves little").toBeLessThan(0.05);
});

/** Only weights of 0 and above from the declared inputs on; the others are free. */
function monotoneNet(random: Prng, claims: NetClaims): TernaryNet {
  const [n, h] = [whole(random, 2, 6), whole(random, 3, 9)];
  const declared = new Set(claims.monotone);
  const up = <T extends { weights: Int8Array }>(layer: T, of: (col: number) => boolean): T => {
    const cols = layer.weights.length / h;
    const weights = layer.weights.map((w, i) => (of(i % cols) ? Math.abs(w) : w));
    return { ...layer, weights };
  };
  const last = { ...dense(random, 1, h), relu: false };
  return {
    input: { name: "x", unit: "m/s", min: 0, max: 4, shape: [n], scale: Math.fround(0.03) },
    layers: [
      up(dense(random, h, n), (col) => declared.has(col)),
      table("tanh", { outScale: Math.fround(1 / 127) }),
      up(dense(random, h, h), () => true),
      { ...last, weights: last.weights.map(Math.abs), ternary: last.ternary },
      table("tanh", { outScale: Math.fround(10 / 127) }),
    ],
    output: { name: "y", unit: "K", min: -10, max: 10, classes: [] },
    meta: { version: "1", training: "sha256:none", facts: {} },
    claims,
  };
}

test("a monotone claim is proven, holds, and falls with one trit", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(100_000), (seed) => {
      const random = prng(seed, "monotone");
      const net = monotoneNet(random, { monotone: [0, 1] });
      const network = load(writeTernaryNet(net));
      const size = network.inputs[0]?.size ?? 0;
      expectRises(network, random);
      // A layer between: every weight there is on the path of a declared input, if one leads to it.
      const reached = net.layers[0];
      const middle = net.layers[2];
      if (reached === undefined || middle === undefined) throw new Error("layers");
      if (!isWeighted(middle) || !isWeighted(reached)) throw new Error("weights");
      const rows = reached.weights.length / size;
      const live = [...Array(rows).keys()].filter((row) => {
        return reached.weights[row * size] !== 0 || reached.weights[row * size + 1] !== 0;
      });
      const at = middle.weights.findIndex((w, i) => w > 0 && live.includes(i % rows));
      if (at < 0) return;
      const weights = middle.weights.with(at, -1);
      const layers = net.layers.with(2, { ...middle, weights });
      const found = loadNetwork(writeNet({ ...net, layers }), reference);
      const last = net.layers[3];
      if (last === undefined || !isWeighted(last)) throw new Error("layers");
      if (last.weights[Math.floor(at / rows)] === 0) return;
      // What is clipped to one value in every case moves nothing, and is proven to.
      if (typeof found !== "string") return expectRises(found, random);
      refused += 1;
      expect(found).toContain("layer 2 (dense): the output may fall");
      expect(found).toContain("the claim does not hold");
    }),
    { numRuns: 150 },
  );
  expect(refused).toBeGreaterThan(50);
});

function expectRises(network: Network, random: Prng): void {
  const y = new Float32Array(1);
  const size = network.inputs[0]?.size ?? 0;
  for (let i = 0; i < 10; i++) {
    const x = Float32Array.from({ length: size }, () => random.normal() * 2);
    network.infer(x, y);
    const before = y[0] as number;
    x[i % 2] = (x[i % 2] as number) + random.next();
    network.infer(x, y);
    expect(y[0]).toBeGreaterThanOrEqual(before);
  }
}

test("a bounded head keeps its bound, and a narrower claim is refused", () => {
  const net = monotoneNet(prng(5, "head"), { bounds: [-10, 10] });
  const network = load(writeTernaryNet(net));
  const y = new Float32Array(1);
  network.infer(new Float32Array(network.inputs[0]?.size ?? 0).fill(1e6), y);
  expect(Math.abs(y[0] as number)).toBeLessThanOrEqual(10);
  const narrow = loadNetwork(writeNet({ ...net, claims: { bounds: [-1, 1] } }), reference);
  expect(narrow).toMatch(/layer 4 \(table y\): output 0 can be .* the file claims -1 to 1/);
  expect(() => writeTernaryNet({ ...net, claims: { bounds: [-1, 1] } })).toThrow("layer 4");
  // The end that was too narrow stays so, however far the other is.
  const lopsided = [[-1, 1e12] as const, [-1e12, 1] as const].map((bounds) => {
    return loadNetwork(writeNet({ ...net, claims: { bounds } }), reference);
  });
  const refused = lopsided.filter((found) => typeof found === "string");
  expect(refused.join()).toMatch(/output 0 can be .* the file claims/);
  const beyond = loadNetwork(writeNet({ ...net, claims: { monotone: [99] } }), reference);
  expect(beyond).toContain("it claims input 99 of");
});

test("two turns of the sign are no fall; a gate of both signs is", () => {
  const random = prng(2, "turns");
  const turned = { ...dense(random, 4, 2), relu: false, weights: new Int8Array(8).fill(-1) };
  const back = { ...dense(random, 1, 4), relu: false, weights: new Int8Array(4).fill(-1) };
  const base = monotoneNet(random, { monotone: [0, 1] });
  const twice = {
    ...base,
    input: { ...base.input, shape: [2] },
    layers: [
      { ...turned, ternary: true },
      { ...back, ternary: true },
    ],
  };
  expect(typeof loadNetwork(writeTernaryNet(twice), reference)).toBe("object");
  const gated = {
    ...twice,
    layers: [
      { ...turned, weights: new Int8Array(8).fill(1), ternary: true, name: "a" },
      { kind: "mul", from: ["a", "a"], outScale: Math.fround(0.1), name: "b" },
      { ...back, weights: new Int8Array(4).fill(1), ternary: true },
    ],
  } as TernaryNet;
  expect(loadNetwork(writeNet(gated), reference)).toContain("layer 1 (mul b): the output may fall");
});

test("a state is followed from call to call", () => {
  // The hidden vector takes from itself with a minus: what rises now falls at the next call.
  const net = { ...mixedNet("ssm", 3), claims: { monotone: [0] } };
  const up = net.layers.map((layer) => {
    return isWeighted(layer) ? { ...layer, weights: layer.weights.map(Math.abs) } : layer;
  });
  const tables = up.map((layer) => (layer.kind === "table" ? table("tanh") : layer));
  const good = { ...net, layers: tables };
  expect(typeof loadNetwork(writeTernaryNet(good), reference)).toBe("object");
  const minus = tables.map((layer) => {
    if (layer.name !== "s_next" || layer.kind !== "add") return layer;
    return { ...layer, gains: [Float32Array.of(-0.5), layer.gains?.[1] ?? Float32Array.of(1)] };
  });
  const found = loadNetwork(writeNet({ ...net, layers: minus }), reference);
  expect(found).toContain("layer 1 (add s_next): the output may fall");
});

test("a certificate of other weights is refused, with the first layer that differs", () => {
  const [net, other] = [randomMlp(11), randomMlp(11)];
  const wide = other.layers.map((layer, i) => {
    return i === 1 ? { ...layer, weights: layer.weights.map(() => 1), relu: false } : layer;
  });
  const certificate = certificateOf(proofOf(net));
  expect(typeof loadNetwork(writeNet(net, certificate), reference)).toBe("object");
  const found = loadNetwork(writeNet({ ...other, layers: wide }, certificate), reference);
  expect(found).toMatch(/layer [12] \(dense.*\): .* the certificate claims/);
  for (const bad of ["no json", "{}", '{"layers":[["a",1]],"output":[]}']) {
    expect(loadNetwork(writeNet(net, bad), reference)).toContain("is no certificate");
  }
  // By the way that a user's model goes too.
  const users = openModel(writeNet({ ...other, layers: wide }, certificate), reference);
  expect(users).toBe(found);
});

test("a claim of what nothing is proven of is refused", () => {
  const nodes = [writeNode("Cos", ["x"], ["y"])];
  const [x, y] = ["x", "y"].map((name) => writeValueInfo(name, 1, [1])) as [Uint8Array, Uint8Array];
  const graph = { name: "m", nodes, tensors: [], inputs: [x], outputs: [y] };
  const file = (facts: [string, string][]) =>
    openModel(writeModel(graph, { "": 17 }, facts), reference);
  expect(file([])).toMatchObject({ tier: "within 1e-4 relative" });
  expect(file([["sterna.bounds", "[-1,1]"]])).toMatch(
    /^sterna.bounds is proven of ternary networks alone: .*Cos/,
  );
});

test("the file of the writer carries its certificate", () => {
  const model = readOnnx(writeTernaryNet(mixedNet("image", 1)));
  if (typeof model === "string") throw new Error(model);
  const net = recognise(model);
  if (typeof net === "string") throw new Error(net);
  expect(model.metadata.get("sterna.certificate")).toBe(certificateOf(proofOf(net)));
});

test("bounds of many outputs are stated in few digits, and never narrower than proven", () => {
  const end = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const ends = fc.tuple(end, end).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(fc.array(ends, { minLength: 65, maxLength: 90 }), (output) => {
      const text = certificateOf({ layers: new Map(), output, falls: null });
      const stated = (JSON.parse(text) as { output: [number, number][] }).output;
      for (const [i, [low, high]] of output.entries()) {
        const [least, most] = stated[i] as [number, number];
        expect(least).toBeLessThanOrEqual(low);
        expect(most).toBeGreaterThanOrEqual(high);
        expect(low - least).toBeLessThanOrEqual(0.011 * Math.abs(low));
        expect(most - high).toBeLessThanOrEqual(0.011 * Math.abs(high));
      }
      const few = { layers: new Map(), output: output.slice(0, 64), falls: null };
      expect(certificateOf(few)).toBe(JSON.stringify({ layers: [], output: few.output }));
    }),
    { numRuns: 200 },
  );
});

test("a wide model holds its own certificate, a narrower one is refused", () => {
  const mlp = randomMlp(3);
  const many = { ...mlp, layers: [dense(prng(4, "wide"), 96, mlp.input.shape[0] ?? 0)] };
  const bytes = writeTernaryNet(many);
  expect(load(bytes).outputs[0]?.size).toBe(96);
  const text = certificateOf(proofOf(many));
  const first = (JSON.parse(text) as { output: [number, number][] }).output[0] as [number, number];
  const narrower = text.replace(String(first[1]), String(first[1] / 2));
  expect(narrower).not.toBe(text);
  const planned = planNet(many, reference);
  if (typeof planned === "string") throw new Error(planned);
  expect(claimFault(planned, many, text)).toBeNull();
  expect(claimFault(planned, many, narrower)).toMatch(/output 0 can be/);
});
