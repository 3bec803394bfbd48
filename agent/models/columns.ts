//! A network whose input values each have a name, a unit and a range of their own: the file states
//! them (`sterna.columns`), and whoever feeds it is held to them. Values come in SI.
import type { Backend } from "../accel/backend.js";
import type { Tier } from "../base/telemetry.js";
import { isUnitFault, parseUnit } from "../units/parse.js";
import type { ModelPort } from "./model.js";
import { loadNetwork } from "./network.js";

/** `from` and `to`, in `unit`, are the ends of the int8 steps: beyond them a value is cut. */
export type Column = {
  readonly name: string;
  readonly unit: string;
  readonly from: number;
  readonly to: number;
};

/** What the feeding side has: a name, and the unit that gives its dimension. */
export type Offered = { readonly name: string; readonly unit: string };

export type ColumnNet = {
  readonly hash: string;
  readonly tier: Tier;
  readonly columns: readonly Column[];
  readonly output: ModelPort;
  /** `values`: SI, column by column, its places behind one another; a NaN makes all NaN. */
  infer(values: Float64Array, y: Float32Array): void;
};

/** -1 at one end of the column's range, 1 at the other. */
export function normalised({ from, to }: Column, value: number): number {
  return (2 * value - from - to) / (to - from);
}

/** A fault says which column, and what it should be. */
export function openColumns(
  bytes: Uint8Array,
  backend: Backend,
  offered: readonly Offered[],
): ColumnNet | string {
  const network = loadNetwork(bytes, backend);
  if (typeof network === "string") return network;
  const [input, output] = [network.inputs[0], network.outputs[0]] as [ModelPort, ModelPort];
  const columns = readColumns(network.meta.facts["columns"]);
  if (typeof columns === "string") return columns;
  if (columns.length === 0 || input.size % columns.length !== 0) {
    return `sterna.columns names ${columns.length} values, the input has ${input.size}`;
  }
  const places = input.size / columns.length;
  const units = columns.map((column) => meet(column, offered));
  const fault = units.find((unit) => typeof unit === "string");
  if (typeof fault === "string") return fault;
  const x = new Float32Array(input.size);
  return {
    hash: network.hash,
    get tier() {
      return network.tier;
    },
    columns,
    output,
    infer(values, y): void {
      units.forEach((unit, c) => {
        if (typeof unit === "string") return;
        for (let i = c * places; i < (c + 1) * places; i++) {
          const value = ((values[i] as number) - unit.offset) / unit.factor;
          x[i] = normalised(columns[c] as Column, value);
        }
      });
      network.infer(x, y);
    },
  };
}

function meet({ name, unit }: Column, offered: readonly Offered[]) {
  const found = offered.find((one) => one.name === name);
  if (found === undefined) {
    return `no column ${name}; there are ${offered.map((one) => one.name).join(", ")}`;
  }
  const [own, theirs] = [parseUnit(unit), parseUnit(found.unit)];
  if (isUnitFault(own)) return `column ${name}: unit ${unit}: ${own.fault}`;
  if (isUnitFault(theirs)) return `column ${name}: unit ${found.unit}: ${theirs.fault}`;
  if (own.dim !== theirs.dim || own.kind !== theirs.kind || own.affine !== theirs.affine) {
    return `column ${name} is in ${unit}; it must be of the dimension of ${found.unit}`;
  }
  return own;
}

function readColumns(text: string | undefined): readonly Column[] | string {
  const shape = 'write a list like [{"name":"power","unit":"kW","from":0,"to":5000}]';
  if (text === undefined) return `metadata sterna.columns is missing; ${shape}`;
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return `metadata sterna.columns is not JSON; ${shape}`;
  }
  if (!Array.isArray(list) || !list.every(isColumn)) {
    return `metadata sterna.columns is wrong; ${shape}`;
  }
  return list;
}

function isColumn(item: unknown): item is Column {
  if (typeof item !== "object" || item === null) return false;
  const { name, unit, from, to } = item as Record<keyof Column, unknown>;
  if (typeof name !== "string" || typeof unit !== "string") return false;
  return typeof from === "number" && typeof to === "number" && from < to;
}
