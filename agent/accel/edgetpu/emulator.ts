//! The integers of a fully int8 .tflite as TensorFlow Lite 2.9 computes them, in TypeScript: what
//! the backend `edgetpu` runs on without a stick. Not the reference's: each layer rounds twice, and
//! so may be one step off.
import type { Int8Layer, Program } from "./program.js";

/** Real multiplier = q * 2^(exponent - 31), q in [2^30, 2^31): QuantizeMultiplier of TFLite. */
type Fixed = { readonly q: number; readonly exponent: number };

export function fixedOf(real: number): Fixed {
  let exponent = Math.floor(Math.log2(real)) + 1;
  // The logarithm may be rounded across a power of two.
  if (real / 2 ** exponent >= 1) exponent += 1;
  if (real / 2 ** exponent < 0.5) exponent -= 1;
  let q = Math.round((real / 2 ** exponent) * 2 ** 31);
  if (q === 2 ** 31) {
    q /= 2;
    exponent += 1;
  }
  return exponent < -31 ? { q: 0, exponent: 0 } : { q, exponent };
}

/**
 * The high word of twice the product, rounded half up, then shifted right, rounded half up. The
 * product has 62 bits: its halves are taken apart, so that every number here is exact.
 */
export function scaled(sum: number, { q, exponent }: Fixed): number {
  const x = sum * 2 ** Math.max(0, exponent);
  const high = Math.floor(q / 2 ** 16);
  const low = x * (q % 2 ** 16) + 2 ** 30;
  const doubled = Math.floor((x * high + Math.floor(low / 2 ** 16)) / 2 ** 15);
  if (exponent >= 0) return doubled;
  return Math.floor((doubled + 2 ** (-exponent - 1)) / 2 ** -exponent);
}

/** x: the int8 steps in, place by place; gives those out, in memory of its own. */
export type Run = (x: Int8Array) => Int8Array;

export function emulate({ layers }: Program): Run {
  const runs = layers.map(runOf);
  return (x) => runs.reduce((steps, run) => run(steps), x);
}

function runOf(layer: Int8Layer): Run {
  const { channels, length, kernel, stride, pad, places, rows, weights, bias, relu } = layer;
  const fixed = Array.from(layer.scale, (scale) => fixedOf(scale));
  const cols = kernel * channels;
  const plane = new Int8Array((pad[0] + length + pad[1]) * channels);
  const y = new Int8Array(places * rows);
  return (x) => {
    plane.set(x, pad[0] * channels);
    for (let place = 0; place < places; place++) {
      const from = place * stride * channels;
      for (let row = 0; row < rows; row++) {
        let sum = bias[row] as number;
        const at = row * cols;
        for (let i = 0; i < cols; i++) {
          sum += (weights[at + i] as number) * (plane[from + i] as number);
        }
        const step = scaled(sum, fixed[row] as Fixed);
        y[place * rows + row] = Math.max(relu ? 0 : -128, Math.min(127, step));
      }
    }
    return y;
  };
}
