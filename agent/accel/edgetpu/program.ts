//! What of a plan an Edge TPU can compute: the stages from the first on that are fully int8 layers
//! of a plain chain. The rest is the CPU's; why it is, is said with the stage named.
import { createHash } from "node:crypto";
import type { Layer, Matmul, Plan, Stage } from "../backend.js";
import { STEP_MAX } from "../backend.js";
import { cutsOf } from "../cut.js";

/** Bytes of the values in and of the values out: one frame of the ring to the worker. */
export const FRAME_BYTES = 2 ** 16;
const INT32_MAX = 2 ** 31 - 1;
/** A device has a -128 too, which steps have not. */
const STEP_LEAST = 128;

/**
 * One layer over a plane of `length` places of `channels`, `pad` zeros at its ends: `places` rows
 * of `kernel * channels` values, each `stride` places after the one before. A dense layer is one
 * whose kernel is the whole plane. Steps have scale 1 and zero point 0; `scale[r]` is what one
 * unit of the sum of row r is in steps out, exact in float32.
 */
export type Int8Layer = {
  readonly name: string;
  readonly channels: number;
  readonly length: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: readonly [number, number];
  readonly places: number;
  readonly rows: number;
  /** rows x (kernel * channels), place by place. */
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  readonly scale: Float32Array;
  readonly relu: boolean;
};

export type Program = {
  readonly layers: readonly Int8Layer[];
  /** 32 hex digits over all that decides its integers: what a compiled model is known by. */
  readonly hash: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

/**
 * What a .tflite of a program carries as its description and in the names of the tensors that go in
 * and out, so that a compiled one still tells whose it is.
 */
export const nameOf = ({ hash }: Pick<Program, "hash">): string => `sterna-${hash}`;

/** The first `stages` of the plan as a program; `why` says what ends it, null when nothing does. */
export type Fit = {
  readonly program: Program | null;
  readonly stages: number;
  readonly why: string | null;
};

type Plane = { readonly at: number; readonly channels: number; readonly length: number };

export function programOf(plan: Plan): Fit {
  const { input, stages, output } = plan;
  if (plan.state.length > 0) return none("the network keeps a state between calls");
  if (input.lines !== 1) return none("its input is a plane of two dimensions");
  if ((input.limit ?? STEP_MAX) !== STEP_MAX) return none("its input is of 4-bit steps");
  const cuts = new Set([0, ...cutsOf(plan)]);
  let plane: Plane = { at: input.at, channels: input.channels, length: input.length };
  const bytesIn = sizeOf(plane);
  if (bytesIn > FRAME_BYTES) return none(`${bytesIn} values come in, at most ${FRAME_BYTES}`);
  const layers: Int8Layer[] = [];
  let why: string | null = null;
  for (const [i, stage] of stages.entries()) {
    const name = `stage ${i + 1} (${stage.kind})`;
    const real = output.sums && i === stages.length - 1;
    const layer = real
      ? "it gives real numbers, not steps"
      : cuts.has(i)
        ? layerOf(stage, plane, name)
        : "it reads more than the stage before it writes";
    if (typeof layer === "string") {
      why = `${name}: ${layer}`;
      break;
    }
    layers.push(layer);
    plane = { at: (stage as Matmul).y.at, channels: layer.rows, length: layer.places };
  }
  // What ends the program must be where the rest can begin, and fit a frame.
  while (layers.length > 0) {
    const { name, rows, places } = layers.at(-1) as Int8Layer;
    const large = rows * places > FRAME_BYTES;
    if (!large && (layers.length === stages.length || cuts.has(layers.length))) {
      return { program: seal(layers, bytesIn, rows * places), stages: layers.length, why };
    }
    why = `${name}: ${large ? `more than ${FRAME_BYTES} values come out` : "what follows reads more"}`;
    layers.pop();
  }
  return none(why ?? "it has no layers");
}

const none = (why: string): Fit => ({ program: null, stages: 0, why });
const sizeOf = ({ channels, length }: Plane): number => channels * length;

/** A text says why an int8 device cannot give the same steps within one. */
function layerOf(stage: Stage, plane: Plane, name: string): Int8Layer | string {
  if (stage.kind !== "matmul") return "an Edge TPU gets dense and conv1d layers only";
  const { layer, x, y, lines, places } = stage;
  if (lines !== 1 || stage.runs !== null) return "its rows are gathered (2-D, dilation or groups)";
  if ((layer.limit ?? STEP_MAX) !== STEP_MAX) return `its steps are clipped to +-${layer.limit}`;
  const { channels, length } = plane;
  const before = plane.at - x.at;
  const stride = places === 1 ? channels : x.step;
  const whole = [layer.cols, before, stride].every((bytes) => bytes % channels === 0);
  if (!whole || before < 0 || stride < channels) return "it does not read its input place by place";
  if (places > 1 && y.step !== layer.rows) return "it writes into a slice";
  const kernel = layer.cols / channels;
  const first = before / channels;
  const last = (places - 1) * (stride / channels) + kernel - first - length;
  if (first >= kernel || last >= kernel) return "its padding is as wide as its kernel";
  const numbers = numbersOf(layer);
  if (typeof numbers === "string") return numbers;
  return {
    name,
    channels,
    length,
    kernel,
    stride: stride / channels,
    pad: [first, Math.max(0, last)],
    places,
    rows: layer.rows,
    relu: layer.relu,
    ...numbers,
  };
}

type Numbers = Pick<Int8Layer, "weights" | "bias" | "scale">;

function numbersOf(layer: Layer): Numbers | string {
  const { rows, cols, multiplier, shift } = layer;
  const weights = Int8Array.from(layer.weights);
  const bias = Int32Array.from(layer.bias);
  const scale = Float32Array.from(multiplier, (m, row) => m * 2 ** -(shift[row] as number));
  const some = scale.find((value) => value > 0) ?? 1;
  for (let row = 0; row < rows; row++) {
    const own = weights.subarray(row * cols, (row + 1) * cols);
    if (scale[row] === 0) {
      // Always 0, but a scale of 0 is none.
      own.fill(0);
      bias[row] = 0;
      scale[row] = some;
    }
    const total = own.reduce((sum, weight) => sum + Math.abs(weight), 0);
    const most = STEP_LEAST * total + Math.abs(bias[row] as number);
    const left = 2 ** Math.max(0, Math.floor(Math.log2(scale[row] as number)) + 1);
    if (!(most * left <= INT32_MAX)) return `row ${row}: sums times their scale go beyond 32 bits`;
  }
  return { weights, bias, scale };
}

function seal(layers: readonly Int8Layer[], bytesIn: number, bytesOut: number): Program {
  const hash = createHash("sha256");
  for (const layer of layers) {
    const { channels, length, kernel, stride, pad, places, rows, relu } = layer;
    hash.update(JSON.stringify([channels, length, kernel, stride, pad, places, rows, relu]));
    hash.update(layer.weights).update(layer.bias).update(layer.scale);
  }
  const digits = hash.digest("hex").slice(0, 32);
  return { layers: [...layers], hash: digits, bytesIn, bytesOut };
}
