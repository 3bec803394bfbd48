//! The ternary kernels as a native addon: built by `npm ci` where a compiler is, or prebuilt in the
//! package. One backend for each instruction set that the addon knows and this CPU has.
import { createRequire } from "node:module";
import { assert } from "../base/errors.js";
import { packageFile } from "../base/files.js";
import { type Backend, type Loaded, stateBytes } from "./backend.js";
import { encoderImage } from "./encoder-image.js";
import { COLS_MAX, type Image, imageOf } from "./image.js";

/** With an asset it infers nothing: y gets the bytes of its state; without room it is forgotten. */
type Infer = (x: Float32Array, y: Float32Array, asset?: number) => void;

export type Addon = {
  /** Of the images it reads. */
  readonly layout: number;
  kernels(): readonly string[];
  peak(rounds: number): number;
  load(image: Uint8Array, kernel: string, lanes: number): Infer;
  loadEncoder(image: Uint8Array, kernel: string, lanes: number): Infer;
};

/** The one set of kernels that looks sums up. */
const LOOKUP = "avx512-vbmi";
/** As in native/layout.hpp. */
const LAYOUT = 5;
const PLACES = [
  "build/Release/sterna_accel.node",
  `prebuilds/${process.platform}-${process.arch}/sterna_accel.node`,
];
const NOTHING = new Float32Array(0);
const require = createRequire(import.meta.url);

/** The addon, or why there is none: looked for once. */
let found: Addon | string | null = null;

function addon(): Addon | string {
  found ??= find();
  return found;
}

/** Throws what the loader says when the file is no addon for this machine and this version. */
export function addonAt(file: string): Addon {
  const found = require(file) as Addon;
  if (found.layout !== LAYOUT) throw new Error("built from other sources than these");
  return found;
}

function find(): Addon | string {
  const why: string[] = [];
  for (const place of PLACES) {
    try {
      return addonAt(packageFile(place));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const missing = text.startsWith("Cannot find module");
      why.push(missing ? `no ${place}` : `${place}: ${text.split("\n")[0]}`);
    }
  }
  return `${why.join(", ")}; npm rebuild builds it where a C++ compiler is`;
}

export function probeNative(kernel: string): string | null {
  const present = addon();
  if (typeof present === "string") return present;
  return present.kernels().includes(kernel) ? null : `this CPU has no ${kernel}`;
}

/** Runs the most multiply-adds this core can do and says how many: a benchmark times the call. */
export function runPeak(rounds: number): number {
  const present = addon();
  return typeof present === "string" ? 0 : present.peak(rounds);
}

/** `lanes`: threads of one inference at most; 0 measures at each load whether more than one pay. */
export function openNative(kernel: string, lanes = 0): Backend {
  const present = addon();
  assert(typeof present !== "string", "native: probed before it is used");
  return nativeFrom(present, kernel, lanes);
}

export function nativeFrom(present: Addon, kernel: string, lanes = 0): Backend {
  const open = (image: Image, load: "load" | "loadEncoder", state_bytes: number): Loaded => {
    const { bytes, sizeIn, sizeOut, batch } = image;
    const infer = present[load](bytes, kernel, lanes);
    const state = new Float32Array(Math.ceil(state_bytes / 4));
    return {
      infer(x, y, count): void {
        assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
        assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
        infer(x, y);
      },
      reset: (asset) => infer(NOTHING, NOTHING, asset),
      stateOf(asset): Int8Array {
        if (state_bytes > 0) infer(NOTHING, state, asset);
        return new Int8Array(state.buffer, 0, state_bytes);
      },
    };
  };
  const lookup = kernel === LOOKUP;
  return {
    name: kernel,
    tier: "exact",
    cols_max: COLS_MAX,
    load: (plan, batch) => open(imageOf(plan, batch, lookup), "load", stateBytes(plan)),
    loadEncoder: (plan, batch) => open(encoderImage(plan, batch, lookup), "loadEncoder", 0),
  };
}
