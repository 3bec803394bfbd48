//! PowerNet against the method of bins, on rows that neither has seen, and a look for falls.
import type { Network } from "../network.js";
import { binCurve, examplesOf, type PowerRows } from "./powernet.js";
import { type Net, predict } from "./ternary.js";

export type PowerScore = {
  readonly net_kW: number;
  /** Mean power by 0.5 m/s, as a staircase, and joined by lines. */
  readonly bins_kW: number;
  readonly joined_kW: number;
  readonly words: string;
};

/** The power in W that is expected in each row. */
export type Expect = (rows: PowerRows) => Float64Array;

/** By a net that was trained on `known`: another record's knee must not move its columns. */
export const byNet =
  (net: Net, { columns, rated_W }: PowerRows, quantised = true): Expect =>
  (rows) => {
    const { x } = examplesOf({ ...rows, columns }, () => true);
    return predict(net, x, quantised).map((share) => share * rated_W);
  };

/** Root mean square errors on `unseen`; the bins are those of `known`. */
export function comparePower(expect: Expect, known: PowerRows, rows: PowerRows): PowerScore {
  const curve = binCurve(windOf(known), known.power_W);
  const said = expect(rows);
  const square = said.reduce((sum, v, i) => sum + (v - (rows.power_W[i] as number)) ** 2, 0);
  const net_kW = Math.sqrt(square / rows.count) / 1000;
  const bins_kW = errorOf(rows, (wind) => stair(curve, wind));
  const joined_kW = errorOf(rows, (wind) => joined(curve, wind));
  const ratio = (net_kW / bins_kW).toFixed(3);
  const words =
    `${rows.count} unseen rows: PowerNet ${net_kW.toFixed(1)} kW, 0.5 m/s bins ` +
    `${bins_kW.toFixed(1)} kW (ratio ${ratio}), bins joined by lines ${joined_kW.toFixed(1)} kW`;
  return { net_kW, bins_kW, joined_kW, words };
}

function windOf({ columns, x }: PowerRows): Float64Array {
  return x.filter((_, i) => i % columns.length === 0);
}

function errorOf(rows: PowerRows, expected: (wind_mps: number) => number): number {
  const wind = windOf(rows);
  const sum = rows.power_W.reduce((s, p, i) => s + (expected(wind[i] as number) - p) ** 2, 0);
  return Math.sqrt(sum / rows.count) / 1000;
}

/** A wind that was never seen gets the nearest bin. */
function stair(curve: ReadonlyMap<number, number>, wind_mps: number): number {
  const bin = Math.round(2 * wind_mps);
  const own = curve.get(bin);
  if (own !== undefined) return own;
  const near = [...curve.keys()].reduce((a, b) => (Math.abs(b - bin) < Math.abs(a - bin) ? b : a));
  return curve.get(near) as number;
}

function joined(curve: ReadonlyMap<number, number>, wind_mps: number): number {
  const [low, high] = [Math.floor(2 * wind_mps), Math.floor(2 * wind_mps) + 1];
  const [from, to] = [curve.get(low), curve.get(high)];
  if (from === undefined || to === undefined) return stair(curve, wind_mps);
  return from + (to - from) * (2 * wind_mps - low);
}

/** How often the answer falls as the first input rises, over its range and all others' corners. */
export function falls(network: Network): number {
  const [input, output] = [network.inputs[0], network.outputs[0]];
  const size = input?.size ?? 0;
  const [low, high] = [input?.min ?? 0, input?.max ?? 1];
  const x = new Float32Array(size);
  const y = new Float32Array(output?.size ?? 0);
  let count = 0;
  for (let corner = 0; corner < 3 ** (size - 1); corner++) {
    let before = Number.NEGATIVE_INFINITY;
    for (let i = 1; i < size; i++) {
      x[i] = low + ((high - low) * (Math.floor(corner / 3 ** (i - 1)) % 3)) / 2;
    }
    for (let k = 0; k <= 1000; k++) {
      x[0] = low + ((high - low) * k) / 1000;
      network.infer(x, y);
      if (!((y[0] as number) >= before)) count += 1;
      before = y[0] as number;
    }
  }
  return count;
}
