//! One channel, its samples and its time limits, for the tests of a watch.
import type { Channel, Item } from "../agent/base/telemetry.js";

export const LIMITS = { ahead_max_ms: 1_000, behind_max_ms: 1_000_000 };

export function channelOf(id: number): Channel {
  return {
    id,
    asset: "a",
    name: "current",
    shape: "scalar",
    dim: "A",
    unitKind: "",
    point: false,
    unit: "A",
    factor: 1,
    offset: 0,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    staleAfter_ms: null,
    codes: null,
    pattern: false,
  };
}

export const sampleOf = (t_ms: number, value: number): Item => ({
  kind: "sample",
  channel: 0,
  t_ms,
  r_ms: t_ms,
  value,
  quality: "good",
});
