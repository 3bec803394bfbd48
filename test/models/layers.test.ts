//! Every kind of layer against ONNX Runtime: each layer alone, fed with the steps that ONNX Runtime
//! gives to it, so that no difference adds up.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { runStage } from "../../agent/accel/reference-stages.js";
import { prng } from "../../agent/base/prng.js";
import { planNet } from "../../agent/models/net-plan.js";
import { loadNetwork } from "../../agent/models/network.js";
import { finish, type Message, putBytes } from "../../agent/models/onnx/proto.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import { sizeOf } from "../../agent/models/onnx/shapes.js";
import { describeLayer, nameOf, type TernaryNet } from "../../agent/models/onnx/ternary-net.js";
import { writeValueInfo } from "../../agent/models/onnx/write.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import {
  firstOf,
  offsetsOf,
  shapeOf,
  type View,
  sizeOf as valuesOf,
} from "../../agent/models/plane.js";
import { KINDS, mixedNet } from "./mixed-nets.js";
import { type LEVELS, randomInput, runOrtAll } from "./nets.js";

const SEEDS = 12;
const BATCH = 6;
const FLOAT = 1;

/** Fields of a message given twice are merged: more outputs of the graph, at the end of the file. */
function withOutputs(bytes: Uint8Array, more: ReadonlyMap<string, readonly number[]>): Uint8Array {
  const graph: Message = [];
  for (const [name, shape] of more) putBytes(graph, 12, writeValueInfo(name, FLOAT, shape));
  const model: Message = [bytes];
  putBytes(model, 7, finish(graph));
  return finish(model);
}

function readNet(bytes: Uint8Array): TernaryNet {
  const model = readOnnx(bytes);
  const net = typeof model === "string" ? model : recognise(model);
  if (typeof net === "string") throw new Error(net);
  return net;
}

function put(arena: Int8Array, view: View, values: Float32Array): void {
  const first = firstOf(view.plane);
  offsetsOf(view).forEach((at, i) => {
    const step = Math.round((values[i] as number) / view.scale);
    arena[first + at] = step;
    if (view.plane.wide) arena[first + at + 1] = step >> 8;
  });
}

function get(arena: Int8Array, view: View): number[] {
  const first = firstOf(view.plane);
  return [...offsetsOf(view)].map((at) => {
    const low = arena[first + at] as number;
    return view.plane.wide ? (low & 255) + 256 * (arena[first + at + 1] as number) : low;
  });
}

type Counts = Map<string, { values: number; differ: number; most: number; inner: number }>;

async function compare(net: TernaryNet, seed: number, counts: Counts): Promise<void> {
  const planned = planNet(net, reference);
  if (typeof planned === "string") throw new Error(planned);
  const { plan, planes, values } = planned;
  const steps = net.layers.flatMap((layer, i) => {
    const real = !("outScale" in layer) || layer.outScale === null;
    const last = i === net.layers.length - 1;
    const tensor = last ? net.output.name : (layer.name ?? `step${i}`);
    return real ? [] : [{ layer, i, name: nameOf(layer, i), tensor }];
  });
  const known = [net.output.name, ...(net.states ?? []).map(({ next }) => next)];
  const more = steps.filter(({ tensor }) => !known.includes(tensor));
  const shapes = more.map(({ tensor, name }) => {
    return [tensor, shapeOf(values.get(name) as View)] as const;
  });
  const bytes = withOutputs(writeTernaryNet(net), new Map(shapes));
  const random = prng(seed, "values");
  const feeds: Record<string, { data: Float32Array; shape: readonly number[] }> = {
    [net.input.name]: {
      data: onGrid(randomInput(random, BATCH * sizeOf(net.input.shape)), net.input.scale, 127),
      shape: net.input.shape,
    },
  };
  for (const { name, channels, scale, bits } of net.states ?? []) {
    const most = bits === 16 ? 32_767 : 127;
    const data = randomInput(random, BATCH * channels).map((v) => (v / 4) * most * scale);
    feeds[name] = { data: onGrid(data, scale, most), shape: [channels] };
  }
  const found = await runOrtAll(bytes, feeds, "basic");
  const all = new Map(Object.entries(feeds).map(([name, { data }]) => [name, data]));
  for (const { name, tensor } of steps) all.set(name, found[tensor] as Float32Array);
  for (const { layer, i, name } of steps) {
    const view = values.get(name) as View;
    const owner = describeLayer(layer, i);
    const kind = layer.kind === "table" ? layer.of : layer.kind;
    const count = counts.get(kind) ?? { values: 0, differ: 0, most: 0, inner: 0 };
    counts.set(kind, count);
    for (let b = 0; b < BATCH; b++) {
      const arena = new Int8Array(plan.arena_bytes);
      const share = (of: string): Float32Array => {
        const size = valuesOf(values.get(of) as View);
        return (all.get(of) as Float32Array).subarray(b * size, (b + 1) * size);
      };
      for (const [other, at] of values)
        if (all.has(other) && other !== name) put(arena, at, share(other));
      for (const stage of plan.stages) {
        const plane = planes.findLast((p) => p.at <= stage.y.at);
        if (plane?.owner === owner) runStage(stage, arena);
      }
      const theirs = share(name);
      get(arena, view).forEach((step, at) => {
        const away = Math.abs(step - Math.round((theirs[at] as number) / view.scale));
        count.values += 1;
        count.differ += away > 0 ? 1 : 0;
        count.most = Math.max(count.most, away);
        count.inner += step !== 0 && Math.abs(step) !== (view.plane.wide ? 32_767 : 127) ? 1 : 0;
      });
    }
  }
}

function onGrid(values: Float32Array, scale: number, most: number): Float32Array {
  return values.map((v) => Math.max(-most, Math.min(most, Math.round(v / scale))) * scale);
}

test("each layer of each kind is at most 1 step from ONNX Runtime", {
  timeout: 60_000,
}, async () => {
  const counts: Counts = new Map();
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const net = readNet(writeTernaryNet(mixedNet(kind, seed)));
      await compare(net, seed, counts);
    }
  }
  const lines: string[] = [];
  for (const [kind, { values, differ, most, inner }] of counts) {
    lines.push(`${kind}: ${differ} of ${values} are 1 step from ONNX Runtime`);
    expect(most, kind).toBeLessThanOrEqual(1);
    // The mean of 2 or 4 steps lies halfway between two often: there the roundings differ.
    expect(differ / values, kind).toBeLessThan(kind === "pool" ? 0.15 : 0.01);
    expect(inner / values, `${kind}: most values must not be clipped`).toBeGreaterThan(0.2);
  }
  console.info(lines.join("\n"));
});

for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
  test(`${kind}: what is written is read back, and written again the same`, () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const bytes = writeTernaryNet(mixedNet(kind, seed));
      expect(Buffer.from(writeTernaryNet(readNet(bytes))).equals(bytes), `seed ${seed}`).toBe(true);
    }
  });

  test(`${kind}: the whole file runs in ONNX Runtime and agrees, call after call`, async () => {
    for (const level of ["basic", "all, without qdq"] as (keyof typeof LEVELS)[]) {
      const net = mixedNet(kind, 7);
      const bytes = writeTernaryNet(net);
      const network = loadNetwork(bytes, reference);
      if (typeof network === "string") throw new Error(network);
      const [input, output] = [network.inputs[0], network.outputs[0]];
      const random = prng(7, "whole");
      const y = new Float32Array(output?.size ?? 0);
      let kept = new Map<string, Float32Array>(
        (net.states ?? []).map((s) => [s.name, new Float32Array(s.channels)]),
      );
      const away: number[] = [];
      const seen: number[] = [];
      for (let call = 0; call < 12; call++) {
        const x = randomInput(random, input?.size ?? 0).map((v) => (v * call) / 6);
        const feeds = {
          [net.input.name]: { data: x, shape: net.input.shape },
          ...Object.fromEntries([...kept].map(([n, data]) => [n, { data, shape: [data.length] }])),
        };
        const found = await runOrtAll(bytes, feeds, level);
        kept = new Map((net.states ?? []).map((s) => [s.name, found[s.next] as Float32Array]));
        network.infer(x, y);
        const theirs = found[net.output.name] as Float32Array;
        away.push(...y.map((value, i) => Math.abs(value - (theirs[i] as number))));
        seen.push(...theirs);
      }
      const spread = Math.max(...seen) - Math.min(...seen);
      expect(spread, level).toBeGreaterThan(0);
      // Differences of one step add up over the layers: two steps of the output, or 6 %.
      const most = Math.max(0.06 * spread, 2.1 * 0.03);
      expect(Math.max(...away), level).toBeLessThan(most);
    }
  });
}
