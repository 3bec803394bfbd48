//! Whether an answer is that of the reference, within the tier of who gave it; and what is kept of
//! one that is not.
import type { Plan } from "./backend.js";

/** Values of the evidence that are kept. */
export const KEPT = 16;

/** What float32 may add to the difference of two values. */
const ROUNDING = 2 ** -22;

export type Evidence = {
  readonly why: string;
  readonly input: readonly number[];
  readonly found: readonly number[];
  readonly expected: readonly number[];
};

/** Null when `found` is within the tier: `exact` is every bit. */
export function differs(
  plan: Plan,
  tolerances: Float64Array,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Evidence | null {
  const { channels, places } = plan.output;
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const channel = Math.floor((i % (channels * places)) / places);
    const steps = tolerances[channel] as number;
    const most = steps > 0 ? steps + ROUNDING * Math.abs(b) : 0;
    if (Math.abs(a - b) <= most) continue;
    const why = `output ${i} is ${a}, not ${b}${steps > 0 ? ` within ${most}` : ""}`;
    return evidenceAt(i, channels * places, why, x, found, expected);
  }
  return null;
}

/** The beginning of the input of the asset that is wrong, and what is around the wrong value. */
export function evidenceAt(
  at: number,
  sizeOut: number,
  why: string,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Evidence {
  const asset = Math.floor(at / sizeOut);
  const sizeIn = x.length / (found.length / sizeOut);
  const first = Math.max(0, at - KEPT / 2);
  return {
    why,
    input: [...x.subarray(asset * sizeIn, asset * sizeIn + KEPT)],
    found: [...found.subarray(first, first + KEPT)],
    expected: [...expected.subarray(first, first + KEPT)],
  };
}
