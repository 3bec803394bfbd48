//! Whether a plan is sound: every size, offset and number of it. What passes here the native code
//! computes without a look; what does not is a mistake of the planner.
import { assert } from "../base/errors.js";
import {
  type Add,
  BATCH_MAX,
  type Layer,
  type Matmul,
  type Plan,
  type Pool,
  ROW_GAP_BYTES,
  type Rows,
  STEP_MAX,
  STEP_MAX_SMALL,
  type Stage,
} from "./backend.js";
import { extent, meet, readsOf, rowBytes, type Span, writesOf } from "./spans.js";

export const COLS_MAX = 65_536;
export const IMAGE_BYTES_MAX = 2 ** 30;
const PRODUCT_MAX = 2 ** 52;
const TAPS_MAX = 65_536;

export function checkPlan(plan: Plan, batch: number): void {
  const { input, stages, output, state, arena_bytes } = plan;
  assert(Number.isInteger(batch) && batch >= 1 && batch <= BATCH_MAX, "image: batch");
  assert(arena_bytes * batch <= IMAGE_BYTES_MAX, "image: arena within 1 GiB");
  const { channels, lines, length, at, line } = input;
  const sized = [channels, lines, length].every((size) => Number.isInteger(size) && size >= 1);
  assert(sized && Number.isFinite(input.inverse), "image: input");
  assert(isLimit(input.limit), "image: limit of the input");
  assert(lines === 1 || line >= channels * length, "image: lines of the input");
  const places = { lines, places: length };
  const given = { at, step: channels, line };
  checkRows(given);
  inside(plan, extent(places, given, channels), "input");
  assert(output.scale.length === output.channels, "image: output scales");
  const result = { from: output.at, to: output.at + output.channels * output.places };
  if (!output.sums) inside(plan, result, "output");
  assert(stages.length > 0, "image: a stage");
  for (const [i, stage] of stages.entries()) {
    const sums = output.sums && i === stages.length - 1;
    checkStage(plan, stage, sums);
    if (!sums) continue;
    const count = stage.lines * stage.places;
    assert(stage.kind === "matmul", "image: sums of a matmul");
    const fits = output.channels === stage.layer.rows && output.places === count;
    assert(fits, "image: the last stage is the output");
  }
  for (const { from, to, bytes } of state) {
    const [read, write] = [from, to].map((start) => ({ from: start, to: start + bytes }));
    assert(read !== undefined && write !== undefined && !meet(read, write), "image: state");
    inside(plan, read, "state");
    inside(plan, write, "state");
  }
}

function inside({ arena_bytes }: Plan, { from, to }: Span, what: string): void {
  assert(Number.isInteger(from) && from >= 0 && to <= arena_bytes, `image: ${what} leaves`);
}

function checkRows({ at, step, line }: Rows): void {
  assert(
    [at, step, line].every((n) => Number.isInteger(n) && n >= 0),
    "image: rows",
  );
}

function checkStage(plan: Plan, stage: Stage, sums: boolean): void {
  const { lines, places } = stage;
  const grid = [lines, places].every((n) => Number.isInteger(n) && n >= 1);
  assert(grid && lines * places < 2 ** 31, "image: places of a stage");
  const channels = "layer" in stage ? stage.layer.rows : stage.channels;
  assert(Number.isInteger(channels) && channels >= 1, "image: channels of a stage");
  checkNumbers(stage);
  const given = "a" in stage ? [stage.a, stage.b] : [stage.x];
  for (const rows of given) checkRows(rows);
  const reads = readsOf(stage);
  for (const read of reads) inside(plan, read, `x of a ${stage.kind}`);
  if (sums) return;
  checkRows(stage.y);
  const size = rowBytes(stage);
  const write = writesOf(stage);
  inside(plan, write, `y of a ${stage.kind}`);
  const rows = places === 1 || stage.y.step >= size;
  const whole = lines === 1 || stage.y.line >= (places - 1) * stage.y.step + size;
  assert(rows && whole, "image: rows of y overlap");
  // Straight rows are read four bytes at a time, and what lies behind them must not change.
  const more = stage.kind === "matmul" && stage.runs === null ? ROW_GAP_BYTES : 0;
  for (const { from, to } of reads) {
    assert(!meet(write, { from, to: to + more }), "image: y of a stage touches its x");
  }
}

/** The numbers of a stage itself, before anything is said of where it reads. */
function checkNumbers(stage: Stage): void {
  switch (stage.kind) {
    case "matmul": {
      const { layer, runs } = stage;
      checkLayer(layer);
      const run = layer.cols / (runs?.length ?? 1);
      return assert(runs === null || (runs.length >= 1 && Number.isInteger(run)), "image: runs");
    }
    case "depthwise":
      checkLayer(stage.layer);
      return assert(stage.taps.length === stage.layer.cols, "image: taps");
    case "add":
      return checkAdd(stage);
    case "mul":
      return checkScale(stage.multiplier, stage.shift);
    case "table": {
      const most = stage.table.every((value) => value >= -127);
      return assert(stage.table.length === 256 && most, "image: table");
    }
    case "pool":
      return checkPool(stage);
  }
}

function isLimit(limit = STEP_MAX): boolean {
  return Number.isInteger(limit) && limit >= 1 && limit <= STEP_MAX;
}

/** Whether all that may lie in the x of a matmul was clipped to +-`STEP_MAX_SMALL`. */
export function isSmall(plan: Plan, stage: Matmul): boolean {
  const { input, stages, state } = plan;
  const [read] = readsOf(stage) as [Span];
  const meets = (limit: number, write: Span): boolean =>
    limit > STEP_MAX_SMALL && meet(read, write);
  const { channels, lines, length, at, line, limit = STEP_MAX } = input;
  const given = extent({ lines, places: length }, { at, step: channels, line }, channels);
  if (meets(limit, given)) return false;
  if (state.some(({ to, bytes }) => meets(STEP_MAX, { from: to, to: to + bytes }))) return false;
  return !stages.some((s) => meets(limitOf(s), writesOf(s)));
}

/** What the steps that a stage writes are clipped to. */
function limitOf(stage: Stage): number {
  if ("layer" in stage) return stage.layer.limit ?? STEP_MAX;
  return stage.kind === "table"
    ? stage.table.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
    : STEP_MAX;
}

function checkLayer(layer: Layer): void {
  const { rows, cols, weights, ternary, bias, multiplier, shift } = layer;
  const shape = [rows, cols].every((n) => Number.isInteger(n) && n >= 1) && cols <= COLS_MAX;
  assert(shape, "image: shape of a layer");
  assert(weights.length === rows * cols, "image: weights");
  assert(withinRange(weights, ternary ? 1 : 127), "image: a weight is out of range");
  const sized = [bias, multiplier, shift].every((list) => list.length === rows);
  assert(sized && isLimit(layer.limit), "image: scales of a layer");
  for (let row = 0; row < rows; row++) checkScale(multiplier[row] as number, shift[row] as number);
}

/** Without a branch a weight: those of a large model are most of its load. */
export function withinRange(weights: Int8Array, most: number): boolean {
  let sign = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    sign |= (weight + most) | (most - weight);
  }
  return sign >= 0;
}

function checkScale(multiplier: number, shift: number): void {
  const fits = multiplier >= 0 && multiplier < 2 ** 15 && shift >= 1 && shift <= 31;
  assert(fits && Number.isInteger(multiplier) && Number.isInteger(shift), "image: a scale");
}

function checkAdd({ channels, a, b, y, gainA, gainB, bias, shift }: Add): void {
  const sized = [gainA, gainB, bias, shift].every((list) => list.length === channels);
  assert(sized, "image: gains");
  const [left, right] = [a, b].map(({ wide }) => (wide ? 32_767 : 127)) as [number, number];
  for (let c = 0; c < channels; c++) {
    const gains = Math.abs(gainA[c] as number) * left + Math.abs(gainB[c] as number) * right;
    const s = shift[c] as number;
    const most = gains + Math.abs(bias[c] as number) + 2 ** s;
    assert(most < PRODUCT_MAX && s >= 1 && s <= 31, "image: a gain");
  }
  const even = [a, b, y].every(({ wide, at, step, line }) => {
    return !wide || [at, step, line].every((n) => n % 2 === 0);
  });
  assert(even, "image: int16 at an odd place");
}

/** No window is empty: the first and the last of each side reach into the plane. */
function checkPool(stage: Pool): void {
  const { lines, places, height, width, kernel, stride, pad } = stage;
  const sides = [
    [height, lines, kernel[0], stride[0], pad[0]],
    [width, places, kernel[1], stride[1], pad[1]],
  ] as const;
  for (const [size, count, window, step, before] of sides) {
    const whole = [size, window, step, before].every((n) => Number.isInteger(n) && n < 2 ** 20);
    assert(whole && size >= 1 && window >= 1 && step >= 1 && before >= 0, "image: pool");
    assert(before < window && (count - 1) * step - before < size, "image: a window is empty");
  }
  const taps = Math.min(kernel[0], height) * Math.min(kernel[1], width);
  const { mode, multiplier, shift } = stage;
  assert(taps <= TAPS_MAX, "image: window");
  if (mode === "max") return;
  assert(multiplier.length === taps && shift.length === taps, "image: scales of a pool");
  for (let i = 0; i < taps; i++) checkScale(multiplier[i] as number, shift[i] as number);
}
