//! What a core must compute before it is used: a convolution with pads, a dense layer and sums, each
//! with weights and activations at their extremes, against the reference.
import { OperatingError } from "../../base/errors.js";
import { type Prng, prng } from "../../base/prng.js";
import { denseStage, type Layer, type Plan, type Stage } from "../backend.js";
import { reference } from "../reference.js";
import type { Core } from "./core.js";
import { loadHybrid } from "./hybrid.js";

const CHANNELS = 3;
const LENGTH = 20;
const [KERNEL, STRIDE, PAD] = [5, 2, 2];
const FILTERS = 37;
const PLACES = Math.floor((LENGTH + 2 * PAD - KERNEL) / STRIDE) + 1;
const HIDDEN = 70;
const OUT = 5;
const ROUNDS = 4;

/** Leaves the core reset; throws an OperatingError when it computes anything else. */
export function selfTest(core: Core): void {
  const plan = testPlan();
  const { onCore, why, infer } = loadHybrid(plan, core, reference);
  if (!onCore || why.length > 0)
    throw wrong(core, `it has no room for the test: ${why.join(", ")}`);
  const truth = reference.load(plan, 1);
  const random = prng(2, "self-test");
  const y = new Float32Array(OUT);
  const expected = new Float32Array(OUT);
  for (let round = 0; round < ROUNDS; round++) {
    const x = Float32Array.from({ length: CHANNELS * LENGTH }, () =>
      round === 0 ? 127 : round === 1 ? -127 : Math.round((random.next() - 0.5) * 260),
    );
    infer(x, y, 1);
    truth.infer(x, expected, 1);
    const at = y.findIndex((value, i) => value !== expected[i]);
    if (at >= 0) throw wrong(core, `output ${at} is ${y[at]} in place of ${expected[at]}`);
  }
  core.reset();
}

function wrong(core: Core, what: string): OperatingError {
  return new OperatingError("fpga-wrong", `${core.name}: the self-test fails: ${what}`);
}

function testPlan(): Plan {
  const random = prng(1, "self-test");
  const plane = CHANNELS * (LENGTH + 2 * PAD);
  const [second, third] = [128, 128 + Math.ceil((FILTERS * PLACES) / 64) * 64 + 64];
  const step = STRIDE * CHANNELS;
  const conv = layerOf(random, FILTERS, KERNEL * CHANNELS, 12, true);
  const dense = layerOf(random, HIDDEN, FILTERS * PLACES, 14, false);
  const stages: Stage[] = [
    {
      ...{ kind: "matmul", layer: conv, lines: 1, places: PLACES, runs: null },
      x: { at: 0, step, line: 0 },
      y: { at: second, step: FILTERS, line: 0 },
    },
    denseStage(dense, second, third),
    denseStage(layerOf(random, OUT, HIDDEN, 1, false), third, plane),
  ];
  // The sums of the last stage never come into the arena, so where it writes does not matter.
  return {
    input: {
      channels: CHANNELS,
      lines: 1,
      length: LENGTH,
      at: PAD * CHANNELS,
      line: 0,
      inverse: 1,
    },
    state: [],
    stages,
    output: {
      channels: OUT,
      places: 1,
      at: plane,
      scale: new Float64Array(OUT).fill(1),
      sums: true,
      relu: false,
    },
    arena_bytes: third + HIDDEN,
  };
}

function layerOf(random: Prng, rows: number, cols: number, shift: number, relu: boolean): Layer {
  const trit = (row: number): number =>
    row % 5 === 0 ? 1 : row % 5 === 1 ? -1 : Math.floor(random.next() * 3) - 1;
  return {
    rows,
    cols,
    weights: Int8Array.from({ length: rows * cols }, (_, i) => trit(Math.floor(i / cols))),
    ternary: true,
    bias: Int32Array.from({ length: rows }, () => Math.floor((random.next() - 0.5) * 4_000)),
    multiplier: Uint16Array.from({ length: rows }, () => 1 + Math.floor(random.next() * 32_767)),
    shift: new Uint8Array(rows).fill(shift),
    relu,
  };
}
