//! The stages of one layer. Each function gives the view of what the layer makes, or says why it
//! cannot be planned.
import type { Matmul, Stage } from "../accel/backend.js";
import { integerLayer, sizesFault } from "./integers.js";
import { averagesOf, gainsOf, tableOf } from "./integers-plane.js";
import { planConv } from "./net-plan-conv.js";
import { type Draft, keepSums, NOT_FREE, put, resultOf } from "./net-plan-draft.js";
import type {
  AddLayer,
  ConcatLayer,
  DenseLayer,
  MulLayer,
  NetLayer,
  PoolLayer,
  TableLayer,
} from "./onnx/ternary-net.js";
import { asConv2d, isWeighted } from "./onnx/ternary-net.js";
import {
  firstOf,
  isPadded,
  lineOf,
  NO_PADS,
  offsetsOf,
  reshaped,
  rowsOf,
  type Spatial,
  shapeOf,
  sizeOf,
  spatialOf,
  stepOf,
  transposed,
  type View,
  viewOf,
} from "./plane.js";

export function planLayer(
  draft: Draft,
  layer: NetLayer,
  name: string,
  sources: readonly View[],
): View | string {
  const [x, b] = sources;
  const wanted = layer.kind === "mul" ? [2, 2] : layer.kind === "concat" ? [1, 64] : [1, 1];
  const [least = 1, most = 1] = layer.kind === "add" ? [1, 2] : wanted;
  if (x === undefined || sources.length < least || sources.length > most) {
    return `it has ${sources.length} sources`;
  }
  if (isWeighted(layer)) {
    const fault = x.plane.wide ? "it reads int16 steps; put an add with 8 bits before it" : null;
    const sized = fault ?? sizesFault(layer);
    if (sized !== null) return sized;
    return layer.kind === "dense"
      ? planDense(draft, layer, name, x)
      : planConv(draft, asConv2d(layer), name, x);
  }
  if (layer.kind === "reshape" || layer.kind === "transpose") {
    const moved = layer.kind === "reshape" ? reshaped(x, layer.shape) : transposed(x, layer.perm);
    return moved ?? `[${shapeOf(x)}] cannot be read in that shape without a copy`;
  }
  if (!(layer.outScale > 0 && Number.isFinite(layer.outScale))) {
    return `the out scale is ${layer.outScale}`;
  }
  if (layer.kind === "add") return planAdd(draft, layer, name, x, b);
  if (sources.some(({ plane }) => plane.wide)) {
    return "it reads int16 steps; put an add with 8 bits before it";
  }
  if (layer.kind === "mul") return planMul(draft, layer, name, x, b as View);
  if (layer.kind === "concat") return planConcat(draft, layer, name, sources);
  const spatial = spatialOf(x);
  if (spatial === null) return NOT_FREE;
  if (layer.kind === "pool") return planPool(draft, layer, name, x, spatial);
  return planTable(draft, layer, name, x, spatial);
}

function planDense(draft: Draft, layer: DenseLayer, name: string, x: View): View | string {
  const size = sizeOf(x);
  if (layer.cols !== size)
    return `its weights have ${layer.cols} columns, but ${size} values come in`;
  const { plane } = x;
  const [line, used] = [lineOf(plane), plane.width * stepOf(plane)];
  // Columns in the order of memory, so that weights move and values stay.
  const order = new Int32Array(size);
  const offsets = offsetsOf(x);
  for (let i = 0; i < size; i++) {
    const at = offsets[i] as number;
    order[Math.floor(at / line) * used + (at % line)] = i;
  }
  const made = integerLayer(layer, x.scale, order);
  if (typeof made === "string") return made;
  keepSums(draft, made, layer.outScale);
  const y = resultOf(draft, name, { channels: layer.rows, height: 1, width: 1 });
  const whole = !isPadded(plane);
  const stage: Matmul = {
    ...{ kind: "matmul", layer: made.layer, lines: 1, places: 1, y: rowsOf(y) },
    x: { at: firstOf(plane), step: 0, line: 0 },
    runs: whole ? null : Uint32Array.from({ length: plane.height }, (_, i) => i * line),
  };
  return put(draft, stage) ?? viewOf(y, 1, layer.outScale ?? 1);
}

function planAdd(draft: Draft, layer: AddLayer, name: string, a: View, b?: View): View | string {
  const rows = spatialOf(a);
  const other = b === undefined ? rows : spatialOf(b);
  if (rows === null || other === null) return NOT_FREE;
  if (!alike(rows, other)) return `[${shapeOf(a)}] and [${shapeOf(b ?? a)}] are not of one shape`;
  const scales = b === undefined ? [a.scale] : [a.scale, b.scale];
  const gains = gainsOf(layer, rows.channels, scales);
  if (typeof gains === "string") return gains;
  const wide = layer.bits === 16;
  const y = resultOf(draft, name, rows, wide);
  const stage: Stage = {
    ...{ kind: "add", lines: rows.height, places: rows.width, channels: rows.channels },
    ...{ a: { ...rows, wide: a.plane.wide }, b: { ...other, wide: (b ?? a).plane.wide } },
    ...{ y: { ...rowsOf(y), wide }, ...gains, relu: layer.relu },
  };
  return put(draft, stage) ?? viewOf(y, a.dims.length, layer.outScale);
}

function alike(a: Spatial, b: Spatial): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}

function planMul(draft: Draft, layer: MulLayer, name: string, a: View, b: View): View | string {
  const [left, right] = [spatialOf(a), spatialOf(b)];
  if (left === null || right === null) return NOT_FREE;
  // One value a channel gates every place.
  const gate = right.height * right.width === 1 && right.channels === left.channels;
  if (!gate && !alike(left, right)) {
    return `[${shapeOf(a)}] and [${shapeOf(b)}] are not of one shape`;
  }
  const scale = averagesOf(1, a.scale * b.scale, layer.outScale, null);
  if (typeof scale === "string") return scale;
  const y = resultOf(draft, name, left);
  const stage: Stage = {
    ...{ kind: "mul", lines: left.height, places: left.width, channels: left.channels },
    ...{ a: left, b: gate ? { ...right, step: 0, line: 0 } : right, y: rowsOf(y) },
    ...{ multiplier: scale.multiplier[0] as number, shift: scale.shift[0] as number },
  };
  return put(draft, stage) ?? viewOf(y, a.dims.length, layer.outScale);
}

function planTable(
  draft: Draft,
  layer: TableLayer,
  name: string,
  view: View,
  x: Spatial,
): View | string {
  const table = tableOf(layer, view.scale);
  if (typeof table === "string") return table;
  const y = resultOf(draft, name, x);
  const grid = { lines: x.height, places: x.width, channels: x.channels };
  const stage: Stage = { kind: "table", ...grid, x, y: rowsOf(y), table };
  return put(draft, stage) ?? viewOf(y, view.dims.length, layer.outScale);
}

function planConcat(
  draft: Draft,
  layer: ConcatLayer,
  name: string,
  sources: readonly View[],
): View | string {
  const parts = sources.map(spatialOf);
  const [first] = parts;
  if (first === undefined || first === null) return NOT_FREE;
  const channels = parts.reduce((sum, part) => sum + (part?.channels ?? 0), 0);
  const y = resultOf(draft, name, { ...first, channels });
  const rows = rowsOf(y);
  let at = rows.at;
  for (const [i, part] of parts.entries()) {
    if (part === null) return NOT_FREE;
    if (!alike(part, { ...first, channels: part.channels })) return "its sources differ in places";
    const of = { kind: "table", of: "identity", outScale: layer.outScale } as const;
    const table = tableOf(of, (sources[i] as View).scale);
    if (typeof table === "string") return table;
    const grid = { lines: part.height, places: part.width, channels: part.channels };
    const fault = put(draft, { kind: "table", ...grid, x: part, y: { ...rows, at }, table });
    if (fault !== null) return fault;
    at += part.channels;
  }
  return viewOf(y, (sources[0] as View).dims.length, layer.outScale);
}

function planPool(
  draft: Draft,
  layer: PoolLayer,
  name: string,
  view: View,
  x: Spatial,
): View | string {
  const { height, width, channels } = x;
  const whole = { kernel: [height, width], stride: [1, 1], pads: NO_PADS } as const;
  const { kernel, stride, pads } = layer.window ?? whole;
  if (![...kernel, ...stride].every((n) => Number.isInteger(n) && n >= 1)) return "its window";
  if (pads.some((pad, i) => !(pad >= 0 && pad < (kernel[i % 2] as number)))) {
    return "its pads are not below its window";
  }
  const lines = Math.floor((height + pads[0] + pads[2] - kernel[0]) / stride[0]) + 1;
  const places = Math.floor((width + pads[1] + pads[3] - kernel[1]) / stride[1]) + 1;
  if (lines < 1 || places < 1) return "its window is larger than its input";
  const taps = Math.min(kernel[0], height) * Math.min(kernel[1], width);
  if (taps > 65_536) return `a window of ${taps} values, at most 65536`;
  if (layer.mode === "max" && layer.outScale !== view.scale) {
    return "a largest value keeps the step of its input";
  }
  const divisor = layer.countPads ? kernel[0] * kernel[1] : null;
  const averages = averagesOf(taps, view.scale, layer.outScale, divisor);
  if (typeof averages === "string") return averages;
  const y = resultOf(draft, name, { channels, height: lines, width: places });
  const stage: Stage = {
    ...{ kind: "pool", mode: layer.mode, channels, height, width, lines, places },
    ...{ kernel, stride, pad: [pads[0], pads[1]] as const, x, y: rowsOf(y), ...averages },
  };
  return put(draft, stage) ?? viewOf(y, view.dims.length, layer.outScale);
}
