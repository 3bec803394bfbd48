//! What crosses between the agent and the block worker: two rings in shared memory, the shape of
//! their frames, and which number stands where beside one.
import { arenaBytes, type Shape } from "../../base/arena.js";
import { openShared, type SharedBuffer, threadBuffer } from "../../base/shared-buffer.js";
import { unit } from "../../units/quantity.js";

const SLOTS = 8;
const BLOCK_SAMPLES_MAX = 32_768;
/** Envelope lines of the longest block. */
const LINES_MAX = 8_192;

/** Blocks to the worker, in SI; beside one: fs_hz. */
export const BLOCKS: Shape = { slots: SLOTS, frame_bytes: 4 * BLOCK_SAMPLES_MAX };
/** Their analyses back; beside one: rms, peak, crest, kurtosis, velocityRms, lineStep_hz. */
export const ANALYSES: Shape = { slots: SLOTS, frame_bytes: 4 * LINES_MAX };
export const ACCELERATION = unit("m/s2");

/** How long either side looks at memory before it sleeps: a block takes some ms, so hardly. */
export const ENDS = { spin_us: 20 };

/** Where a ring lies: memory of this process alone, or named memory on a node of choice. */
type Memory = SharedArrayBuffer | { readonly name: string; readonly bytes: number };
export type WorkerData = { readonly blocks: Memory; readonly analyses: Memory };

/** `node`: the memory node that both rings should lie on, null for the nearest memory. */
export function newMemory(name: string, node: number | null): WorkerData {
  const memory = (end: string, shape: Shape): Memory => {
    const bytes = arenaBytes(shape);
    return node === null ? new SharedArrayBuffer(bytes) : { name: `${name}-${end}`, bytes };
  };
  return { blocks: memory("blocks", BLOCKS), analyses: memory("analyses", ANALYSES) };
}

export async function openMemory(
  memory: Memory,
  node: number | null = null,
): Promise<SharedBuffer> {
  if (memory instanceof SharedArrayBuffer) return threadBuffer(memory);
  return openShared(memory.name, memory.bytes, node);
}
