//! What crosses between the agent and the Edge TPU worker: two rings of shared memory, one frame
//! there and one back for each call. A tag says which model a frame is for; 0 opens one.
import { arenaBytes, type Shape } from "../../base/arena.js";
import { unit } from "../../units/quantity.js";
import type { Listed } from "./library.js";
import { FRAME_BYTES } from "./program.js";

export const FRAMES: Shape = { slots: 2, frame_bytes: FRAME_BYTES };
/** Steps have no unit. */
export const STEPS = unit("1");
/** A stick answers within some hundred us, and its caller waits. */
export const ENDS = { spin_us: 50 };
/** Tag of a request to open a model; its answer carries the model's tag. */
export const OPEN = 0;

/** What a frame back starts with, in its first number; `refused`: the model, not the device. */
export const STATUS = { done: 0, failed: 1, refused: 2 } as const;
/** Code of the OperatingError for a model that is missing, broken or another's. */
export const NO_MODEL = "edgetpu-model";

export type WorkerData = {
  readonly tflite: string;
  readonly edgetpu: string;
  readonly requests: SharedArrayBuffer;
  readonly answers: SharedArrayBuffer;
};

/** The request that opens a model, as JSON: numbers and paths, once a network. */
export type OpenRequest = {
  readonly file: string;
  /** What the file must carry (`nameOf`). */
  readonly name: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

/** What the worker found. */
export type OpenAnswer = {
  readonly tag: number;
  readonly device: Listed;
  readonly versions: string;
};

export const newRing = (): SharedArrayBuffer => new SharedArrayBuffer(arenaBytes(FRAMES));
