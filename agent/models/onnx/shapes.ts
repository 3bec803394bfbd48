//! Shapes of a ternary network, layer by layer, without the batch: for the reader and the writer of
//! the file. ../net-plan.ts decides where the values lie.
import {
  asConv2d,
  type NetLayer,
  nameOf,
  type PoolLayer,
  sourcesOf,
  type TernaryNet,
} from "./ternary-net.js";

type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** By name of the value; a text names the layer that does not fit. */
export function shapesOf(net: TernaryNet): ReadonlyMap<string, Shape> | string {
  const shapes = new Map<string, Shape>([[net.input.name, net.input.shape]]);
  for (const { name, channels } of net.states ?? []) shapes.set(name, [channels]);
  for (const [index, layer] of net.layers.entries()) {
    const sources = sourcesOf(net, index).map((from) => shapes.get(from));
    const known = sources.filter((shape) => shape !== undefined);
    const found =
      known.length === sources.length ? shapeAfter(layer, known) : "reads what is not there";
    if (typeof found === "string") return `layer ${index} (${layer.kind}): ${found}`;
    shapes.set(nameOf(layer, index), found);
  }
  return shapes;
}

export function shapeAfter(layer: NetLayer, sources: readonly Shape[]): Shape | string {
  const [x = []] = sources;
  switch (layer.kind) {
    case "dense":
      return sizeOf(x) === layer.cols
        ? [layer.rows]
        : `its weights have ${layer.cols} columns, but ${sizeOf(x)} values come in`;
    case "conv1d":
    case "conv2d": {
      const { filters, channels, groups, kernel, dilation, stride, pads } = asConv2d(layer);
      const rank = layer.kind === "conv1d" ? 2 : 3;
      if (x.length !== rank) return "its input has no places";
      if (x[0] !== channels * groups) return `${channels * groups} channels, but ${x[0]} come in`;
      const spans = kernel.map((size, i) => (size - 1) * (dilation[i] as number) + 1);
      return slid(filters, x, spans, stride, pads) ?? `kernel ${kernel} is longer than its input`;
    }
    case "pool":
      return pooled(layer, x);
    case "concat": {
      const [, ...sides] = x;
      const alike = sources.every((s) => s.slice(1).join() === sides.join());
      return alike
        ? [sources.reduce((sum, s) => sum + (s[0] ?? 0), 0), ...sides]
        : "its sources differ in places";
    }
    case "reshape": {
      const fits = sizeOf(layer.shape) === sizeOf(x);
      return fits ? layer.shape : `[${x}] cannot become [${layer.shape}]`;
    }
    case "transpose": {
      const sorted = [...layer.perm].sort((a, b) => a - b);
      if (sorted.length !== x.length || sorted.some((at, i) => at !== i)) return "its order";
      return layer.perm.map((at) => x[at] as number);
    }
    default:
      return x;
  }
}

function pooled({ window }: PoolLayer, x: Shape): Shape | string {
  if (x.length < 2) return "its input has no places";
  if (window === null) return x.map((size, i) => (i === 0 ? size : 1));
  const { kernel, stride, pads } = window;
  return slid(x[0] as number, x, kernel, stride, pads) ?? "its window is larger than its input";
}

/** Null where a window does not fit. One dimension is the second of two. */
function slid(channels: number, x: Shape, spans: Shape, stride: Shape, pads: Shape): Shape | null {
  const skip = x.length === 2 ? 1 : 0;
  const sides = x.slice(1).map((size, i) => {
    const at = i + skip;
    const whole = size + (pads[at] as number) + (pads[at + 2] as number);
    return Math.floor((whole - (spans[at] as number)) / (stride[at] as number)) + 1;
  });
  return sides.every((side) => side >= 1) ? [channels, ...sides] : null;
}
