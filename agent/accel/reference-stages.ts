//! Every integer of the stages, stated normatively: readable first, no trick. Products stay below
//! 2^52, so the numbers of JavaScript are exact.
import {
  type Add,
  type Depthwise,
  type Grid,
  type Matmul,
  type Mul,
  type Operand,
  type Pool,
  type Rows,
  STEP_MAX,
  type Stage,
} from "./backend.js";

export function runStage(stage: Stage, arena: Int8Array): void {
  if (stage.kind === "matmul" || stage.kind === "depthwise") weighted(stage, arena);
  else if (stage.kind === "add") add(stage, arena);
  else if (stage.kind === "mul") mul(stage, arena);
  else if (stage.kind === "pool") pool(stage, arena);
  else {
    const { x, y, table } = stage;
    each(stage, stage.channels, (place, c) => {
      const step = arena[rowAt(stage, x, place) + c] as number;
      arena[rowAt(stage, y, place) + c] = table[step + 128] as number;
    });
  }
}

/** Where the row of a place begins; places are counted line by line. */
function rowAt({ places }: Grid, { at, step, line }: Rows, place: number): number {
  return at + Math.floor(place / places) * line + (place % places) * step;
}

function each({ lines, places }: Grid, channels: number, run: (p: number, c: number) => void) {
  for (let place = 0; place < lines * places; place++) {
    for (let channel = 0; channel < channels; channel++) run(place, channel);
  }
}

function weighted(stage: Matmul | Depthwise, arena: Int8Array): void {
  const { rows, multiplier, shift, relu, limit } = stage.layer;
  each(stage, rows, (place, row) => {
    const sum = sumOf(stage, arena, place, row);
    const value = requantise(sum, multiplier[row] as number, shift[row] as number, limit);
    arena[rowAt(stage, stage.y, place) + row] = relu && value < 0 ? 0 : value;
  });
}

/** The int32 of one output: weights times x, and the bias. */
export function sumOf(
  stage: Matmul | Depthwise,
  arena: Int8Array,
  place: number,
  row: number,
): number {
  const { weights, cols, bias } = stage.layer;
  const from = rowAt(stage, stage.x, place);
  const at = row * cols;
  let sum = bias[row] as number;
  if (stage.kind === "matmul" && stage.runs === null) {
    for (let i = 0; i < cols; i++) {
      sum += (weights[at + i] as number) * (arena[from + i] as number);
    }
    return sum;
  }
  for (let i = 0; i < cols; i++) {
    sum += (weights[at + i] as number) * (arena[from + offsetOf(stage, row, i)] as number);
  }
  return sum;
}

/** Where column i of a row lies, in bytes after the beginning of the row. */
function offsetOf(stage: Matmul | Depthwise, row: number, i: number): number {
  if (stage.kind === "depthwise") return (stage.taps[i] as number) + row;
  const runs = stage.runs ?? [0];
  const run = stage.layer.cols / runs.length;
  return (runs[Math.floor(i / run)] as number) + (i % run);
}

function add(stage: Add, arena: Int8Array): void {
  const { a, b, y, gainA, gainB, bias, shift, relu } = stage;
  each(stage, stage.channels, (place, c) => {
    const left = read(arena, a, rowAt(stage, a, place), c) * (gainA[c] as number);
    const right = read(arena, b, rowAt(stage, b, place), c) * (gainB[c] as number);
    const sum = left + right + (bias[c] as number);
    const value = shifted(sum, shift[c] as number, y.wide ? 32_767 : 127);
    write(arena, y, rowAt(stage, y, place), c, relu && value < 0 ? 0 : value);
  });
}

function read(arena: Int8Array, { wide }: Operand, row: number, channel: number): number {
  if (!wide) return arena[row + channel] as number;
  const at = row + 2 * channel;
  return ((arena[at] as number) & 255) + 256 * (arena[at + 1] as number);
}

function write(
  arena: Int8Array,
  { wide }: Operand,
  row: number,
  channel: number,
  value: number,
): void {
  const at = row + (wide ? 2 * channel : channel);
  arena[at] = value;
  if (wide) arena[at + 1] = value >> 8;
}

function mul(stage: Mul, arena: Int8Array): void {
  const { a, b, y, multiplier, shift } = stage;
  each(stage, stage.channels, (place, c) => {
    const left = arena[rowAt(stage, a, place) + c] as number;
    const right = arena[rowAt(stage, b, place) + c] as number;
    const value = requantise(left * right, multiplier, shift);
    arena[rowAt(stage, y, place) + c] = value;
  });
}

function pool(stage: Pool, arena: Int8Array): void {
  const { mode, height, width, kernel, stride, pad, x, y, multiplier, shift } = stage;
  each(stage, stage.channels, (place, c) => {
    const line = Math.floor(place / stage.places) * stride[0] - pad[0];
    const first = (place % stage.places) * stride[1] - pad[1];
    let [most, sum, count] = [-127, 0, 0];
    for (let l = Math.max(0, line); l < Math.min(height, line + kernel[0]); l++) {
      for (let p = Math.max(0, first); p < Math.min(width, first + kernel[1]); p++) {
        const value = arena[x.at + l * x.line + p * x.step + c] as number;
        most = Math.max(most, value);
        sum += value;
        count += 1;
      }
    }
    const [m, s] = [multiplier[count - 1] as number, shift[count - 1] as number];
    arena[rowAt(stage, y, place) + c] = mode === "max" ? most : requantise(sum, m, s);
  });
}

/** Normative: exact in a double because |sum| * multiplier < 2^52. Rounds half up. */
export function requantise(
  sum: number,
  multiplier: number,
  shift: number,
  limit = STEP_MAX,
): number {
  return shifted(sum * multiplier, shift, limit);
}

function shifted(value: number, shift: number, most: number): number {
  const step = Math.floor((value + 2 ** (shift - 1)) / 2 ** shift);
  return Math.max(-most, Math.min(most, step));
}
