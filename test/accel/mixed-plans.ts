//! Random plans of every kind of stage: planes with and without pads, windows, groups, dilation,
//! int16, state between calls.
import type { Operand, Plan, Rows, Stage } from "../../agent/accel/backend.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { below, layerOf } from "./plans.js";

/** height x width rows of channels with `pad` places of 0 around; a wide value is int16. */
type Plane = {
  readonly at: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pad: number;
  readonly wide: boolean;
};

type Draft = {
  readonly random: Prng;
  readonly stages: Stage[];
  readonly planes: Plane[];
  end: number;
};

function plane(draft: Draft, shape: Omit<Plane, "at">): Plane {
  const { channels, height, width, pad, wide } = shape;
  const made = { ...shape, at: Math.ceil((draft.end + 4) / 64) * 64 };
  draft.end = made.at + channels * (height + 2 * pad) * (width + 2 * pad) * (wide ? 2 : 1);
  draft.planes.push(made);
  return made;
}

function rowsOf({ at, channels, width, pad, wide }: Plane): Operand {
  const step = channels * (wide ? 2 : 1);
  const line = (width + 2 * pad) * step;
  return { at: at + pad * (line + step), step, line, wide };
}

function pads(random: Prng): number {
  return below(random, 3);
}

/** A window of kernel x kernel with dilation over the padded plane: its rows, taps and grid. */
function windowOf({ random }: Draft, x: Plane) {
  const side = (size: number) => {
    const whole = size + 2 * x.pad;
    const kernel = 1 + below(random, Math.min(3, whole));
    const dilation = kernel === 1 ? 1 : 1 + below(random, Math.floor((whole - 1) / (kernel - 1)));
    const stride = 1 + below(random, 2);
    const count = Math.floor((whole - (kernel - 1) * dilation - 1) / stride) + 1;
    return { kernel, dilation, stride, count };
  };
  const [v, h] = [side(x.height), side(x.width)];
  const { step, line } = rowsOf(x);
  const taps = Array.from({ length: v.kernel * h.kernel }, (_, i) => {
    const [l, p] = [Math.floor(i / h.kernel), i % h.kernel];
    return l * v.dilation * line + p * h.dilation * step;
  });
  const rows: Rows = { at: x.at, step: h.stride * step, line: v.stride * line };
  return { taps: Uint32Array.from(taps), rows, lines: v.count, places: h.count };
}

function convolve(draft: Draft, x: Plane): void {
  const { random, stages } = draft;
  const { taps, rows, lines, places } = windowOf(draft, x);
  const groups = x.channels % 2 === 0 && random.next() < 0.4 ? 2 : 1;
  const [inner, outer] = [x.channels / groups, 1 + below(random, 70)];
  const shape = { channels: outer * groups, height: lines, width: places, pad: pads(random) };
  const to = rowsOf(plane(draft, { ...shape, wide: false }));
  for (let group = 0; group < groups; group++) {
    stages.push({
      kind: "matmul",
      layer: layerOf(random, outer, taps.length * inner, random.next() < 0.6),
      ...{ lines, places },
      x: { ...rows, at: rows.at + group * inner },
      runs: taps,
      y: { ...to, at: to.at + group * outer },
    });
  }
}

function depthwise(draft: Draft, x: Plane): void {
  const { taps, rows, lines, places } = windowOf(draft, x);
  const layer = layerOf(draft.random, x.channels, taps.length, draft.random.next() < 0.5);
  const shape = { channels: x.channels, height: lines, width: places, pad: pads(draft.random) };
  const y = rowsOf(plane(draft, { ...shape, wide: false }));
  draft.stages.push({ kind: "depthwise", layer, taps, lines, places, x: rows, y });
}

function elementwise(draft: Draft, x: Plane): void {
  const { random, stages, planes } = draft;
  const { channels, height, width } = x;
  const alike = planes.filter(
    (p) => p.channels === channels && p.height === height && p.width === width,
  );
  const b = alike[below(random, alike.length)] ?? x;
  const kind = x.wide || b.wide ? 0 : below(random, 3);
  const wide = kind === 0 && random.next() < 0.3;
  const y = rowsOf(plane(draft, { ...x, pad: pads(random), wide }));
  const common = { lines: height, places: width, channels, y };
  if (kind === 0) {
    const gain = (): Int32Array =>
      Int32Array.from({ length: channels }, () => below(random, 2 ** 17) - 2 ** 16);
    stages.push({
      ...{ kind: "add", ...common, a: rowsOf(x), b: rowsOf(b), gainA: gain(), gainB: gain() },
      bias: Int32Array.from({ length: channels }, () => below(random, 2 ** 26) - 2 ** 25),
      shift: Uint8Array.from({ length: channels }, () => 14 + below(random, wide ? 3 : 10)),
      relu: random.next() < 0.3,
    });
  } else if (kind === 1) {
    const [multiplier, shift] = [1 + below(random, 32_767), 14 + below(random, 10)];
    // One row of b may gate every place of a.
    const gate = random.next() < 0.5 ? { ...rowsOf(b), step: 0, line: 0 } : rowsOf(b);
    stages.push({ kind: "mul", ...common, a: rowsOf(x), b: gate, multiplier, shift });
  } else {
    const table = Int8Array.from({ length: 256 }, () => below(random, 255) - 127);
    stages.push({ kind: "table", ...common, x: rowsOf(x), table });
  }
}

function pool(draft: Draft, x: Plane): void {
  const { random, stages } = draft;
  const side = (size: number) => {
    const kernel = 1 + below(random, size);
    const pad = below(random, Math.min(3, kernel));
    const stride = 1 + below(random, 3);
    return { kernel, pad, stride, count: Math.floor((size + pad - kernel) / stride) + 1 };
  };
  const [v, h] = [side(x.height), side(x.width)];
  const taps = Math.min(v.kernel, x.height) * Math.min(h.kernel, x.width);
  const shape = { channels: x.channels, height: v.count, width: h.count, pad: pads(random) };
  stages.push({
    kind: "pool",
    mode: random.next() < 0.5 ? "max" : "average",
    channels: x.channels,
    ...{ height: x.height, width: x.width, lines: v.count, places: h.count },
    ...{ kernel: [v.kernel, h.kernel], stride: [v.stride, h.stride], pad: [v.pad, h.pad] },
    ...{ x: rowsOf(x), y: rowsOf(plane(draft, { ...shape, wide: false })) },
    multiplier: Uint16Array.from({ length: taps }, (_, i) => Math.round(2 ** 14 / (i + 1))),
    shift: new Uint8Array(taps).fill(14),
  });
}

/** Everything of a plane into one row: what a dense layer after a convolution reads. */
function dense(draft: Draft, x: Plane): Stage {
  const { random } = draft;
  const { line, at } = rowsOf(x);
  const runs = Uint32Array.from({ length: x.height }, (_, i) => i * line);
  const rows = 1 + below(random, 90);
  const cols = x.height * x.width * x.channels;
  const shape = { channels: rows, height: 1, width: 1, pad: 0, wide: false };
  return {
    kind: "matmul",
    layer: layerOf(random, rows, cols, random.next() < 0.6),
    ...{ lines: 1, places: 1, runs },
    x: { at, step: 0, line: 0 },
    y: rowsOf(plane(draft, shape)),
  };
}

export function mixedPlan(seed: number): Plan {
  const random = prng(seed, "mixed");
  const draft: Draft = { random, stages: [], planes: [], end: 0 };
  const { stages, planes } = draft;
  const shape = {
    channels: 1 + below(random, random.next() < 0.5 ? 8 : 80),
    height: 1 + below(random, 8),
    width: 1 + below(random, 12),
    pad: pads(random),
  };
  const first = plane(draft, { ...shape, wide: false });
  const { at, line } = rowsOf(first);
  const kept = random.next() < 0.5 ? plane(draft, { ...shape, wide: random.next() < 0.6 }) : null;
  const count = 1 + below(random, 6);
  for (let i = 0; i < count; i++) {
    const narrow = planes.filter((p) => !p.wide);
    // Mostly the last one, so that stages stand behind one another.
    const last = narrow.at(-1) ?? first;
    const x = random.next() < 0.7 ? last : (narrow[below(random, narrow.length)] ?? first);
    const kind = random.next();
    if (kind < 0.35) convolve(draft, x);
    else if (kind < 0.5) depthwise(draft, x);
    else if (kind < 0.65) pool(draft, x);
    else elementwise(draft, x);
  }
  const state = kept === null ? [] : [stateOf(draft, first, kept)];
  stages.push(dense(draft, planes.filter((p) => !p.wide).at(-1) ?? first));
  const end = planes.at(-1) ?? first;
  const scale = Float64Array.from({ length: end.channels }, () => 0.001 + random.next());
  const { channels, height: lines, width: length } = shape;
  return {
    input: { channels, lines, length, at, line, inverse: 0.37 + random.next() },
    ...{ stages, state },
    output: {
      channels: end.channels,
      places: 1,
      at: end.at,
      scale,
      sums: random.next() < 0.5,
      relu: false,
    },
    arena_bytes: draft.end,
  };
}

/** A step of a diagonal state: some of the old one and some of the input, then read as int8. */
function stateOf(draft: Draft, x: Plane, kept: Plane) {
  const { random, stages } = draft;
  const { channels, height, width } = x;
  const next = plane(draft, kept);
  const seen = plane(draft, { ...x, pad: 0, wide: false });
  const gain = (most: number): Int32Array =>
    Int32Array.from({ length: channels }, () => below(random, most));
  const common = { kind: "add", lines: height, places: width, channels, relu: false } as const;
  const bias = new Int32Array(channels);
  const [gainA, gainB] = [gain(2 ** 15), gain(2 ** (kept.wide ? 22 : 15))];
  const shift = new Uint8Array(channels).fill(15);
  const [a, b, y] = [rowsOf(kept), rowsOf(x), rowsOf(next)];
  stages.push({ ...common, a, b, y, gainA, gainB, bias, shift });
  const none = new Int32Array(channels);
  const down = {
    gainA: gain(2 ** 15),
    gainB: none,
    shift: shift.map((s) => s + (kept.wide ? 7 : 0)),
  };
  stages.push({ ...common, a: y, b: y, y: rowsOf(seen), ...down, bias });
  const bytes = channels * (height + 2 * kept.pad) * (width + 2 * kept.pad) * (kept.wide ? 2 : 1);
  return { from: next.at, to: kept.at, bytes };
}
