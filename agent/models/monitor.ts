//! What a model of a machine looks like from outside: it reads some signals of its asset and writes
//! others. Rules then read both alike. A monitor is replayable: its whole state comes from what it
//! was given, time included, and it never reads a clock.
import type { Block, Tier } from "../base/telemetry.js";

/** A named value of an asset: a channel, a feature of a block, or the output of a monitor. */
export type Port = {
  readonly name: string;
  /** UCUM unit of the SI value, with kind where it has one (`m/s2{peak}`). */
  readonly unit: string;
  readonly point: boolean;
  readonly about: string;
};

/** Where a monitor writes: the frame of its asset, by the index of each of its outputs. */
export type Frame = {
  /** The latest SI value of an input port; NaN when stale, bad, or never seen. */
  get(input: number): number;
  /** Sets an output port; NaN says "cannot tell". */
  set(output: number, value: number): void;
};

/** Evidence for the page and the alarm: what was expected, and why the monitor thinks so. */
export type Finding = {
  readonly expected: number;
  readonly sigma: number;
  readonly unit: string;
  readonly evidence: readonly string[];
};

export type Monitor = {
  readonly name: string;
  /** Ports it reads, by name; one that has no channel reads as NaN, `off` says what that costs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly Port[];
  /** `sha256:...` of the model file, or `physics@1` for equations alone. */
  readonly model: string;
  readonly tier: Tier;
  /** Of a model file: what runs it, and why ONNX Runtime where that is it, or its end. */
  readonly runs?: { readonly engine: string; readonly outside?: string };
  /** What is switched off because a port or a nameplate value is missing, in words. */
  readonly off: readonly string[];
  /** A scalar input changed at source time t_ms. */
  onSample(frame: Frame, input: number, t_ms: number): void;
  /** A block of the input port arrived. */
  onBlock(frame: Frame, input: number, block: Block): void;
  /** The expectation behind an output port, null where there is none yet. */
  explain(output: number): Finding | null;
  /** The last spectrum for the page, null where the monitor has none. */
  spectrum(): Spectrum | null;
  /** What a monitor that counts a machine's life must know again after a restart. */
  readonly memory?: Memory;
};

/** JSON out, and back in; what does not fit is ignored. */
export type Memory = { save(): unknown; restore(kept: unknown): void };

/** An envelope spectrum over shaft orders with the markers of the bearing's fault orders. */
export type Spectrum = {
  readonly t_ms: number;
  readonly channel: string;
  /** Orders of shaft speed: value k stands at k * orderStep. */
  readonly orderStep: number;
  readonly values: Float32Array;
  readonly unit: string;
  readonly markers: readonly { readonly order: number; readonly label: string }[];
};
