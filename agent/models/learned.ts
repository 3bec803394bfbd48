//! A shipped network as chain/correction.ts asks for it: features in, g out, NaN where the features
//! cannot tell. The file is held to the columns and outputs that the monitor has.
import type { Backend } from "../accel/backend.js";
import type { Learned } from "./chain/correction.js";
import { type Column, openColumns } from "./columns.js";

type Features = {
  /** SI, in the order of the columns. */
  readonly values: Float64Array;
  /** False: something is missing. */
  step(value: (channel: string) => number, dt_s: number): boolean;
};

type Seat = {
  readonly columns: readonly Column[];
  readonly features: Features;
  /** Names that the file gives its outputs, in the order of `corrects`. */
  readonly classes: readonly string[];
  readonly corrects: Learned["corrects"];
};

/** A text says what is wrong with the file. */
export function openLearned(bytes: Uint8Array, backend: Backend, seat: Seat): Learned | string {
  const { columns, features, classes, corrects } = seat;
  const net = openColumns(bytes, backend, columns);
  if (typeof net === "string") return net;
  const named = net.columns.map(({ name }) => name).join();
  if (named !== columns.map(({ name }) => name).join()) {
    return `sterna.columns are ${named}; the monitor gives others or in another order`;
  }
  const { output } = net;
  if (output.classes.join() !== classes.join()) {
    return `its ${output.size} outputs are not ${classes.join(", ")}`;
  }
  const y = new Float32Array(corrects.length);
  return {
    hash: net.hash,
    // Asked anew: a device that is taken out changes it.
    get tier() {
      return net.tier;
    },
    corrects,
    infer(value, dt_s, g): void {
      if (!features.step(value, dt_s)) {
        g.fill(Number.NaN);
        return;
      }
      net.infer(features.values, y);
      g.set(y);
    },
  };
}
