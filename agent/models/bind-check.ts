//! Whether a user's model fits the channels that the config binds it to: names, sizes, units. Every
//! fault at once, each with its place below the model's row.
import { nearest } from "../units/nearest.js";
import { parseUnit, type Unit } from "../units/parse.js";
import { BANDS } from "./features/bands.js";
import type { Model, ModelPort } from "./model.js";

/** The row of the config, as much of it as matters here. */
export type ModelSpec = {
  readonly name: string;
  readonly in: readonly InputSpec[];
  readonly out: readonly OutputSpec[];
};
export type InputSpec = {
  readonly tensor: string;
  readonly channels: readonly string[];
  readonly window: number;
  /** Each channel gives the 32 bands of its latest block, in the place of samples. */
  readonly bands?: boolean;
  /** Of the model, one for each channel. */
  readonly units: readonly Unit[];
};
export type OutputSpec = {
  readonly tensor: string;
  readonly index: number;
  readonly channel: string;
  readonly unit: Unit;
};

/** A signal of the asset. */
export type Bindable = {
  readonly name: string;
  readonly dim: string;
  readonly kind: string;
  /** A name that stands for many (`plant/+/accel`) has no value of its own. */
  readonly pattern?: boolean;
};

/** `at` is the place below the model's own row, as in the file: ["in", "x", "unit"]. */
export type BindFault = {
  readonly at: readonly string[];
  readonly what: string;
  readonly instead: string;
};

/** Nothing when it fits. */
export function checkBinding(
  model: Model,
  spec: ModelSpec,
  signals: readonly Bindable[],
): readonly BindFault[] {
  const faults: BindFault[] = [];
  const say = (at: readonly string[], what: string, instead: string): void => {
    faults.push({ at, what, instead });
  };
  for (const port of model.inputs) {
    if (port.optional || spec.in.some((input) => input.tensor === port.name)) continue;
    say(["in"], `input "${port.name}" of the model is not bound`, `write ${port.name}: {...}`);
  }
  for (const input of spec.in) checkInput(model, input, signals, say);
  for (const output of spec.out) checkOutput(model, output, signals, say);
  if (spec.out.length === 0) say(["out"], "no output is bound", "name one output and its channel");
  return faults;
}

type Say = (at: readonly string[], what: string, instead: string) => void;

function checkInput(model: Model, input: InputSpec, signals: readonly Bindable[], say: Say): void {
  const at = ["in", input.tensor];
  const port = findPort(model.inputs, input.tensor, "input", at, say);
  input.channels.forEach((name, i) => {
    const unit = input.units[i] as Unit;
    const signal = signals.find((known) => known.name === name);
    if (signal === undefined) {
      const near = nearest(
        name,
        signals.map((known) => known.name),
      );
      const instead = near === null ? "name a channel of the asset" : `write "${near}"`;
      say([...at, "channel"], `the asset has no channel "${name}"`, instead);
    } else if (signal.pattern === true) {
      const what = `"${name}" stands for many channels`;
      say([...at, "channel"], what, "bind a channel with one topic");
    } else checkUnit(signal, unit, [...at, "unit"], say);
  });
  if (port === null) return;
  if (input.bands) {
    const size = input.channels.length * BANDS;
    if (size === port.size) return;
    const what = `${input.channels.length} channel(s) x ${BANDS} bands are ${size} values`;
    const instead = "bind as many channels as it was trained on";
    say([...at, "bands"], `${what}, the model takes [${port.shape.join(", ")}]`, instead);
    return;
  }
  for (const unit of new Set(input.units)) checkStated(port, unit, [...at, "unit"], say);
  const size = input.channels.length * input.window;
  if (size === port.size) return;
  const given = `${input.channels.length} channel(s) x window ${input.window} are ${size} values`;
  const fits = port.size / input.channels.length;
  // A table of rows is a fixed batch as a rule, and no window of one row each.
  const rows = port.shape.length === 2 && port.shape[1] === size && input.window === 1;
  const window = Number.isInteger(fits) ? `write window: ${fits}` : "bind more or fewer channels";
  const instead = rows ? `export it with a free batch, or for that many rows ${window}` : window;
  say([...at, "window"], `${given}, the model takes [${port.shape.join(", ")}]`, instead);
}

function checkOutput(
  model: Model,
  output: OutputSpec,
  signals: readonly Bindable[],
  say: Say,
): void {
  const at = ["out", output.tensor];
  const port = findPort(model.outputs, output.tensor, "output", at, say);
  const signal = signals.find((known) => known.name === output.channel);
  if (signal !== undefined) checkUnit(signal, output.unit, [...at, "unit"], say);
  if (port === null) return;
  checkStated(port, output.unit, [...at, "unit"], say);
  if (output.index >= 0 && output.index < port.size) return;
  const what = `index ${output.index}, but the output has ${port.size} value(s)`;
  const instead = port.size === 0 ? "bind another output" : `write 0 to ${port.size - 1}`;
  say([...at, "index"], what, instead);
}

function findPort(
  ports: readonly ModelPort[],
  name: string,
  side: string,
  at: readonly string[],
  say: Say,
): ModelPort | null {
  const port = ports.find((known) => known.name === name);
  if (port !== undefined) return port;
  const names = ports.map((known) => known.name);
  const near = nearest(name, names) ?? (names.length === 1 ? (names[0] ?? null) : null);
  const instead = `write ${near === null ? `one of ${names.join(", ")}` : `"${near}"`}`;
  say(at, `the model has no ${side} "${name}"`, instead);
  return null;
}

function checkUnit(signal: Bindable, unit: Unit, at: readonly string[], say: Say): void {
  if (unit.dim !== signal.dim) {
    const what = `"${unit.text}" is ${unit.dim}, the channel "${signal.name}" is ${signal.dim}`;
    say(at, what, `write a unit of ${signal.dim}`);
  } else if (unit.kind !== signal.kind && unit.kind !== "" && signal.kind !== "") {
    const what = `"${unit.text}" is ${unit.kind}, the channel "${signal.name}" ${signal.kind}`;
    say(at, what, `write {${signal.kind}}`);
  }
}

/** A unit in the file is the one the weights were trained in: another scale is wrong too. */
function checkStated(port: ModelPort, unit: Unit, at: readonly string[], say: Say): void {
  if (port.unit === "") return;
  const own = parseUnit(port.unit);
  if ("fault" in own) {
    say(at, `the model states the unit "${port.unit}": ${own.fault}`, "export the model again");
    return;
  }
  const same = own.dim === unit.dim && own.factor === unit.factor && own.offset === unit.offset;
  const alike = own.kind === unit.kind || own.kind === "" || unit.kind === "";
  if (same && alike) return;
  const what = `"${unit.text}", but the model states "${port.unit}" for "${port.name}"`;
  say(at, what, `write "${port.unit}"`);
}
