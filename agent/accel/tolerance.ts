//! How far the answers of a device whose tier is `within N` may be from the reference: N steps a
//! layer, and what later layers make of the steps before them.
import type { Tier } from "../base/telemetry.js";
import type { Layer, Plan } from "./backend.js";

/** Steps that are off by rounding are so alone: they add as roots of squares, three times over. */
const SPREAD = 3;
/** Steps lie within +-127, so none is further off. */
const MOST = 254;

/** Steps that a layer's input may be off, and whether all to one side. */
type Off = { readonly steps: number; readonly together: boolean };

/** By output channel, in the unit of the output; 0 for an exact tier. */
export function tolerancesOf(plan: Plan, tier: Tier): Float64Array {
  const { stages, output } = plan;
  const own = tier === "exact" ? 0 : Number.parseFloat(tier.slice("within ".length));
  let off: Off = { steps: 0, together: false };
  let rows: Float64Array | null = null;
  for (const [i, stage] of stages.entries()) {
    const layer = "layer" in stage ? stage.layer : null;
    const sums = output.sums && i === stages.length - 1;
    rows = layer === null ? null : rowsOf(layer, off, own, sums);
    const most = rows === null ? off.steps + own : rows.reduce((a, b) => Math.max(a, b), 0);
    // int8 has a -128, which ends at -127 here: what a layer clips is off together.
    off = { steps: Math.min(MOST, most), together: !(layer?.relu ?? false) };
  }
  return output.scale.map((unit, channel) => unit * (rows?.[channel] ?? off.steps));
}

/** What the rows of a layer make of it, in steps out; in units of their sums where those leave. */
function rowsOf(layer: Layer, off: Off, own: number, sums: boolean): Float64Array {
  const { multiplier, shift, weights, cols } = layer;
  return Float64Array.from(multiplier, (m, row) => {
    let [absolute, squares] = [0, 0];
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      absolute += Math.abs(weights[i] as number);
      squares += (weights[i] as number) ** 2;
    }
    const alone = Math.min(absolute, SPREAD * Math.sqrt(squares));
    const sum = off.steps * (off.together ? absolute : alone);
    if (sums) return sum;
    return Math.min(MOST, own + (sum * m) / 2 ** (shift[row] as number));
  });
}
