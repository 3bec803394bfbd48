//! Where the stages of a plan read and write in its arena. One place: whether a plan is sound, where
//! it may be cut and what a device must be sent all follow from it.
import type { Grid, Rows, Stage } from "./backend.js";

/** Bytes of the arena, `to` not included. */
export type Span = { readonly from: number; readonly to: number };

export const meet = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to;

export function channelsOf(stage: Stage): number {
  return "layer" in stage ? stage.layer.rows : stage.channels;
}

/** From the first byte of rows of so many bytes to behind the last. */
export function extent({ lines, places }: Grid, { at, step, line }: Rows, bytes: number): Span {
  return { from: at, to: at + (lines - 1) * line + (places - 1) * step + bytes };
}

/** Bytes of one row that a stage writes. */
export function rowBytes(stage: Stage): number {
  return channelsOf(stage) * (stage.kind === "add" && stage.y.wide ? 2 : 1);
}

export function writesOf(stage: Stage): Span {
  return extent(stage, stage.y, rowBytes(stage));
}

export function readsOf(stage: Stage): Span[] {
  const channels = channelsOf(stage);
  const last = (offsets: Uint32Array): number => offsets.reduce((a, b) => Math.max(a, b), 0);
  switch (stage.kind) {
    case "matmul": {
      const { layer, runs, x } = stage;
      const run = layer.cols / (runs?.length ?? 1);
      return [extent(stage, x, runs === null ? layer.cols : last(runs) + run)];
    }
    case "depthwise":
      return [extent(stage, stage.x, last(stage.taps) + channels)];
    case "add":
      return [stage.a, stage.b].map((rows) => extent(stage, rows, channels * (rows.wide ? 2 : 1)));
    case "mul":
      return [extent(stage, stage.a, channels), extent(stage, stage.b, channels)];
    case "table":
      return [extent(stage, stage.x, channels)];
    case "pool":
      return [extent({ lines: stage.height, places: stage.width }, stage.x, channels)];
  }
}
