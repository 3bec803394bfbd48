//! A network partly on the core, partly on the CPU: stages that the core lacks run on the CPU's own
//! kernels, on the same int8 steps, so that the integers are those of one backend.
import { assert } from "../../base/errors.js";
import type { Backend, Loaded, Plan, Stage } from "../backend.js";
import { quantise, realOut } from "../reference.js";
import type { Core } from "./core.js";
import { type Part, type Run, xOf, yOf } from "./runs.js";

export type Hybrid = {
  /** False when nothing of the network is on the core. */
  readonly onCore: boolean;
  /** Why stages run on the CPU. */
  readonly why: readonly string[];
  /** Throws an OperatingError when the core fails; y is half written then. */
  infer(x: Float32Array, y: Float32Array, count: number): void;
  /** The core's memory is free for the next one. */
  close(): void;
};

/** One part of the work on one asset: from the arena to the arena, the last one to `out`. */
type Step = () => void;

export function loadHybrid(plan: Plan, core: Core, cpu: Backend): Hybrid {
  const program = core.load(plan);
  const { parts, why } = program;
  const { input, output } = plan;
  const sizeIn = input.channels * input.lines * input.length;
  const sizeOut = output.channels * output.places;
  // Whole words of it are sent, so it ends with one.
  const buffer = new ArrayBuffer(Math.ceil(plan.arena_bytes / 4) * 4 + 4);
  const arena = new Int8Array(buffer);
  const out = new Float32Array(sizeOut);
  const steps = parts.flatMap((part): Step[] => {
    if (part.runs === null) return [cpuStep(plan, part, cpu, arena, out)];
    return part.runs.map((run) => coreStep(plan, run, core, buffer, out));
  });
  const onCore = parts.some(({ runs }) => runs !== null);
  const coreLast = parts.at(-1)?.runs !== null;
  return {
    onCore,
    why,
    infer(x, y, count): void {
      assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
      for (let asset = 0; asset < count; asset++) {
        const to = asset * sizeOut;
        if (!quantise(plan, x, asset * sizeIn, arena)) {
          y.fill(Number.NaN, to, to + sizeOut);
          continue;
        }
        for (const step of steps) step();
        if (coreLast && !output.sums) realOut(plan, arena, out, 0);
        y.set(out, to);
      }
    },
    close: () => core.release(program),
  };
}

function coreStep(plan: Plan, run: Run, core: Core, buffer: ArrayBuffer, out: Float32Array): Step {
  const x = new Uint32Array(buffer, run.base * 4, run.words);
  if (!run.raw) {
    const y = new Int8Array(buffer, run.y.from, run.y.bytes);
    return () => core.run(run, x, y);
  }
  const sums = new Int32Array(run.y.bytes);
  const { stages, output } = plan;
  const place = (run.y.from - yOf(stages.at(-1) as Stage).from) / output.channels;
  return () => {
    core.run(run, x, sums);
    realSums(plan, sums, place, out);
  };
}

/** As the reference makes reals of sums: places from `first` on. */
function realSums({ output }: Plan, sums: Int32Array, first: number, out: Float32Array): void {
  const { channels, places, scale, relu } = output;
  for (let i = 0; i < sums.length; i++) {
    const channel = i % channels;
    const value = (sums[i] as number) * (scale[channel] as number);
    const place = first + Math.floor(i / channels);
    out[channel * places + place] = relu && value < 0 ? 0 : value;
  }
}

/** Some stages as a network of their own, whose floats are the int8 steps themselves. */
function cpuStep(
  plan: Plan,
  { first, last }: Part,
  cpu: Backend,
  arena: Int8Array,
  out: Float32Array,
): Step {
  const stages = plan.stages.slice(first, last + 1);
  const from = xOf(stages[0] as Stage);
  const to = yOf(stages.at(-1) as Stage);
  const ends = last === plan.stages.length - 1;
  const flat = {
    channels: to.bytes,
    places: 1,
    at: to.from,
    scale: new Float64Array(to.bytes).fill(1),
    sums: false,
    relu: false,
  };
  const one = { lines: 1, length: 1, line: 0 };
  const input = { ...one, channels: from.bytes, at: from.from, inverse: 1 };
  const output = ends ? plan.output : flat;
  const loaded: Loaded = cpu.load({ ...plan, input, stages, output }, 1);
  const x = new Float32Array(from.bytes);
  const y = ends ? out : new Float32Array(to.bytes);
  const read = arena.subarray(from.from, from.from + from.bytes);
  return () => {
    x.set(read);
    loaded.infer(x, y, 1);
    if (!ends) arena.set(y, to.from);
  };
}
