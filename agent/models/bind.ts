//! Binds a user's model to the channels of an asset: `models:` of the config becomes a Monitor.
//! Frames are SI; the model works in the units that the config states, here is where they meet.
import type { Block } from "../base/telemetry.js";
import type { Unit } from "../units/parse.js";
import type { InputSpec, ModelSpec, OutputSpec } from "./bind-check.js";
import { type Bindable, type BindFault, checkBinding } from "./bind-check.js";
import { BANDS, BandAnalyser } from "./features/bands.js";
import type { Model, ModelPort } from "./model.js";
import type { Frame, Monitor, Port } from "./monitor.js";

/** One tensor being filled: a window of every channel, oldest first, in units of the model. */
type Feed = {
  readonly port: ModelPort;
  readonly spec: InputSpec;
  /** Monitor inputs, in the order of the channels. */
  readonly ports: readonly number[];
  readonly rings: readonly Float32Array[];
  next: number;
  filled: number;
  readonly values: Float32Array;
  /** Bands by block; null: samples through the rings. */
  readonly bands: BandAnalyser | null;
  /** With bands: channels that have delivered a block since the last run. */
  readonly fresh: Set<number>;
};

export function bindUserModel(
  model: Model,
  spec: ModelSpec,
  signals: readonly Bindable[],
): Monitor | readonly BindFault[] {
  const faults = checkBinding(model, spec, signals);
  return faults.length > 0 ? faults : monitorOf(model, spec);
}

function feedOf(port: ModelPort, spec: InputSpec, names: readonly string[]): Feed {
  return {
    port,
    spec,
    ports: spec.channels.map((name) => names.indexOf(name)),
    rings: spec.channels.map(() => new Float32Array(spec.window)),
    next: 0,
    filled: 0,
    values: new Float32Array(port.size),
    bands: spec.bands === true ? new BandAnalyser() : null,
    fresh: new Set(),
  };
}

function monitorOf(model: Model, spec: ModelSpec): Monitor {
  const inputs = [...new Set(spec.in.flatMap((input) => input.channels))];
  // In the model's own order, which run() takes: nothing stands where an input is not bound.
  const bound = model.inputs.map((port) => {
    const found = spec.in.find((input) => input.tensor === port.name);
    return found === undefined ? null : feedOf(port, found, inputs);
  });
  const feeds = bound.filter((feed) => feed !== null);
  const given = bound.map((feed) => feed?.values);
  const results = model.outputs.map((port) => new Float32Array(port.size));
  const picks = spec.out.map((output) => {
    return { ...output, from: model.outputs.findIndex((port) => port.name === output.tensor) };
  });
  const silence = (frame: Frame): void => {
    for (let i = 0; i < picks.length; i++) frame.set(i, Number.NaN);
  };
  const run = (frame: Frame): void => {
    if (feeds.some((feed) => feed.filled < feed.spec.window)) {
      // What was carried belongs to values before the gap.
      model.reset?.();
      return silence(frame);
    }
    for (const feed of feeds) if (feed.bands === null) unroll(feed);
    if (model.run(given, results) !== null) return silence(frame);
    picks.forEach(({ from, index, unit }, i) => {
      frame.set(i, (results[from]?.[index] ?? Number.NaN) * unit.factor + unit.offset);
    });
  };
  return {
    name: spec.name,
    inputs,
    outputs: spec.out.map((output) => outputPort(spec.name, output)),
    model: model.hash,
    get tier() {
      return model.tier;
    },
    runs: model,
    off: [],
    onSample(frame, input): void {
      let changed = false;
      for (const feed of feeds) changed = sample(feed, frame, input) || changed;
      if (changed) run(frame);
    },
    onBlock(frame, input, block): void {
      let changed = false;
      for (const feed of feeds) {
        const took = feed.bands === null ? wave(feed, input, block) : colour(feed, input, block);
        changed = took || changed;
      }
      if (changed) run(frame);
    },
    explain: () => null,
    spectrum: () => null,
  };
}

function outputPort(model: string, { channel, unit, tensor, index }: OutputSpec): Port {
  const si = unit.kind === "" ? unit.dim : `${unit.dim === "1" ? "" : unit.dim}{${unit.kind}}`;
  const about = `output ${tensor}[${index}] of model ${model}`;
  return { name: channel, unit: si, point: unit.affine, about };
}

/**
 * With a window of 1 every channel's sample counts. A longer one moves when the last channel of the
 * list is sampled, with the latest of the others; a missing value empties it.
 */
function sample(feed: Feed, frame: Frame, input: number): boolean {
  if (feed.bands !== null) return false;
  const at = feed.ports.lastIndexOf(input);
  if (at < 0) return false;
  const { window, units } = feed.spec;
  const values = feed.ports.map((port, i) => inUnit(frame.get(port), units[i] as Unit));
  if (!values.every(Number.isFinite)) {
    feed.filled = 0;
    return true;
  }
  if (window > 1 && at !== feed.ports.length - 1) return false;
  for (const [i, value] of values.entries()) push(feed, i, value);
  step(feed);
  return true;
}

/** From SI. */
const inUnit = (value: number, { offset, factor }: Unit): number => (value - offset) / factor;

/** A block fills the window by itself; only a tensor of one channel can take it. */
function wave(feed: Feed, input: number, block: Block): boolean {
  if (feed.ports.length !== 1 || feed.ports[0] !== input) return false;
  const unit = feed.spec.units[0] as Unit;
  for (const value of block.values) {
    if (!Number.isFinite(value)) {
      feed.filled = 0;
      continue;
    }
    push(feed, 0, inUnit(value, unit));
    step(feed);
  }
  return true;
}

/**
 * The bands of a block in their place; the last channel of the list completes the set. One that has
 * not delivered since, or is dead, leaves a NaN: the model's answer is unknown then.
 */
function colour(feed: Feed, input: number, block: Block): boolean {
  const { ports, fresh, values, bands } = feed;
  const at = ports.indexOf(input);
  if (at < 0 || bands === null) return false;
  bands.levels(block.values, values, at * BANDS);
  fresh.add(at);
  if (at !== ports.length - 1) return false;
  ports.forEach((_, channel) => {
    if (!fresh.has(channel)) values[channel * BANDS] = Number.NaN;
  });
  fresh.clear();
  feed.filled = feed.spec.window;
  return true;
}

function push(feed: Feed, channel: number, value: number): void {
  const ring = feed.rings[channel];
  if (ring !== undefined) ring[feed.next] = value;
}

function step(feed: Feed): void {
  feed.next = (feed.next + 1) % feed.spec.window;
  feed.filled = Math.min(feed.spec.window, feed.filled + 1);
}

/** Rings into the tensor, oldest first: channel by channel, or place by place for [.., N, C]. */
function unroll(feed: Feed): void {
  const { rings, values, next, spec, port } = feed;
  const { window } = spec;
  const count = rings.length;
  const interleaved = count > 1 && port.shape.at(-1) === count && port.shape.at(-2) === window;
  for (let channel = 0; channel < count; channel++) {
    const ring = rings[channel] as Float32Array;
    for (let i = 0; i < window; i++) {
      const to = interleaved ? i * count + channel : channel * window + i;
      values[to] = ring[(next + i) % window] as number;
    }
  }
}
