//! What ONNX Runtime computes on, and what becomes of a provider that is absent, fails or is wrong.
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import type { Outage } from "../../agent/accel/guard.js";
import { openDense } from "../../agent/models/dense.js";
import {
  chooseProvider,
  type Provider,
  probeProvider,
  WORLD,
  type World,
} from "../../agent/models/dense-provider.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  floatTensor,
  writeModel,
  writeNode,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";

const FLOAT = 1;
const require = createRequire(import.meta.url);

function floatModel(): Uint8Array {
  const nodes = [writeNode("Gemm", ["x", "w", "b"], ["h"]), writeNode("Tanh", ["h"], ["y"])];
  const tensors = [
    floatTensor("w", [3, 2], Float32Array.of(0.1, -0.2, 0.3, 0.4, -0.5, 0.6)),
    floatTensor("b", [2], Float32Array.of(0.1, 0.2)),
  ];
  const inputs = [writeValueInfo("x", FLOAT, [3])];
  const outputs = [writeValueInfo("y", FLOAT, [2])];
  return writeModel({ name: "m", nodes, tensors, inputs, outputs }, { "": 17 }, []);
}

const X = Float32Array.of(1, 2, 3);
const Y = [0.1 + 0.1 + 0.6 - 1.5, 0.2 - 0.2 + 0.8 + 1.8].map(Math.tanh);

type Opened = { readonly model: Model; readonly outages: Outage[] };

function open(wanted: Provider | "auto", world: World = WORLD, share = 0): Opened {
  const bytes = floatModel();
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  const outages: Outage[] = [];
  const use = { wanted, share, report: (outage: Outage) => void outages.push(outage) };
  const model = openDense(onnx, bytes, "sha256:x", { use, world });
  if (typeof model === "string") throw new Error(model);
  return { model, outages };
}

function run({ model }: Opened): Float32Array {
  const y = new Float32Array(2);
  expect(model.run([X], [y])).toBe(null);
  return y;
}

type Runs = (feeds: object, fetches: object, options: object) => Record<string, { data: number[] }>;
type Real = { loadModel(b: unknown, at: number, size: number, options: object): void; run: Runs };

/**
 * ONNX Runtime, whose provider `cuda` is there and computes on the CPU: `spoil` gets each of its
 * answers with the number of the call.
 */
function withCuda(spoil: (call: number, y: number[]) => void): World {
  const real = require("onnxruntime-node/dist/binding.js") as {
    binding: { InferenceSession: new () => Real };
    initOrt: () => void;
  };
  const InferenceSession = function make(): unknown {
    const session = new real.binding.InferenceSession();
    let [cuda, calls] = [false, 0];
    return new Proxy(session, {
      get(target, key): unknown {
        if (key === "loadModel") {
          return (
            b: unknown,
            at: number,
            size: number,
            options: { executionProviders?: string[] },
          ) => {
            cuda = options.executionProviders?.[0] === "cuda";
            target.loadModel(b, at, size, { ...options, executionProviders: ["cpu"] });
          };
        }
        if (key === "run") {
          return (...given: Parameters<Runs>) => {
            const found = target.run(...given);
            if (cuda) spoil(calls++, found["y"]?.data ?? []);
            return found;
          };
        }
        return Reflect.get(target, key, target);
      },
    });
  };
  const binding = { initOrt: real.initOrt, binding: { InferenceSession } };
  const load = (name: string): unknown => (name.endsWith("binding.js") ? binding : require(name));
  return { ...WORLD, load, exists: () => true };
}

test("CUDA is taken where device and library are; WebGPU only by its name", () => {
  const heard: string[] = [];
  const use = (wanted: Provider | "auto") => ({
    wanted,
    report: ({ backend, why }: Outage) => void heard.push(`${backend}: ${why}`),
  });
  const there = { ...WORLD, exists: () => true };
  expect(chooseProvider(use("auto"), there)).toBe("cuda");
  expect(chooseProvider(use("webgpu"), there)).toBe("webgpu");
  const noBoard = { ...WORLD, exists: () => false };
  expect(chooseProvider(use("auto"), noBoard)).toBe("cpu");
  expect(heard).toEqual([]);
  expect(chooseProvider(use("cuda"), noBoard)).toBe("cpu");
  const noLibrary = { ...WORLD, exists: (file: string) => file === "/dev/nvidia0" };
  expect(chooseProvider(use("cuda"), noLibrary)).toBe("cpu");
  expect(heard[0]).toBe("dense cuda: no /dev/nvidia0");
  expect(heard[1]).toMatch(/libonnxruntime_providers_cuda.so: no such file$/);
  expect(probeProvider("cpu")).toBe(null);
  const none = { ...WORLD, load: () => ({ listSupportedBackends: () => [{ name: "cpu" }] }) };
  expect(probeProvider("webgpu", none)).toBe("onnxruntime-node lists cpu only");
});

test("the CPU computes, and is said", () => {
  const opened = open("cpu");
  expect(opened.model.engine).toMatch(/^onnxruntime [\d.]+ on cpu$/);
  expect(opened.outages).toEqual([]);
  const y = run(opened);
  for (const [i, value] of Y.entries()) expect(y[i]).toBeCloseTo(value, 5);
});

test("a provider that cannot load the model leaves the CPU, with ONNX Runtime's reason", () => {
  const opened = open("cuda", { ...WORLD, exists: () => true });
  expect(opened.model.engine).toMatch(/ on cpu$/);
  expect(opened.outages).toMatchObject([
    { backend: "dense cuda", when: "self-test", why: expect.stringMatching(/Cuda|CUDA/) },
  ]);
  expect(run(opened)).toEqual(run(open("cpu")));
});

test("one that computes is used; one that is wrong or fails is not", () => {
  const right = run(open("cpu"));
  const sound = open(
    "auto",
    withCuda(() => {}),
  );
  expect(sound.model.engine).toMatch(/ on cuda$/);
  expect([sound.outages, run(sound)]).toEqual([[], right]);
  for (const bad of [0, 1]) {
    const wrong = open(
      "auto",
      withCuda((call, y) => void (call >= bad && y.fill(0.5))),
    );
    expect(wrong.model.engine).toMatch(/ on cpu$/);
    expect(wrong.outages).toMatchObject([
      {
        when: "self-test",
        why: expect.stringMatching(/^output "y" differs from the CPU's: 0.5, not /),
      },
    ]);
    expect(run(wrong)).toEqual(right);
  }
  const fails = withCuda((call) => {
    if (call > 2) throw new Error("device lost");
  });
  const lost = open("auto", fails);
  expect(run(lost)).toEqual(right);
  expect(run(lost)).toEqual(right);
  expect(run(lost)).toEqual(right);
  expect(lost.outages).toMatchObject([{ when: "operation", why: "device lost" }]);
});

test("of what a provider computes in operation a share is compared: a wrong answer is corrected", () => {
  const right = run(open("cpu"));
  // Two trials; then the third inference goes wrong, and every second one is compared.
  const late = () => withCuda((call, y) => void (call >= 4 && y.fill(0.5)));
  const checked = open("auto", late(), 0.5);
  const answers = [0, 1, 2, 3, 4].map(() => run(checked));
  expect(checked.outages).toMatchObject([
    {
      ...{ backend: "dense cuda", when: "operation", found: [0.5, 0.5], input: [1, 2, 3] },
      why: expect.stringMatching(/^output "y" differs from the CPU's: 0.5, not /),
    },
  ]);
  expect(checked.outages[0]?.expected).toEqual([...right]);
  // The one between two checks has left; from the next on all are the CPU's.
  expect(answers).toEqual([right, right, Float32Array.of(0.5, 0.5), right, right]);
  const whole = open("auto", late(), 1);
  expect([0, 1, 2, 3].map(() => run(whole))).toEqual([right, right, right, right]);
  expect(whole.outages).toHaveLength(1);
  const blind = open("auto", late(), 0);
  expect([0, 1, 2].map(() => run(blind)).at(-1)).toEqual(Float32Array.of(0.5, 0.5));
  const sound = open(
    "auto",
    withCuda(() => {}),
    1,
  );
  expect([run(sound), run(sound)]).toEqual([right, right]);
  expect(sound.outages).toEqual([]);
});
