//! An encoder on a device, held to the reference layer by layer: from the same x each layer alone must
//! give what the reference gives, within a bound, and the whole bit for bit what its layers give one
//! after another. Of a whole no bound tells a dead device from a sound one: what tips over a step in
//! one layer moves all that follow, and through 24 layers of 4 bits two sound ones share nothing.
import type { Backend, Loaded } from "./backend.js";
import { type EncoderPlan, layerBound, placeIn } from "./encoder.js";
import { type Evidence, evidenceAt } from "./evidence.js";

/** What float32 leaves of the difference of two values that are almost alike. */
const ROUNDING = 2 ** -21;

/** Null, or what is wrong with `y`, which the device gave as a whole for one sequence x. */
export type EncoderCheck = (x: Float32Array, y: Float32Array) => Evidence | null;

/** One layer on the device and on the reference. */
type Link = {
  readonly plan: EncoderPlan;
  readonly found: Loaded;
  readonly right: Loaded;
  /** From the values of the link before; else from those that it had. */
  readonly next: boolean;
};

export function checkerOf(plan: EncoderPlan, device: Backend, truth: Backend): EncoderCheck {
  const { layers, end, sequence, width } = plan;
  const linkOf = (part: Partial<EncoderPlan>, next = true): Link => {
    const one = { ...plan, end: null, ...part };
    return { plan: one, found: device.loadEncoder(one, 1), right: truth.loadEncoder(one, 1), next };
  };
  const links = layers.map((layer) => linkOf({ layers: [layer] }));
  if (end !== null) links.push(linkOf({ layers: layers.slice(-1), end }, false));
  const place = placeIn(plan);
  const from = new Float32Array(sequence * place);
  const [given, expected] = [0, 1].map(() => new Float32Array(sequence * width)) as [
    Float32Array,
    Float32Array,
  ];
  return (x, y) => {
    from.set(x);
    for (const [i, link] of links.entries()) {
      if (link.next && i > 0) {
        for (let at = 0; at < sequence; at++) {
          from.set(given.subarray(at * width, (at + 1) * width), at * place);
        }
      }
      link.found.infer(from, given, 1);
      link.right.infer(from, expected, 1);
      const why = layerFault(link.plan, from, given, expected);
      if (why === null) continue;
      const layer = Math.min(i, layers.length - 1);
      return evidenceAt(
        why.at,
        sequence * width,
        `layer ${layer}: ${why.text}`,
        from,
        given,
        expected,
      );
    }
    const at = y.findIndex((value, i) => !Object.is(value, given[i]));
    if (at < 0) return null;
    const text = `output ${at} is ${y[at]}, not ${given[at]} as its layers give one after another`;
    return evidenceAt(at, sequence * width, text, x, y, given);
  };
}

/** What is off by more than the bound of one layer. */
export function layerFault(
  plan: EncoderPlan,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): { readonly at: number; readonly text: string } | null {
  const { width, order, end } = plan;
  // Where x is passed on, it is most of y: what the layer adds to it is compared.
  const passed = order === "pre" && end === null;
  const place = placeIn(plan);
  let [squares, off, most, farthest, at] = [0, 0, 0, 0, -1];
  let largest = 0;
  for (const [i, right] of expected.entries()) {
    const value = found[i] as number;
    if (Number.isNaN(value) && Number.isNaN(right)) continue;
    const own = passed ? right - (x[Math.floor(i / width) * place + (i % width)] as number) : right;
    const by = Math.abs(value - right);
    squares += own * own;
    off += by * by;
    most = Math.max(most, Math.abs(own));
    largest = Math.max(largest, Math.abs(right));
    if (by <= farthest) continue;
    // A NaN is farther than all.
    [farthest, at] = [Number.isNaN(by) ? Number.POSITIVE_INFINITY : by, i];
  }
  if (at < 0) return null;
  const bound = layerBound(plan);
  const slack = ROUNDING * largest;
  const alone = bound.most * most + slack;
  if (!(farthest <= alone)) {
    return { at, text: `output ${at} is ${found[at]}, not ${expected[at]} within ${alone}` };
  }
  const [rms, within] = [off, squares].map((sum) => Math.sqrt(sum / expected.length));
  const all = bound.rms * (within as number) + slack;
  if ((rms as number) <= all) return null;
  return { at, text: `its outputs are off by ${rms} (rms), not within ${all}` };
}
