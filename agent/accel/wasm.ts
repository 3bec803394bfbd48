//! The ternary kernels as WebAssembly SIMD: what runs where no compiler and no prebuilt addon is.
//! The module is built ahead (wasm/build.ts) and lies in the package.
import { readFileSync } from "node:fs";
import { assert } from "../base/errors.js";
import { packageFile } from "../base/files.js";
import type { Backend, Loaded } from "./backend.js";
import { encoderImage } from "./encoder-image.js";
import { COLS_MAX, type Image, imageOf } from "./image.js";

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
  load(plan, batch): Loaded {
    const image = imageOf(plan, batch);
    const { arena, ...loaded } = instantiate(image);
    const stateOf = (asset: number): Int8Array => {
      const own = arena.subarray(asset * image.stride);
      return joined(plan.state.map(({ to, bytes }) => own.subarray(to, to + bytes)));
    };
    return { ...loaded, stateOf };
  },
  loadEncoder: (plan, batch) => instantiate(encoderImage(plan, batch, false)),
};

/** An image in a memory of its own; `arena` is what lies behind it (native/layout.hpp). */
function instantiate({ bytes, sizeIn, sizeOut, batch }: Image) {
  assert(probeWasm() === null && compiled !== null, "wasm: probed before it is used");
  const { exports } = new wasm.Instance(compiled);
  const at = exports.image();
  reserve(exports.memory, at + bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, at);
  const size = exports.scratch();
  const from = Math.ceil((at + bytes.length + size) / 64) * 64;
  const to = from + 4 * sizeIn * batch;
  reserve(exports.memory, to + 4 * sizeOut * batch);
  exports.open();
  // The memory never grows again, so these views stay valid.
  const input = new Float32Array(exports.memory.buffer, from, sizeIn * batch);
  const output = new Float32Array(exports.memory.buffer, to, sizeOut * batch);
  const whole = batch === 1 ? output : null;
  return {
    arena: new Int8Array(exports.memory.buffer, at + bytes.length, size),
    infer(x: Float32Array, y: Float32Array, count: number): void {
      assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
      assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
      input.set(x);
      exports.infer(from, to, count);
      y.set(whole ?? output.subarray(0, y.length));
    },
    reset(asset: number): void {
      assert(asset >= 0 && asset < batch, "reset: no such asset");
      exports.reset(asset);
    },
  };
}

function joined(parts: readonly Int8Array[]): Int8Array {
  return Int8Array.from(parts.flatMap((part) => [...part]));
}

function reserve(memory: Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}
