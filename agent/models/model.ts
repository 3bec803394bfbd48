//! What any model file is once it is open, whichever engine runs it.
import type { Tier } from "../base/telemetry.js";
import type { NetPort } from "./onnx/ternary-net.js";

/** A tensor of a model, without its batch. `unit` is "" where the file states none. */
export type ModelPort = NetPort & {
  readonly shape: readonly number[];
  readonly size: number;
  /** What each value stands for, in order; empty when the file does not say. */
  readonly classes: readonly string[];
  /** It may be left unbound: `run` gets undefined in its place. */
  readonly optional?: true;
};

export type Model = {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  /** `sha256:...` over the whole file. */
  readonly hash: string;
  readonly tier: Tier;
  /** What runs it, for people: `ternary on reference`, `trees`, `onnxruntime 1.30.0`. */
  readonly engine: string;
  /** Why it, or a part, runs in ONNX Runtime: the node in question; absent where it does not. */
  readonly outside?: string;
  /** What it consists of where that is several engines, in the order they run. */
  readonly parts?: readonly ModelPart[];
  /**
   * Fills `outputs`, flat, in the order of the ports. Returns null, or why it could not. It ends
   * before it returns, so that a replay gives the same values at the same samples.
   */
  run(
    inputs: readonly (Float32Array | undefined)[],
    outputs: readonly Float32Array[],
  ): string | null;
  /** Forgets what it carries from one run to the next; absent where it carries nothing. */
  readonly reset?: () => void;
};

/** `about`, for people: the nodes or layers that it has. */
export type ModelPart = { readonly model: Model; readonly about: string };
