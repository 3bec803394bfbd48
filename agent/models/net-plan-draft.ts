//! The plan being made, and what every layer does to it: takes planes, puts stages, copies rows.
import { type Backend, ROW_GAP_BYTES, type Stage } from "../accel/backend.js";
import { stageBytes } from "../accel/image.js";
import { IMAGE_BYTES_MAX } from "../accel/image-check.js";
import { assert } from "../base/errors.js";
import type { IntegerLayer } from "./integers.js";
import type { Pads, TernaryNet } from "./onnx/ternary-net.js";
import {
  endOf,
  lineOf,
  NO_PADS,
  type Plane,
  rowsOf,
  type Spatial,
  spatialOf,
  stepOf,
  type View,
  viewOf,
} from "./plane.js";

/** Of the image, less what its header and output take. */
const PACKED_BYTES_MAX = IMAGE_BYTES_MAX - 2 ** 26;

export const NOT_FREE = "its input lies in an order that it cannot read without a copy";

/** What a planner must know of a backend. */
export type Limits = Pick<Backend, "name" | "cols_max" | "kinds">;

/** The plan being made. */
export type Draft = {
  readonly net: TernaryNet;
  readonly backend: Limits;
  readonly stages: Stage[];
  readonly planes: Plane[];
  /** By name: what a layer, a state or the input gives. */
  readonly values: Map<string, View>;
  /** The widest pads that a convolution wants around a value. */
  readonly pads: ReadonlyMap<string, Pads>;
  macs: number;
  /** What the stages take as kernels read them: rows and columns are filled up to whole tiles. */
  packed_bytes: number;
  /** The layer being planned, as faults name it. */
  owner: string;
  /** Scales of the sums of the last layer, where it has no steps. */
  sumScale: Float64Array | null;
};

/** A new plane behind all others: the next cache line, with the gap that the contract asks for. */
export function makePlane(draft: Draft, shape: Omit<Plane, "at" | "pads">, pads = NO_PADS): Plane {
  const last = draft.planes.at(-1);
  const at = last === undefined ? 0 : Math.ceil((endOf(last) + ROW_GAP_BYTES) / 64) * 64;
  const plane = { ...shape, at, pads };
  draft.planes.push(plane);
  return plane;
}

/** Copies rows into a plane of their own: with other pads, or out of a slice. */
export function copied(draft: Draft, x: Spatial, view: View, pads: Pads): Plane {
  const { channels, height, width } = x;
  assert(!view.plane.wide, "a copy of int16");
  const shape = { channels, height, width, wide: false, owner: draft.owner };
  const plane = makePlane(draft, shape, pads);
  const table = Int8Array.from({ length: 256 }, (_, i) => Math.max(-127, i - 128));
  const grid = { lines: height, places: width, channels };
  draft.stages.push({ kind: "table", ...grid, x, y: rowsOf(plane), table });
  return plane;
}

/** A plane for a result of the same rank, with the pads that its readers want. */
export function resultOf(
  draft: Draft,
  name: string,
  shape: { readonly channels: number; readonly height: number; readonly width: number },
  wide = false,
): Plane {
  const { channels, height, width } = shape;
  const pads = wide ? NO_PADS : (draft.pads.get(name) ?? NO_PADS);
  return makePlane(draft, { channels, height, width, wide, owner: draft.owner }, pads);
}

/** Keeps what the last layer without steps gives: real numbers out of its sums. */
export function keepSums(draft: Draft, made: IntegerLayer, outScale: number | null): void {
  if (outScale === null) draft.sumScale = made.sumScale;
}

/** Whether this backend runs the stage; the text says what it lacks. */
export function put(draft: Draft, stage: Stage): string | null {
  const { kinds, name, cols_max } = draft.backend;
  if (kinds !== undefined && !kinds.includes(stage.kind)) {
    return `the backend ${name} has no ${stage.kind}`;
  }
  if ("layer" in stage && stage.layer.cols > cols_max) {
    return `${stage.layer.cols} columns, the backend ${name} takes ${cols_max}`;
  }
  draft.stages.push(stage);
  const each = "layer" in stage ? stage.layer.weights.length : stage.channels;
  const taps = stage.kind === "pool" ? stage.multiplier.length : 1;
  draft.packed_bytes += stageBytes(stage);
  if (draft.packed_bytes > PACKED_BYTES_MAX) {
    return `the layers up to it take more than ${PACKED_BYTES_MAX / 2 ** 20} MiB as kernels read them`;
  }
  draft.macs += stage.lines * stage.places * each * taps;
  return null;
}

/** Rows with at least these pads around them: a copy where the plane has fewer. */
export function padded(draft: Draft, view: View, pads: readonly number[]): View | string {
  const x = spatialOf(view);
  if (x === null) return NOT_FREE;
  const { plane } = view;
  const [top, left] = [lineOf(plane), stepOf(plane)];
  // Only rows that are those of the plane have its pads around.
  const straight = x.step === left && (x.height === 1 || x.line === top);
  const whole = x.height === plane.height && x.width === plane.width;
  const own = straight && whole && x.channels === plane.channels;
  const enough = plane.pads.every((pad, i) => pad >= (pads[i] as number));
  if (pads.every((pad) => pad === 0) || (own && enough)) return view;
  const copy = copied(draft, x, view, pads as [number, number, number, number]);
  return viewOf(copy, view.dims.length, view.scale);
}
