//! What crosses between the agent and the block worker: two rings in shared memory, the shape of
//! their frames, and which number stands where beside one.
import { arenaBytes, type Shape } from "../../base/arena.js";
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

export type WorkerData = {
  readonly blocks: SharedArrayBuffer;
  readonly analyses: SharedArrayBuffer;
};

export const newMemory = (): WorkerData => ({
  blocks: new SharedArrayBuffer(arenaBytes(BLOCKS)),
  analyses: new SharedArrayBuffer(arenaBytes(ANALYSES)),
});
