//! The `sterna.*` metadata of a model: units and ranges of its tensors, version, training hash.
//! docs/model-format.md lists the keys.
import type { NetPort } from "./ternary-net.js";

/** What the metadata states of one tensor; null where it says nothing. */
export type PortMeta = NetPort & { readonly classes: readonly string[] };

export type SternaMeta = {
  readonly inputs: readonly PortMeta[];
  readonly outputs: readonly PortMeta[];
  readonly version: string;
  readonly training: string;
  readonly facts: Readonly<Record<string, string>>;
};

const OWN = ["inputs", "outputs", "version", "training", "sha256"];
const CLASSES_MAX = 1024;

export function readMeta(metadata: ReadonlyMap<string, string>): SternaMeta | string {
  const inputs = readPorts(metadata.get("sterna.inputs"), "sterna.inputs");
  if (typeof inputs === "string") return inputs;
  const outputs = readPorts(metadata.get("sterna.outputs"), "sterna.outputs");
  if (typeof outputs === "string") return outputs;
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
  };
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
