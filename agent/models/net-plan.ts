//! Plans a network of the ternary pattern: where its values lie in the arena, and the stages that
//! compute them. Whatever does not fit is a text that names the layer.
import type { Plan } from "../accel/backend.js";
import { copied, type Draft, type Limits, makePlane } from "./net-plan-draft.js";
import { planLayer } from "./net-plan-layers.js";
import {
  asConv2d,
  describeLayer,
  type NetLayer,
  nameOf,
  type Pads,
  sourcesOf,
  type TernaryNet,
} from "./onnx/ternary-net.js";
import {
  endOf,
  firstOf,
  isPadded,
  NO_PADS,
  offsetsOf,
  type Plane,
  rowsOf,
  shapeOf,
  sizeOf,
  spatialOf,
  type View,
  viewOf,
} from "./plane.js";

/** Values between two layers, and multiplications an inference: far above any model of an edge. */
export const VALUES_MAX = 2 ** 22;
const MACS_MAX = 2 ** 31;
const LAYERS_MAX = 4096;
const ARENA_BYTES_MAX = 2 ** 27;
const PAD_MAX = 2 ** 16;

export type Planned = {
  readonly plan: Plan;
  /** In the order of the arena. */
  readonly planes: readonly Plane[];
  /** By name: where what a layer, a state or the input gives lies. */
  readonly values: ReadonlyMap<string, View>;
  /** What the output's shape is, without the batch. */
  readonly shape: readonly number[];
};

export function planNet(net: TernaryNet, backend: Limits): Planned | string {
  const draft: Draft = {
    net,
    backend,
    stages: [],
    planes: [],
    values: new Map(),
    pads: padsOf(net),
    macs: 0,
    packed_bytes: 0,
    owner: "",
    sumScale: null,
  };
  if (net.layers.length > LAYERS_MAX) {
    return `it has ${net.layers.length} layers, at most ${LAYERS_MAX}`;
  }
  const input = inputPlane(draft);
  if (typeof input === "string") return input;
  const fault = placeStates(draft);
  if (fault !== null) return fault;
  for (const [index, layer] of net.layers.entries()) {
    const found = layerOf(draft, layer, index);
    if (found !== null) return `${describeLayer(layer, index)}: ${found}`;
  }
  return finish(draft, input);
}

function layerOf(draft: Draft, layer: NetLayer, index: number): string | null {
  const { net, values } = draft;
  const name = nameOf(layer, index);
  draft.owner = describeLayer(layer, index);
  if (values.has(name)) return `the name ${name} is taken`;
  const sources: View[] = [];
  for (const from of sourcesOf(net, index)) {
    const view = values.get(from);
    if (view === undefined) return `nothing before it gives ${from}`;
    sources.push(view);
  }
  const last = index === net.layers.length - 1;
  if (!last && "outScale" in layer && layer.outScale === null) return "it has no out scale";
  const view = planLayer(draft, layer, name, sources);
  if (typeof view === "string") return view;
  values.set(name, view);
  if (!(sizeOf(view) <= VALUES_MAX))
    return `${sizeOf(view)} values come out, at most ${VALUES_MAX}`;
  if (!(draft.macs <= MACS_MAX)) return `more than ${MACS_MAX} multiplications an inference`;
  const end = draft.planes.at(-1);
  const fits = end === undefined || endOf(end) <= ARENA_BYTES_MAX;
  return fits ? null : `values and pads take more than ${ARENA_BYTES_MAX} bytes`;
}

function padsOf(net: TernaryNet): Map<string, Pads> {
  const found = new Map<string, Pads>();
  for (const [index, layer] of net.layers.entries()) {
    if (layer.kind !== "conv1d" && layer.kind !== "conv2d") continue;
    const { pads } = asConv2d(layer);
    // One that is no number, or beyond reason, is refused where the layer is planned.
    if (!pads.every((pad) => pad >= 0 && pad <= PAD_MAX)) continue;
    for (const from of sourcesOf(net, index)) {
      const before = found.get(from) ?? NO_PADS;
      found.set(from, before.map((pad, i) => Math.max(pad, pads[i] as number)) as [...Pads]);
    }
  }
  return found;
}

/** What a transpose reads stays as it comes: what was last lies side by side already. */
function isTurned(net: TernaryNet): boolean {
  return net.layers.some((layer, i) => {
    return layer.kind === "transpose" && sourcesOf(net, i).includes(net.input.name);
  });
}

function inputPlane(draft: Draft): Plane | string {
  const { net, values, pads } = draft;
  const { name, shape, scale } = net.input;
  const size = shape.reduce((a, b) => a * b, 1);
  const whole = shape.every((n) => Number.isInteger(n) && n >= 1);
  if (!whole || shape.length < 1 || shape.length > 3) return `input ${name}: shape [${shape}]`;
  if (!(size <= VALUES_MAX)) return `input ${name}: ${size} values, at most ${VALUES_MAX}`;
  if (!(scale > 0 && Number.isFinite(1 / scale))) return `input ${name}: the scale is ${scale}`;
  const turned = isTurned(net);
  const [channels = 1, ...sides] = turned ? [shape.at(-1), ...shape.slice(0, -1)] : shape;
  const [height, width] = [sides.length === 2 ? (sides[0] as number) : 1, sides.at(-1) ?? 1];
  const around = turned ? NO_PADS : (pads.get(name) ?? NO_PADS);
  const given = { channels, height, width, wide: false, owner: `input ${name}` };
  const plane = makePlane(draft, given, around);
  if (!(endOf(plane) <= ARENA_BYTES_MAX)) return `input ${name}: its pads are too wide`;
  const view = viewOf(plane, shape.length, scale);
  const [first, ...rest] = view.dims;
  const dims = turned && first !== undefined ? [...rest, first] : view.dims;
  values.set(name, { ...view, dims });
  return plane;
}

function placeStates(draft: Draft): string | null {
  for (const { name, channels, scale, bits, next } of draft.net.states ?? []) {
    if (draft.values.has(name)) return `state ${name}: the name is taken`;
    if (!(Number.isInteger(channels) && channels >= 1 && channels <= VALUES_MAX)) {
      return `state ${name}: ${channels} channels`;
    }
    if (!(scale > 0 && Number.isFinite(scale))) return `state ${name}: the scale is ${scale}`;
    const known = draft.net.layers.some((layer, i) => nameOf(layer, i) === next);
    if (!known) return `state ${name}: no layer gives ${next}`;
    const shape = { channels, height: 1, width: 1, wide: bits === 16, owner: `state ${name}` };
    draft.values.set(name, viewOf(makePlane(draft, shape), 1, scale));
  }
  return null;
}

function finish(draft: Draft, input: Plane): Planned | string {
  const { net, values, stages, planes, sumScale } = draft;
  const last = net.layers.at(-1);
  if (last === undefined || stages.length === 0) return "the network has no layer";
  // Copies between layers are stages too.
  const { kinds, name } = draft.backend;
  const lacking = stages.find(({ kind }) => kinds !== undefined && !kinds.includes(kind));
  if (lacking !== undefined) return `the backend ${name} has no ${lacking.kind}`;
  const state = statesOf(draft);
  if (typeof state === "string") return state;
  const found = values.get(nameOf(last, net.layers.length - 1)) as View;
  const where = describeLayer(last, net.layers.length - 1);
  const view = sumScale === null ? flatOutput(draft, found) : found;
  if (typeof view === "string") return `${where}: ${view}`;
  const order = orderOf(view);
  if (order === null) return `${where}: its values lie in another order than the output wants`;
  // A turned input is one row of values, as they come.
  const { channels, height, width } = input;
  const turned = isTurned(net);
  const row = { channels: channels * height * width, lines: 1, length: 1 };
  const plan: Plan = {
    input: {
      ...(turned ? row : { channels, lines: height, length: width }),
      at: firstOf(input),
      line: rowsOf(input).line,
      inverse: 1 / net.input.scale,
    },
    stages,
    state,
    output: {
      ...order,
      at: firstOf(view.plane),
      scale: sumScale ?? new Float64Array(order.channels).fill(view.scale),
      sums: sumScale !== null,
      relu: "relu" in last && last.relu,
    },
    arena_bytes: endOf(planes.at(-1) as Plane),
  };
  return { plan, planes, values, shape: shapeOf(found) };
}

/** Channel-first, or one row in the order of memory; null for any other order. */
function orderOf(view: View): { readonly channels: number; readonly places: number } | null {
  const { channels, height, width } = view.plane;
  const places = height * width;
  const offsets = offsetsOf(view);
  if (offsets.every((at, i) => at === (i % places) * channels + Math.floor(i / places))) {
    return { channels, places };
  }
  return offsets.every((at, i) => at === i) ? { channels: offsets.length, places: 1 } : null;
}

/** The output in bytes, without pads between. */
function flatOutput(draft: Draft, view: View): View | string {
  const { plane } = view;
  if (plane.wide) return "the output has int16 steps; put a layer with 8 bits behind it";
  if (!isPadded(plane)) return view;
  const found = spatialOf(view);
  if (found === null) return "its values lie in another order than the output wants";
  return viewOf(copied(draft, found, view, NO_PADS), view.dims.length, view.scale);
}

function statesOf(draft: Draft): Plan["state"] | string {
  const kept: { from: number; to: number; bytes: number }[] = [];
  for (const { name, channels, scale, bits, next } of draft.net.states ?? []) {
    const to = (draft.values.get(name) as View).plane;
    const view = draft.values.get(next) as View;
    const from = view.plane;
    const alike = from.channels === channels && from.height * from.width === 1 && !isPadded(from);
    if (
      !alike ||
      from.wide !== (bits === 16) ||
      view.scale !== scale ||
      sizeOf(view) !== channels
    ) {
      return `state ${name}: ${next} has another size or step`;
    }
    kept.push({ from: from.at, to: to.at, bytes: endOf(from) - from.at });
  }
  return kept;
}
