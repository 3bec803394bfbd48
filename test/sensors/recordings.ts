//! The channels of the recordings under test, and a file read whole.
import type { Channel } from "../../agent/base/telemetry.js";
import { type Read, readRecording } from "../../agent/sensors/recording.js";
import { channel, waveform } from "./intake.js";

export const CHANNELS: Channel[] = [
  channel({ min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }),
  waveform({ id: 1 }),
  channel({ id: 2, name: "state", unit: "1", dim: "1", offset: 0, codes: { RUN: 2 } }),
  channel({ id: 3, name: "narrow" }),
];
export const find = (asset: string, name: string): Channel | null =>
  CHANNELS.find((c) => c.asset === asset && c.name === name) ?? null;

export async function readAll(path: string): Promise<Read[]> {
  const all: Read[] = [];
  for await (const read of readRecording(path, find)) all.push(read);
  return all;
}
