//! How long from the last sample to the durable alarm: the real assembly, pipeline step, alarms and
//! store in this process, the state in memory (/dev/shm), a simulated machine of each kind.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alarmsOf } from "../agent/agent.js";
import { openStore } from "../agent/alerts/store.js";
import { type Assembly, assemble } from "../agent/assembly.js";
import { assert } from "../agent/base/errors.js";
import { Ring } from "../agent/base/ring.js";
import type { Item } from "../agent/base/telemetry.js";
import { CONFIG_KINDS } from "../agent/fitting.js";
import type { Noted } from "../agent/noted.js";
import { type Stages, step } from "../agent/pipeline.js";
import { createPlant } from "../agent/sensors/plants/kinds.js";
import type { Plant, PlantKind } from "../agent/sensors/plants/plant.js";
import { parseConfig } from "../config/load.js";
import { PLATES } from "../test/models/rig.js";
import { learn } from "./monitor-records.js";
import { percentile, ROOT, type Row } from "./result.js";

const START_ms = 1_800_000_000_000;
const INSTANTS = 2000;
const WARM = 300;
const BLOCKS = 300;
const BLOCK_SAMPLES = 32_768;
const LEARN_days = 4;
const MINUTE_ms = 60_000;

type Machine = {
  readonly kind: string;
  readonly plant: PlantKind;
  /** The rule is on this channel, which the monitor reads. */
  readonly flip: string;
  /** The file that commissioning wrote. */
  readonly baseline: string;
};
const machine = (kind: PlantKind, asset: string, flip: string): Machine => {
  return { kind, plant: kind, flip, baseline: join(ROOT, "config/baselines", `${asset}.json`) };
};
const MACHINES: readonly Machine[] = [
  machine("wind-turbine", "demo-wt01", "windSpeed"),
  machine("gas-turbine", "demo-gt01", "ambientPressure"),
  machine("quadrotor", "demo-qd01", "pressure"),
  machine("bearing", "demo-br01", "shaftSpeed"),
];

type Bench = {
  readonly plant: Plant;
  readonly assembly: Assembly;
  /** Milliseconds until the step with this item is done, and how many alarms it moved. */
  readonly time: (items: readonly Item[]) => { readonly took_ms: number; readonly moved: number };
  readonly close: () => void;
};

/** The rule flips with every instant. */
function openBench({ kind, baseline, flip, ...from }: Machine, limit: string): Bench {
  const start_ms = START_ms;
  const options = { asset: "m", seed: 1, start_ms, period_ms: 1000, blockEvery_ms: 1000 };
  const plant = createPlant(from.plant, options);
  const dir = mkdtempSync("/dev/shm/sterna-latency-");
  const plate = Object.entries(PLATES[kind] ?? {}).map(([key, text]) => [key.split("."), text]);
  const nested: Record<string, unknown> = {};
  for (const [[head = "", inner] = [], text] of plate as [string[], string][]) {
    if (inner === undefined) nested[head] = text;
    else nested[head] = { ...Object(nested[head]), [inner]: text };
  }
  const read = plant.channels.filter(({ shape }) => kind !== "generic" || shape === "scalar");
  const channels = read.map(({ name, unit, shape }) => {
    const codec = shape === "block" ? ", codec: block" : "";
    // The bench learnt a generic machine's states by the channel's name.
    const codes = kind === "generic" && name === "state" ? ", codes: { RUN: 2 }" : "";
    return `      ${name}: { mqtt: m/${name}, unit: "${unit}"${codec}${codes} }`;
  });
  // A baseline is of one asset: the machine takes its name.
  const { asset } = JSON.parse(readFileSync(baseline, "utf8")) as { readonly asset: string };
  const text = [
    "gateway: { id: gw, site: bench }",
    'mqtt: { url: "mqtt://127.0.0.1:1" }',
    `store: { dir: ${dir} }`,
    "assets:",
    `  - id: ${asset}`,
    `    kind: ${kind}`,
    `    nameplate: ${JSON.stringify(nested)}`,
    `    baseline: ${baseline}`,
    "    channels:",
    ...channels,
    `    rules: [{ id: flip, when: "${flip} > ${limit}", severity: critical }]`,
  ].join("\n");
  const config = parseConfig(text, "latency.yaml", CONFIG_KINDS, {});
  const assembly = assemble(config);
  const { store } = openStore(dir, {}, START_ms);
  const alarms = alarmsOf(config, assembly, []);
  const intake = new Ring<Item>(config.intake.ring);
  let moved = 0;
  const commit = (changes: readonly Noted[], now_ms: number): void => {
    const applied = changes.flatMap((change) => alarms.apply(change));
    const latches = assembly.watches.flatMap(({ id, unsaved }) =>
      unsaved(false).map((row) => ({ asset: id, ...row })),
    );
    const messages = applied.flatMap((one) => one.messages);
    const trouble = store.commit(
      { alarms: applied.map((one) => one.alarm), latches, messages },
      now_ms,
    );
    assert(trouble === null, trouble?.message ?? "");
    moved = applied.length;
  };
  const stages: Stages = {
    intake,
    watchOf: (channel) => assembly.watchOf(channel),
    watches: assembly.watches,
    limits: config.time,
    reject: () => {},
    commit,
  };
  return {
    plant,
    assembly,
    time(items) {
      const now_ms = items.at(-1)?.r_ms ?? START_ms;
      const before_ms = performance.now();
      for (const item of items) intake.push(item);
      step(stages, now_ms);
      return { took_ms: performance.now() - before_ms, moved };
    },
    close() {
      store.close(START_ms);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A sample that begins an instant is the dearest: with it the monitor steps, and all rules. */
function scalarTimes(machine: Machine): number[] {
  const { kind, flip } = machine;
  const probe = createPlant(machine.plant, { asset: "m", seed: 1, start_ms: START_ms });
  const flipped = probe.channels.findIndex((c) => c.name === flip);
  let usual = Number.NaN;
  probe.advance(START_ms + 1000, {
    scalar: (channel, _, value) => {
      if (channel === flipped) usual = value;
    },
    block: () => {},
  });
  const si = { windSpeed: "m/s", ambientPressure: "Pa", pressure: "Pa", shaftSpeed: "rad/s" };
  const unit = Object.entries(si).find(([name]) => name === flip)?.[1] ?? "1";
  const bench = openBench(machine, `${usual} ${unit}`);
  const times: number[] = [];
  for (let i = 1; i <= WARM + INSTANTS; i++) {
    const t_ms = START_ms + 1000 * i;
    const rest: Item[] = [];
    bench.plant.advance(t_ms, {
      scalar(channel, at_ms, value) {
        const stamp = {
          kind: "sample",
          channel,
          t_ms: at_ms,
          r_ms: t_ms,
          quality: "good",
        } as const;
        if (channel !== flipped) rest.push({ ...stamp, value });
      },
      block: () => {},
    });
    const value = usual * (i % 2 === 0 ? 0.999 : 1.001);
    const first = {
      kind: "sample",
      channel: flipped,
      t_ms,
      r_ms: t_ms,
      value,
      quality: "good",
    } as const;
    const { took_ms, moved } = bench.time([first]);
    if (i > WARM && moved > 0) times.push(took_ms);
    bench.time(rest);
  }
  bench.close();
  assert(times.length > 0.9 * INSTANTS, `${kind}: the alarm moved ${times.length} times only`);
  return times;
}

/** The scalars of a gas turbine as a generic machine, its normal learnt here from healthy days. */
function genericMachine(dir: string): Machine {
  const [kind, flip] = ["gas-turbine", "ambientPressure"] as const;
  const start_ms = START_ms - LEARN_days * 86_400_000 - 2 * MINUTE_ms;
  const options = { asset: "m", seed: 1, start_ms, period_ms: MINUTE_ms, blockEvery_ms: 1e15 };
  const plant = createPlant(kind, options);
  const scalars = plant.channels.filter(({ shape }) => shape === "scalar");
  const at = plant.channels.map(({ name }) => scalars.findIndex((c) => c.name === name));
  const row = new Array<number>(scalars.length).fill(Number.NaN);
  const rows: number[][] = [];
  for (let t_ms = start_ms; t_ms < START_ms; t_ms += MINUTE_ms) {
    const scalar = (channel: number, _: number, value: number): void => {
      row[at[channel] as number] = value;
    };
    plant.advance(t_ms, { scalar, block() {} });
    rows.push([...row]);
  }
  const use = { cycle: null, settings: [], records: false };
  const found = learn(scalars, use, rows, MINUTE_ms, LEARN_days - 1);
  if (typeof found === "string") throw new Error(`generic: ${found}`);
  const baseline = join(dir, "generic.json");
  writeFileSync(baseline, JSON.stringify(found));
  return { kind: "generic", plant: kind, flip, baseline };
}

export function latencyRow(): Row {
  const dir = mkdtempSync("/dev/shm/sterna-latency-");
  const kinds = [...MACHINES, genericMachine(dir)].map((machine) => {
    const times = scalarTimes(machine);
    const { kind } = machine;
    return { kind, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  });
  rmSync(dir, { recursive: true, force: true });
  const value = Math.max(...kinds.map((one) => one.p99));
  const each = kinds.map(({ kind, p50, p99 }) => `${kind} ${p50.toFixed(2)}/${p99.toFixed(2)}`);
  const note = `p50/p99 of ${INSTANTS} alarms: ${each.join(", ")}; the slowest kind counts`;
  return { name: "latency-p99", value, unit: "ms", max: 12, note };
}

/** Blocks through the monitor of the bearing rig, read in the same thread. */
export function blockRow(): Row {
  const bench = openBench(machine("bearing", "demo-br01", "load"), "1 kN");
  const channel = bench.plant.channels.findIndex((c) => c.shape === "block");
  const times: number[] = [];
  for (let i = 1; i <= BLOCKS; i++) {
    const t_ms = START_ms + 1000 * i;
    const scalars: Item[] = [];
    const blocks: Item[] = [];
    bench.plant.advance(t_ms, {
      scalar: (at, at_ms, value) =>
        scalars.push({
          kind: "sample",
          channel: at,
          t_ms: at_ms,
          r_ms: t_ms,
          value,
          quality: "good",
        }),
      block(_, block) {
        const values = new Float32Array(BLOCK_SAMPLES);
        for (let k = 0; k < values.length; k++)
          values[k] = block.values[k % block.values.length] ?? 0;
        blocks.push({ kind: "block", channel, r_ms: t_ms, ...block, values });
      },
    });
    bench.time(scalars);
    if (blocks.length === 0) continue;
    const { took_ms } = bench.time(blocks);
    if (i > BLOCKS / 6) times.push(took_ms);
  }
  const rms = bench.assembly.members[0]?.derived.find(({ port }) => port.name === "accel.rms");
  const heard = bench.assembly.watches[0]?.frame[rms?.index ?? -1] ?? Number.NaN;
  assert(heard > 0, "the blocks were not read");
  bench.close();
  const note = `p50 ${percentile(times, 0.5).toFixed(2)} ms of ${times.length} blocks of ${BLOCK_SAMPLES}`;
  return { name: "block-p99", value: percentile(times, 0.99), unit: "ms", max: 15, note };
}
