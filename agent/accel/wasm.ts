//! The ternary kernels as WebAssembly SIMD: what runs where no compiler and no prebuilt addon is.
//! The module is built ahead (wasm/build.ts) and lies in the package.
import { readFileSync } from "node:fs";
import { assert } from "../base/errors.js";
import { packageFile } from "../base/files.js";
import type { Backend, Loaded, Plan } from "./backend.js";
import { COLS_MAX, imageOf } from "./image.js";
import { loadReferenceEncoder } from "./reference-encoder.js";

const FILE = "agent/accel/wasm/net.wasm";
const PAGE_BYTES = 65_536;

// The subset of the WebAssembly API in use: its types belong to the library "dom".
type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
type Exports = {
  readonly memory: Memory;
  image(): number;
  scratch(): number;
  open(): void;
  infer(x: number, y: number, batch: number): void;
  reset(asset: number): void;
};
type Wasm = {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Exports };
};
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

let compiled: object | null = null;

export function probeWasm(): string | null {
  try {
    compiled ??= new wasm.Module(readFileSync(packageFile(FILE)));
    return null;
  } catch (error) {
    return `${FILE}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export const wasmBackend: Backend = {
  name: "wasm",
  tier: "exact",
  cols_max: COLS_MAX,
  // Its float tier is not compiled to WebAssembly: right, and as slow as the reference.
  encoders: "reference",
  loadEncoder: loadReferenceEncoder,
  load(plan: Plan, batch: number): Loaded {
    assert(probeWasm() === null && compiled !== null, "wasm: probed before it is used");
    const { bytes, sizeIn, sizeOut, stride } = imageOf(plan, batch);
    const { exports } = new wasm.Instance(compiled);
    const at = exports.image();
    reserve(exports.memory, at + bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, at);
    const arena = exports.scratch();
    const from = Math.ceil((at + bytes.length + arena) / 64) * 64;
    const to = from + 4 * sizeIn * batch;
    reserve(exports.memory, to + 4 * sizeOut * batch);
    exports.open();
    // The memory never grows again, so these views stay valid.
    const input = new Float32Array(exports.memory.buffer, from, sizeIn * batch);
    const output = new Float32Array(exports.memory.buffer, to, sizeOut * batch);
    const whole = batch === 1 ? output : null;
    return {
      infer(x, y, count): void {
        assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
        assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
        input.set(x);
        exports.infer(from, to, count);
        y.set(whole ?? output.subarray(0, y.length));
      },
      reset(asset): void {
        assert(asset >= 0 && asset < batch, "reset: no such asset");
        exports.reset(asset);
      },
      // The arena lies behind the image (native/layout.hpp).
      stateOf(asset): Int8Array {
        const own = new Int8Array(exports.memory.buffer, at + bytes.length + asset * stride);
        return joined(plan.state.map(({ to, bytes }) => own.subarray(to, to + bytes)));
      },
    };
  },
};

function joined(parts: readonly Int8Array[]): Int8Array {
  return Int8Array.from(parts.flatMap((part) => [...part]));
}

function reserve(memory: Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}
