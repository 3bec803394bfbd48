//! A tape of matrices: each operation computes forward at once and notes how to go back. Only what
//! training the shipped networks needs; every operation is checked against finite differences.
import { addProduct, addTransposedProduct, multiplyTransposed } from "./products.js";

/** `rows x cols`, row-major. A leaf that is trained has `grad` read by the optimiser. */
export type Matrix = {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
  readonly grad: Float64Array;
};

export function matrix(rows: number, cols: number, data?: Float64Array): Matrix {
  const size = rows * cols;
  return { rows, cols, data: data ?? new Float64Array(size), grad: new Float64Array(size) };
}

/** Running statistics of a batch norm, and whether a forward pass renews or only uses them. */
export type Statistics = {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  momentum: number;
};
const EPSILON = 1e-5;

export type Tape = {
  /** y = x wT: x is batch x in, w is out x in. */
  linear(x: Matrix, w: Matrix): Matrix;
  /** Adds a row to every row. */
  shift(x: Matrix, b: Matrix): Matrix;
  /** Held between 0 and `most`: relu where that is infinite. */
  relu(x: Matrix, most?: number): Matrix;
  tanh(x: Matrix): Matrix;
  /** A matrix of `cols` columns whose value i is value `from[i]` of x: unfolding, turning. */
  gather(x: Matrix, cols: number, from: Int32Array): Matrix;
  /** By column, over the batch (`learn`) or with the running statistics. */
  batchNorm(x: Matrix, gamma: Matrix, beta: Matrix, stats: Statistics, learn: boolean): Matrix;
  /** Any rounding; the gradient passes straight through where `inside` says so. */
  straight(
    x: Matrix,
    round: (x: Matrix, y: Float64Array) => void,
    inside?: (v: number) => boolean,
  ): Matrix;
  /** Mean cross-entropy of the softmax against target probabilities; at temperature `t`. */
  crossEntropy(logits: Matrix, target: Float64Array, t: number): Matrix;
  /** Mean over the batch of the squared distance to `target`, each column times its weight. */
  squaredError(x: Matrix, target: Float64Array, weights: readonly number[]): Matrix;
  /** a x + b y of two 1 x 1 matrices. */
  blend(x: Matrix, a: number, y: Matrix, b: number): Matrix;
  /** Fills the gradients of everything that `loss` came from. */
  backward(loss: Matrix): void;
};

export function createTape(): Tape {
  const back: (() => void)[] = [];
  return {
    linear(x, w) {
      const y = matrix(x.rows, w.rows);
      multiplyTransposed(x.data, w.data, y.data, x.rows, w.rows, x.cols);
      back.push(() => {
        addProduct(y.grad, w.data, x.grad, x.rows, x.cols, w.rows);
        addTransposedProduct(y.grad, x.data, w.grad, w.rows, x.cols, x.rows);
      });
      return y;
    },
    shift(x, b) {
      const y = matrix(x.rows, x.cols);
      for (let i = 0; i < y.data.length; i++) y.data[i] = at(x.data, i) + at(b.data, i % x.cols);
      back.push(() => {
        for (let i = 0; i < y.grad.length; i++) {
          add(x.grad, i, at(y.grad, i));
          add(b.grad, i % x.cols, at(y.grad, i));
        }
      });
      return y;
    },
    relu(x, most = Number.POSITIVE_INFINITY) {
      const y = matrix(x.rows, x.cols);
      for (let i = 0; i < y.data.length; i++) {
        y.data[i] = Math.min(most, Math.max(0, at(x.data, i)));
      }
      back.push(() => {
        for (let i = 0; i < y.grad.length; i++) {
          if (at(x.data, i) > 0 && at(x.data, i) <= most) add(x.grad, i, at(y.grad, i));
        }
      });
      return y;
    },
    tanh(x) {
      const y = matrix(x.rows, x.cols, x.data.map(Math.tanh));
      back.push(() => {
        for (let i = 0; i < y.grad.length; i++) {
          add(x.grad, i, at(y.grad, i) * (1 - at(y.data, i) ** 2));
        }
      });
      return y;
    },
    gather(x, cols, from) {
      const y = matrix(from.length / cols, cols);
      for (let i = 0; i < from.length; i++) y.data[i] = x.data[from[i] as number] as number;
      back.push(() => {
        for (let i = 0; i < from.length; i++) add(x.grad, from[i] as number, at(y.grad, i));
      });
      return y;
    },
    batchNorm(x, gamma, beta, stats, learn) {
      return batchNorm(x, gamma, beta, stats, learn, back);
    },
    straight(x, round, inside) {
      const y = matrix(x.rows, x.cols);
      round(x, y.data);
      back.push(() => {
        for (let i = 0; i < y.grad.length; i++) {
          if (inside === undefined || inside(at(x.data, i))) add(x.grad, i, at(y.grad, i));
        }
      });
      return y;
    },
    crossEntropy(logits, target, t) {
      const loss = matrix(1, 1);
      const p = softmax(logits, t);
      for (let i = 0; i < p.length; i++) {
        if (at(target, i) > 0) add(loss.data, 0, -at(target, i) * Math.log(at(p, i) + 1e-12));
      }
      loss.data[0] = at(loss.data, 0) / logits.rows;
      back.push(() => {
        const k = at(loss.grad, 0) / (logits.rows * t);
        for (let i = 0; i < p.length; i++) add(logits.grad, i, k * (at(p, i) - at(target, i)));
      });
      return loss;
    },
    squaredError(x, target, weights) {
      const loss = matrix(1, 1);
      const off = (i: number): number => at(x.data, i) - at(target, i);
      const share = (i: number): number => (weights[i % x.cols] ?? 0) / x.rows;
      for (let i = 0; i < x.data.length; i++) add(loss.data, 0, share(i) * off(i) ** 2);
      back.push(() => {
        for (let i = 0; i < x.data.length; i++) {
          add(x.grad, i, 2 * at(loss.grad, 0) * share(i) * off(i));
        }
      });
      return loss;
    },
    blend(x, a, y, b) {
      const z = matrix(1, 1);
      z.data[0] = a * at(x.data, 0) + b * at(y.data, 0);
      back.push(() => {
        add(x.grad, 0, a * at(z.grad, 0));
        add(y.grad, 0, b * at(z.grad, 0));
      });
      return z;
    },
    backward(loss) {
      loss.grad[0] = 1;
      for (let i = back.length - 1; i >= 0; i--) back[i]?.();
    },
  };
}

/** Row by row, at temperature `t`. */
export function softmax(logits: Matrix, t: number): Float64Array {
  const { rows, cols, data } = logits;
  const p = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < cols; c++) top = Math.max(top, at(data, r * cols + c));
    let sum = 0;
    for (let c = 0; c < cols; c++) {
      const e = Math.exp((at(data, r * cols + c) - top) / t);
      p[r * cols + c] = e;
      sum += e;
    }
    for (let c = 0; c < cols; c++) p[r * cols + c] = at(p, r * cols + c) / sum;
  }
  return p;
}

function batchNorm(
  x: Matrix,
  gamma: Matrix,
  beta: Matrix,
  stats: Statistics,
  learn: boolean,
  back: (() => void)[],
): Matrix {
  const { rows, cols } = x;
  const y = matrix(rows, cols);
  const unit = new Float64Array(y.data.length);
  const inverse = new Float64Array(cols);
  for (let c = 0; c < cols; c++) {
    let mean = at(stats.mean, c);
    let variance = at(stats.variance, c);
    if (learn) {
      [mean, variance] = moments(x, c);
      stats.mean[c] = at(stats.mean, c) + stats.momentum * (mean - at(stats.mean, c));
      stats.variance[c] =
        at(stats.variance, c) + stats.momentum * (variance - at(stats.variance, c));
    }
    const k = 1 / Math.sqrt(variance + EPSILON);
    inverse[c] = k;
    for (let i = c; i < unit.length; i += cols) {
      unit[i] = (at(x.data, i) - mean) * k;
      y.data[i] = at(gamma.data, c) * at(unit, i) + at(beta.data, c);
    }
  }
  back.push(() => {
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      let sumUnit = 0;
      for (let i = c; i < unit.length; i += cols) {
        sum += at(y.grad, i);
        sumUnit += at(y.grad, i) * at(unit, i);
      }
      add(beta.grad, c, sum);
      add(gamma.grad, c, sumUnit);
      const k = at(gamma.data, c) * at(inverse, c);
      for (let i = c; i < unit.length; i += cols) {
        const own = learn ? (sum + at(unit, i) * sumUnit) / rows : 0;
        add(x.grad, i, k * (at(y.grad, i) - own));
      }
    }
  });
  return y;
}

function moments(x: Matrix, column: number): [mean: number, variance: number] {
  let mean = 0;
  for (let i = column; i < x.data.length; i += x.cols) mean += at(x.data, i);
  mean /= x.rows;
  let variance = 0;
  for (let i = column; i < x.data.length; i += x.cols) variance += (at(x.data, i) - mean) ** 2;
  return [mean, variance / x.rows];
}

const at = (values: Float64Array, i: number): number => values[i] as number;
function add(values: Float64Array, i: number, by: number): void {
  values[i] = at(values, i) + by;
}
