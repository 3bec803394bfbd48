//! Axes over orders of shaft speed. The page shows the plain one; the network reads windows around
//! the bearing's own fault orders, so that one set of weights serves every geometry.
import { type Bearing, type BearingPart, bearingOrders } from "../../base/physics.js";

export const ORDER_BINS = 512;
export const ORDER_STEP = 0.05;
/** Windows: 4 families of lines, 4 harmonics each, 32 cells of 0.08 orders around each. */
const HARMONICS = 4;
const CELLS = 32;
export const CELL_ORDERS = 0.08;
/** A speed that moves more than this within a block smears every line. */
export const SPEED_CHANGE_MAX = 0.02;

/** Centres of cells in orders of shaft speed, all of one width. */
export type OrderAxis = { readonly centres: Float64Array; readonly width: number };

export const PLAIN_AXIS: OrderAxis = {
  centres: Float64Array.from({ length: ORDER_BINS }, (_, k) => k * ORDER_STEP),
  width: ORDER_STEP,
};

/** The shaft itself is the fourth family: what is loud there is no bearing. */
const FAMILIES: readonly BearingPart[] = ["outer", "inner", "ball"];

export function faultAxis(bearing: Bearing): OrderAxis {
  const orders = bearingOrders(bearing);
  const bases = [...FAMILIES.map((part) => orders[part]), 1];
  const centres = new Float64Array(ORDER_BINS);
  let at = 0;
  for (const base of bases) {
    for (let harmonic = 1; harmonic <= HARMONICS; harmonic++) {
      for (let cell = 0; cell < CELLS; cell++) {
        const order = base * harmonic + (cell - CELLS / 2 + 0.5) * CELL_ORDERS;
        centres[at++] = Math.abs(order); // below zero a spectrum is its own mirror
      }
    }
  }
  return { centres, width: CELL_ORDERS };
}

/** The strongest line of each cell; where no line falls into it, the nearest. */
export function resample(
  lines: Float32Array,
  linesPerOrder: number,
  axis: OrderAxis,
  into: Float32Array,
): void {
  const reach = 0.5 * axis.width * linesPerOrder;
  for (let i = 0; i < into.length; i++) {
    const centre = (axis.centres[i] as number) * linesPerOrder;
    let first = Math.ceil(centre - reach);
    let last = Math.ceil(centre + reach) - 1;
    if (last < first) first = last = Math.round(centre);
    let strongest = Number.NaN;
    for (let k = Math.max(0, first); k <= last && k < lines.length; k++) {
      const line = lines[k] as number;
      if (!(line <= strongest)) strongest = line;
    }
    into[i] = strongest;
  }
}

/**
 * In place: log2(1 + amplitude / median). The median is the floor of the block itself, so gain,
 * mounting and noise cancel; the logarithm keeps a strong line within eight bits. What the block
 * cannot reach reads as the floor. Returns the median.
 */
export function normalise(values: Float32Array, sorted: Float32Array): number {
  sorted.set(values);
  sorted.sort(); // NaN goes last
  let known = sorted.length;
  while (known > 0 && Number.isNaN(sorted[known - 1])) known -= 1;
  const median = Math.max(sorted[known >> 1] ?? 0, 1e-12);
  for (let i = 0; i < values.length; i++) {
    const ratio = (values[i] as number) / median;
    values[i] = Number.isNaN(ratio) ? 1 : Math.log2(1 + ratio);
  }
  return median;
}
