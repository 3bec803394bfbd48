//! The backend `edgetpu`: the first layers of a network on a Coral Edge TPU, the rest on the CPU;
//! without the libraries of one on an emulator of TensorFlow Lite's integers. It throws at the first
//! sign that the device is not sound: who guards it goes on without it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { assert, OperatingError } from "../../base/errors.js";
import type { Backend, Loaded, Plan } from "../backend.js";
import { loadParts } from "../cut.js";
import { quantise, realOut } from "../reference.js";
import { describe, findEdgeTpus } from "./detect.js";
import { emulate, type Run } from "./emulator.js";
import { NO_MODEL } from "./frames.js";
import { type Link, openLink } from "./link.js";
import { nameOf, type Program, programOf } from "./program.js";

export type EdgeTpuOptions = {
  /** libtensorflowlite_c and libedgetpu, of one version. */
  readonly tflite: string;
  readonly edgetpu: string;
  /** Folder of the `*_edgetpu.tflite` that edgetpu_compiler made of what `convert` wrote. */
  readonly models: string;
};

/** On-chip memory for weights is 8 MB at a byte each; a plan counts ternary ones at 2 bits. */
const MEMORY_BYTES = 2 ** 21;
const FILE_BYTES_MAX = 2 ** 26;
/** How often it is looked whether the device is still there. */
const LOOK_ms = 200;

/** Why the device cannot be used, by files alone; null when nothing speaks against it. */
export function probeEdgeTpu(options: EdgeTpuOptions | null, root = "/"): string | null {
  if (options === null) return null;
  for (const file of [options.tflite, options.edgetpu, options.models]) {
    if (!existsSync(file)) return `${file}: no such file`;
  }
  const found = findEdgeTpus(root);
  if (found.length === 0) return "no /dev/apex_* and no USB 1a6e:089a or 18d1:9302";
  return found.some(({ rights }) => rights === null) ? null : describe(found, root);
}

/** What it computes on, for `sterna devices`. */
export function deviceOf(options: EdgeTpuOptions | null, root = "/"): string {
  return options === null ? "emulator" : describe(findEdgeTpus(root), root) || options.edgetpu;
}

/** `cpu` computes what an Edge TPU cannot; `options` null: the emulator. */
export function openEdgeTpu(options: EdgeTpuOptions | null, cpu: Backend, root = "/"): Backend {
  const device = options === null ? null : new Device(options, root);
  const tier = "within 1";
  return {
    name: "edgetpu",
    tier,
    cols_max: cpu.cols_max,
    memory_bytes: MEMORY_BYTES,
    encoders: cpu.name,
    leads: (plan) => programOf(plan).stages,
    lack(plan): string | null {
      const { program, why } = programOf(plan);
      return program === null ? why : (device?.lack(program) ?? null);
    },
    loadEncoder: (plan, batch) => cpu.loadEncoder(plan, batch),
    load(plan, batch): Loaded {
      const { program, stages } = programOf(plan);
      if (program === null) return cpu.load(plan, batch);
      const run = device === null ? emulate(program) : device.open(program);
      const own: Backend = { ...cpu, tier, load: (part) => loadRun(part, program, run) };
      const parts = [{ from: 0, to: stages, backend: own }];
      const all = plan.stages.length;
      if (stages < all) parts.push({ from: stages, to: all, backend: cpu });
      return loadParts(plan, parts, batch);
    },
  };
}

/** A plan whose every stage is of the program. */
function loadRun(plan: Plan, { bytesIn, bytesOut }: Program, run: Run): Loaded {
  const { input, output } = plan;
  const sizeIn = input.channels * input.length;
  assert(sizeIn === bytesIn && output.channels * output.places === bytesOut, "edgetpu: sizes");
  const arena = new Int8Array(plan.arena_bytes);
  const steps = arena.subarray(input.at, input.at + bytesIn);
  return {
    infer(x, y, count): void {
      assert(x.length === count * bytesIn && y.length === count * bytesOut, "infer: sizes");
      for (let asset = 0; asset < count; asset++) {
        const to = asset * bytesOut;
        if (!quantise(plan, x, asset * bytesIn, arena)) {
          y.fill(Number.NaN, to, to + bytesOut);
          continue;
        }
        arena.set(run(steps), output.at);
        realOut(plan, arena, y, to);
      }
    },
    // A network with state is never on it.
    reset: (): void => assert(plan.state.length === 0, "edgetpu: no state"),
  };
}

/** The device for as long as it is sound. */
class Device {
  readonly #options: EdgeTpuOptions;
  readonly #root: string;
  #link: Link | null = null;
  #fault: OperatingError | null = null;
  /** Where the kernel shows it; null where it does not. */
  #path: string | null = null;
  #looked_ms = 0;
  /** Networks that are open, by the hash of their program. */
  readonly #runs = new Map<string, Run>();

  constructor(options: EdgeTpuOptions, root: string) {
    this.#options = options;
    this.#root = root;
  }

  /** Why there is no model of the program that the device could run; null: `open` will tell. */
  lack(program: Program): string | null {
    if (this.#fault !== null || probeEdgeTpu(this.#options, this.#root) !== null) return null;
    try {
      this.open(program);
    } catch (error) {
      if (error instanceof OperatingError && error.code === NO_MODEL) return error.message;
      if (!(error instanceof OperatingError)) throw error;
    }
    return null;
  }

  open(program: Program): Run {
    const known = this.#runs.get(program.hash);
    if (known !== undefined) return known;
    return this.#use(() => {
      const absent = probeEdgeTpu(this.#options, this.#root);
      if (absent !== null) throw new OperatingError("edgetpu-none", absent);
      const file = fileOf(this.#options.models, program);
      this.#link ??= openLink(this.#options);
      const { bytesIn, bytesOut } = program;
      const opened = this.#link.open({ file, name: nameOf(program), bytesIn, bytesOut });
      // Looked for now: a stick that got its firmware may stand elsewhere.
      const found = findEdgeTpus(this.#root);
      const same = found.find(({ path }) => path === opened.device.path);
      this.#path = (same ?? found[0])?.path ?? null;
      const y = new Int8Array(bytesOut);
      const run: Run = (x) => {
        this.#use(() => {
          this.#look();
          this.#link?.infer(opened.tag, x, y);
        });
        return y;
      };
      this.#runs.set(program.hash, run);
      return run;
    });
  }

  /** A stick that was pulled is noticed before its library waits for it. */
  #look(): void {
    const now_ms = performance.now();
    if (this.#path === null || now_ms - this.#looked_ms < LOOK_ms) return;
    this.#looked_ms = now_ms;
    if (existsSync(join(this.#root, this.#path))) return;
    throw new OperatingError("edgetpu-gone", `${this.#path} is gone: unplugged, or reset`);
  }

  #use<T>(work: () => T): T {
    if (this.#fault !== null) throw this.#fault;
    try {
      return work();
    } catch (error) {
      // Only the world may fail here; what a mistake of ours throws ends the process.
      if (!(error instanceof OperatingError)) throw error;
      // A model that is missing or broken says nothing of the device.
      if (error.code === NO_MODEL) throw error;
      this.#fault = error;
      this.#link?.close();
      this.#link = null;
      throw error;
    }
  }
}

/** @throws OperatingError `NO_MODEL`: none of the folder's is of this network. */
function fileOf(folder: string, program: Program): string {
  const name = nameOf(program);
  const others: string[] = [];
  try {
    for (const entry of readdirSync(folder).sort()) {
      if (!entry.endsWith("_edgetpu.tflite")) continue;
      const file = join(folder, entry);
      if (statSync(file).size <= FILE_BYTES_MAX && readFileSync(file).includes(name)) return file;
      others.push(entry);
    }
  } catch (error) {
    throw new OperatingError(NO_MODEL, error instanceof Error ? error.message : folder, error);
  }
  const [first] = others;
  const most = others.length > 1 ? ` and ${others.length - 1} more` : "";
  const found = first === undefined ? "" : `; ${first}${most} is of another model`;
  const what = `${folder}: no compiled model ${name}${found}`;
  throw new OperatingError(NO_MODEL, `${what}; sterna convert writes what to compile`);
}
