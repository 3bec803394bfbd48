//! The `sterna.*` metadata of a model: units and ranges of its tensors, version, training hash.
//! docs/model-format.md lists the keys.
import type { NetClaims, NetPort } from "./ternary-net.js";

/** What the metadata states of one tensor; null where it says nothing. */
export type PortMeta = NetPort & { readonly classes: readonly string[] };

export type SternaMeta = {
  readonly inputs: readonly PortMeta[];
  readonly outputs: readonly PortMeta[];
  readonly version: string;
  readonly training: string;
  readonly facts: Readonly<Record<string, string>>;
  /** Inputs and outputs of the graph that carry a state from one call to the next. */
  readonly states: readonly StateMeta[];
  readonly claims: NetClaims;
};

export type StateMeta = { readonly input: string; readonly output: string };

export const CERTIFICATE_KEY = "sterna.certificate";
const OWN = [
  ...["inputs", "outputs", "version", "training", "sha256"],
  ...["state", "monotone", "bounds", "certificate"],
];
const CLASSES_MAX = 1024;

export function readMeta(metadata: ReadonlyMap<string, string>): SternaMeta | string {
  const inputs = readPorts(metadata.get("sterna.inputs"), "sterna.inputs");
  if (typeof inputs === "string") return inputs;
  const outputs = readPorts(metadata.get("sterna.outputs"), "sterna.outputs");
  if (typeof outputs === "string") return outputs;
  const states = readStates(metadata.get("sterna.state"));
  if (typeof states === "string") return states;
  const claims = readClaims(metadata);
  if (typeof claims === "string") return claims;
  const facts: Record<string, string> = {};
  for (const [key, value] of metadata) {
    const name = key.startsWith("sterna.") ? key.slice("sterna.".length) : "";
    if (name !== "" && !OWN.includes(name)) facts[name] = value;
  }
  return {
    inputs,
    outputs,
    version: metadata.get("sterna.version") ?? "",
    training: metadata.get("sterna.training") ?? "",
    facts,
    states,
    claims,
  };
}

export function writeStates(states: readonly StateMeta[]): string {
  return JSON.stringify(states);
}

function readStates(text: string | undefined): readonly StateMeta[] | string {
  if (text === undefined) return [];
  const list = parseList(text);
  const good = list?.every((item): item is StateMeta => {
    if (typeof item !== "object" || item === null) return false;
    const { input, output } = item as Record<string, unknown>;
    return typeof input === "string" && typeof output === "string";
  });
  return list !== null && good === true
    ? (list as StateMeta[])
    : 'metadata sterna.state is wrong; write a list like [{"input":"h","output":"h_next"}]';
}

function readClaims(metadata: ReadonlyMap<string, string>): NetClaims | string {
  const monotone = parseList(metadata.get("sterna.monotone") ?? "[]");
  if (monotone === null || !monotone.every((at) => Number.isInteger(at) && (at as number) >= 0)) {
    return "metadata sterna.monotone is wrong; write the places of input values, like [0,3]";
  }
  const claims = monotone.length > 0 ? { monotone: monotone as number[] } : {};
  const text = metadata.get("sterna.bounds");
  if (text === undefined) return claims;
  const [low, high, ...more] = parseList(text) ?? [];
  if (typeof low !== "number" || typeof high !== "number" || !(low <= high) || more.length > 0) {
    return "metadata sterna.bounds is wrong; write the least and the most, like [-10,10]";
  }
  return { ...claims, bounds: [low, high] };
}

/** Null when it is no JSON, or no list. */
function parseList(text: string): readonly unknown[] | null {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/** What is stated of a tensor; a file without metadata leaves its unit open: "". */
export function describePort(ports: readonly PortMeta[], name: string): PortMeta {
  const [min, max] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return ports.find((port) => port.name === name) ?? { name, unit: "", min, max, classes: [] };
}

/** JSON has no infinity: a bound that is not stated is left out. */
export function writePorts(ports: readonly (NetPort & { classes?: readonly string[] })[]): string {
  return JSON.stringify(
    ports.map(({ name, unit, min, max, classes = [] }) => ({
      name,
      unit,
      ...(Number.isFinite(min) ? { min } : {}),
      ...(Number.isFinite(max) ? { max } : {}),
      ...(classes.length > 0 ? { classes } : {}),
    })),
  );
}

function readPorts(text: string | undefined, key: string): readonly PortMeta[] | string {
  if (text === undefined) return [];
  const shape = 'write a JSON list like [{"name":"x","unit":"m/s2","min":0,"max":1}]';
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return `metadata ${key} is not JSON; ${shape}`;
  }
  if (!Array.isArray(list)) return `metadata ${key} is not a list; ${shape}`;
  const ports: PortMeta[] = [];
  for (const item of list) {
    const port = readPort(item);
    if (port === null) return `metadata ${key} has a bad entry; ${shape}`;
    ports.push(port);
  }
  return ports;
}

function readPort(item: unknown): PortMeta | null {
  if (typeof item !== "object" || item === null) return null;
  const { name, unit, min, max, classes } = item as Record<keyof PortMeta, unknown>;
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  if (typeof name !== "string" || typeof unit !== "string") return null;
  if (typeof low !== "number" || typeof high !== "number" || !(low <= high)) return null;
  const words: readonly unknown[] = Array.isArray(classes) ? classes : [];
  if (classes !== undefined && !Array.isArray(classes)) return null;
  if (words.length > CLASSES_MAX || !words.every((w) => typeof w === "string")) return null;
  return { name, unit, min: low, max: high, classes: words };
}
