//! Where the values of a tensor lie in the arena. A plane is memory: lines of places of channels,
//! with zeros around; a view is a tensor's shape over it, so that reshapes and transposes are free.
import type { Rows } from "../accel/backend.js";
import type { Pads } from "./onnx/ternary-net.js";

export const NO_PADS: Pads = [0, 0, 0, 0];

export type Plane = {
  readonly at: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pads: Pads;
  /** int16, two bytes a value. */
  readonly wide: boolean;
  /** The layer that writes it, as faults name it. */
  readonly owner: string;
};

/** A dimension may run over several distances: outermost first, in bytes. */
type Factor = { readonly size: number; readonly stride: number };
type Dim = readonly Factor[];

export type View = { readonly plane: Plane; readonly dims: readonly Dim[]; readonly scale: number };

/** A view as rows of channels: what most stages read. */
export type Spatial = Rows & {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
};

export function stepOf({ channels, wide }: Plane): number {
  return channels * (wide ? 2 : 1);
}

export function lineOf(plane: Plane): number {
  return (plane.width + plane.pads[1] + plane.pads[3]) * stepOf(plane);
}

/** The first value that is no pad. */
export function firstOf(plane: Plane): number {
  return plane.at + plane.pads[0] * lineOf(plane) + plane.pads[1] * stepOf(plane);
}

export function endOf(plane: Plane): number {
  return plane.at + (plane.height + plane.pads[0] + plane.pads[2]) * lineOf(plane);
}

export function isPadded({ pads }: Plane): boolean {
  return pads.some((pad) => pad > 0);
}

/** The rows of the whole plane. */
export function rowsOf(plane: Plane): Rows {
  return { at: firstOf(plane), step: stepOf(plane), line: lineOf(plane) };
}

/** [channels], [channels, width] or [channels, height, width] over a plane. */
export function viewOf(plane: Plane, rank: number, scale: number): View {
  const { channels, height, width, wide } = plane;
  const dims = [
    [{ size: channels, stride: wide ? 2 : 1 }],
    ...(rank === 3 ? [[{ size: height, stride: lineOf(plane) }]] : []),
    ...(rank >= 2 ? [[{ size: width, stride: stepOf(plane) }]] : []),
  ];
  return { plane, dims, scale };
}

export function shapeOf({ dims }: View): number[] {
  return dims.map((dim) => dim.reduce((size, factor) => size * factor.size, 1));
}

export function sizeOf(view: View): number {
  return shapeOf(view).reduce((a, b) => a * b, 1);
}

export function transposed(view: View, perm: readonly number[]): View | null {
  const sorted = [...perm].sort((a, b) => a - b);
  if (perm.length !== view.dims.length || sorted.some((at, i) => at !== i)) return null;
  return { ...view, dims: perm.map((at) => view.dims[at] as Dim) };
}

/** Null where the sizes do not fit, or a new dimension would run over part of an old one. */
export function reshaped(view: View, shape: readonly number[]): View | null {
  const rest = merged(view.dims.flat());
  const dims: Dim[] = [];
  for (const size of shape) {
    const dim: Factor[] = [];
    let wanted = size;
    while (wanted > 1) {
      const next = rest.shift();
      if (next === undefined) return null;
      if (wanted % next.size === 0) {
        dim.push(next);
        wanted /= next.size;
      } else if (next.size % wanted === 0) {
        const inner = next.size / wanted;
        dim.push({ size: wanted, stride: next.stride * inner });
        rest.unshift({ size: inner, stride: next.stride });
        wanted = 1;
      } else return null;
    }
    dims.push(dim);
  }
  return rest.length === 0 ? { ...view, dims } : null;
}

/** Without factors of 1, and with one factor where two run through without a gap. */
function merged(factors: readonly Factor[]): Factor[] {
  const found: Factor[] = [];
  for (const factor of factors) {
    if (factor.size === 1) continue;
    const last = found.at(-1);
    if (last !== undefined && last.stride === factor.stride * factor.size) {
      found[found.length - 1] = { size: last.size * factor.size, stride: factor.stride };
    } else found.push(factor);
  }
  return found;
}

/** Null where the channels do not lie side by side, or a side is no straight walk. */
export function spatialOf({ plane, dims }: View): Spatial | null {
  const [channels, ...sides] = dims.map(merged);
  if (channels === undefined || sides.length > 2 || channels.length > 1) return null;
  if (sides.some((side) => side.length > 1)) return null;
  const [c, w] = [channels[0], sides.at(-1)?.[0]];
  const h = sides.length === 2 ? sides[0]?.[0] : undefined;
  if (c !== undefined && c.stride !== (plane.wide ? 2 : 1)) return null;
  return {
    at: firstOf(plane),
    channels: c?.size ?? 1,
    height: h?.size ?? 1,
    width: w?.size ?? 1,
    step: w?.stride ?? 0,
    line: h?.stride ?? 0,
  };
}

/** By the place of a value in the flat tensor, its distance from the first value of the plane. */
export function offsetsOf(view: View): Int32Array {
  const factors = merged(view.dims.flat());
  const offsets = new Int32Array(sizeOf(view));
  let filled = 1;
  for (const { size, stride } of factors) {
    // Backwards, so that what is still to be read stands.
    for (let i = filled - 1; i >= 0; i--) {
      const from = offsets[i] as number;
      for (let k = 0; k < size; k++) offsets[i * size + k] = from + k * stride;
    }
    filled *= size;
  }
  return offsets;
}
