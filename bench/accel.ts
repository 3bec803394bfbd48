//! Devices and their emulators: what the FPGA's core takes, how fast its bitstream may be clocked,
//! what the emulators cost, the planner, and the ring in shared memory. A row is a function in the table below.
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, denseStage, type Layer, type Plan } from "../agent/accel/backend.js";
import { Core } from "../agent/accel/fpga/core.js";
import { openEmulator } from "../agent/accel/fpga/emulator.js";
import { openFpga } from "../agent/accel/fpga/fpga.js";
import { loadHybrid } from "../agent/accel/fpga/hybrid.js";
import { openRtl, rtlTransport } from "../agent/accel/fpga/rtl.js";
import { reference } from "../agent/accel/reference.js";
import { prng } from "../agent/base/prng.js";
import { plannerRow } from "./planner.js";
import { failedRow, median, ROOT, type Row, report } from "./result.js";
import { sharedMemoryRows } from "./shared-memory.js";

const SIZE = 256;
const ROUNDS = 15;
const ROUND_ms = 40;

/** One dense layer of SIZE x SIZE. */
function densePlan(): Plan {
  const random = prng(SIZE, "bench");
  const layer: Layer = {
    rows: SIZE,
    cols: SIZE,
    weights: Int8Array.from({ length: SIZE * SIZE }, () => Math.floor(random.next() * 3) - 1),
    ternary: true,
    bias: new Int32Array(SIZE).fill(3),
    multiplier: new Uint16Array(SIZE).fill(20_000),
    shift: new Uint8Array(SIZE).fill(19),
    relu: false,
  };
  const to = SIZE + 64;
  const scale = new Float64Array(SIZE).fill(0.1);
  return {
    input: { channels: SIZE, lines: 1, length: 1, at: 0, line: 0, inverse: 31 },
    state: [],
    stages: [denseStage(layer, 0, to)],
    output: { channels: SIZE, places: 1, at: to, scale, sums: false, relu: false },
    arena_bytes: to + SIZE,
  };
}

function inputs(): Float32Array {
  const random = prng(7, "x");
  return Float32Array.from({ length: SIZE }, () => random.normal());
}

/** One inference of the layer by a backend. */
function runOf(backend: Backend): () => void {
  const loaded = backend.load(densePlan(), 1);
  const x = inputs();
  const y = new Float32Array(SIZE);
  return () => loaded.infer(x, y, 1);
}

function spent_ms(call: () => void, runs: number): number {
  const start = performance.now();
  for (let i = 0; i < runs; i++) call();
  return performance.now() - start;
}

/** Median milliseconds of each call, in turns: what else runs on the machine slows all alike. */
function times_ms(calls: readonly (() => void)[]): number[] {
  const runs = calls.map((call) => {
    let count = 1;
    call();
    while (spent_ms(call, count) < ROUND_ms / 2) count *= 2;
    return count;
  });
  const times: number[][] = calls.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) {
      const count = runs[i] ?? 1;
      times[i]?.push(spent_ms(call, count) / count);
    }
  }
  return times.map(median);
}

function cyclesRow(): Row {
  const core = Core.open(rtlTransport(openRtl()));
  const { infer } = loadHybrid(densePlan(), core, reference);
  infer(inputs(), new Float32Array(SIZE), 1);
  const note = "clocks of the Verilog, start to done, for a layer of 256 x 256";
  return { name: "fpga-cycles-256", value: core.cycles, unit: "cycles", max: 2_200, note };
}

function clockRow(): Row {
  const bound = { min: 24 };
  for (const program of ["yosys", "nextpnr-ice40", "icepack"]) {
    if (spawnSync(program, ["--version"]).error === undefined) continue;
    return failedRow("fpga-mhz", "MHz", bound, `no ${program} here`);
  }
  const folder = mkdtempSync(join(tmpdir(), "sterna-bench-rtl-"));
  const script = join(ROOT, "agent/accel/rtl/build.ts");
  const done = spawnSync(process.execPath, [script, "try", folder], { encoding: "utf8" });
  const clock = /: ([\d.]+) MHz, (.*)/.exec(done.stdout);
  if (clock === null) return failedRow("fpga-mhz", "MHz", bound, done.stderr.slice(-200));
  const note = `nextpnr for iCE40UP5K, which runs at 24: ${clock[2]}`;
  return { name: "fpga-mhz", value: Number(clock[1]), unit: "MHz", ...bound, note };
}

function emulatorRow(): Row {
  const emulator = openFpga(reference, () => openEmulator());
  const [ours = Number.NaN, peer = Number.NaN] = times_ms([runOf(emulator), runOf(reference)]);
  const note = "whole inferences of 256 x 256, times the speed of the TypeScript reference";
  const us = { value: 1_000 * ours, unit: "us", peer: 1_000 * peer };
  return { name: "emulator-ratio", ...us, ratio: peer / ours, min: 0.9, note };
}

function rtlRow(): Row {
  const rtl = openRtl();
  const core = Core.open(rtlTransport(rtl));
  const { infer } = loadHybrid(densePlan(), core, reference);
  const [x, y] = [inputs(), new Float32Array(SIZE)];
  const before = rtl.chip.cycles();
  infer(x, y, 1);
  const each = rtl.chip.cycles() - before;
  const [spent = Number.NaN] = times_ms([() => infer(x, y, 1)]);
  const note = "clocks of the whole core simulated a second, inferences of 256 x 256";
  return { name: "rtl-wasm-mcycles", value: each / spent / 1_000, unit: "Mcycle/s", min: 1, note };
}

/** In turn, each alone; one function may give several rows. */
const ROWS: readonly (() => Row | Promise<Row[]>)[] = [
  cyclesRow,
  clockRow,
  emulatorRow,
  rtlRow,
  plannerRow,
  sharedMemoryRows,
];

const rows: Row[] = [];
for (const row of ROWS) rows.push(...[await row()].flat());
process.exitCode = report("accel", rows);
