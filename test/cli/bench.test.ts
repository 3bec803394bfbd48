import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openEnergy } from "../../agent/base/energy.js";
import { timed } from "../../agent/cli/bench-rows.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { writeModel, writeNode } from "../../agent/models/onnx/write.js";
import { writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { randomEncoder } from "../accel/encoders.js";
import { sterna } from "../fixtures/agent.js";
import { fileOf } from "../models/hybrid-files.js";
import { randomMlp } from "../models/nets.js";

const dir = mkdtempSync(join(tmpdir(), "sterna-bench-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "net.onnx");
writeFileSync(file, writeTernaryNet(randomMlp(4)));

test("bench: every backend and ONNX Runtime on the user's file", async () => {
  const found = await sterna("bench", file, "--runs", "20", "--json");
  expect(found.code).toBe(0);
  const { rows, model } = JSON.parse(found.out) as {
    readonly rows: { readonly engine: string; readonly p50_us: number; readonly p99_us: number }[];
    readonly model: string;
  };
  expect(model).toMatch(/^ternary, 3 layers, \d+ weights$/);
  const engines = rows.map(({ engine }) => engine);
  expect(engines).toEqual(expect.arrayContaining(["wasm", "reference"]));
  expect(engines.filter((engine) => engine.startsWith("onnxruntime"))).toHaveLength(2);
  for (const { p50_us, p99_us } of rows) {
    expect(p50_us).toBeGreaterThan(0);
    expect(p99_us).toBeGreaterThanOrEqual(p50_us);
  }
  const table = await sterna("bench", file, "--runs", "20", "--backend", "reference");
  expect(table.out).toMatch(/engine +p50 us +p99 us +per s \(batch\) +vs onnxruntime( +uJ)?\n/);
  expect(table.out).not.toContain("wasm");
  // As this machine has it: a figure in each row, or why there is none.
  const known = typeof openEnergy() !== "string";
  expect(table.out).toMatch(known ? / uJ\n/ : /\nenergy not known: .*powercap|cannot be read/);
});

test("bench: an encoder runs on every backend too", async () => {
  const sizes = { sequence: 4, width: 32, heads: 2, hidden: 32, limit: 127, depth: 1, kept: 1 };
  const encoder = join(dir, "encoder.onnx");
  writeFileSync(encoder, writeEncoder(randomEncoder(1, sizes)));
  const found = await sterna("bench", encoder, "--runs", "20", "--json");
  const { rows, model } = JSON.parse(found.out) as {
    readonly rows: { readonly engine: string; readonly batch: number }[];
    readonly model: string;
  };
  expect(model).toBe("ternary encoder, 1 layers");
  const engines = rows.map(({ engine }) => engine);
  expect(engines).toEqual(expect.arrayContaining(["wasm", "reference"]));
  expect(rows.at(-1)?.engine).toMatch(/^onnxruntime/);
  // Those that leave encoders to others have no row of their own.
  for (const name of ["fpga", "edgetpu"]) expect(engines).not.toContain(name);
  const named = await sterna("bench", encoder, "--runs", "20", "--backend", "wasm");
  expect(named.out).toMatch(/^wasm +\d/m);
  expect(named.out).not.toMatch(/^reference/m);
  const left = await sterna("bench", encoder, "--runs", "20", "--backend", "fpga");
  expect(left.out, "the row of who ran in its place").not.toMatch(/^fpga/m);
  expect(left.code).toBe(0);
});

test("bench: a claim that nothing proves of an encoder is refused, as it is by the agent", async () => {
  const sizes = { sequence: 4, width: 32, heads: 2, hidden: 32, limit: 127, depth: 1, kept: 1 };
  const plain = readOnnx(writeEncoder(randomEncoder(1, sizes)));
  if (typeof plain === "string") throw new Error(plain);
  const { nodes, initializers, inputs, outputs } = plain.graph;
  const raw = (all: Iterable<{ readonly raw: Uint8Array }>) => [...all].map((one) => one.raw);
  const graph = {
    ...{ name: "claims", nodes: raw(nodes), tensors: raw(initializers.values()) },
    ...{ inputs: raw(inputs), outputs: raw(outputs) },
  };
  const claims = join(dir, "claims.onnx");
  writeFileSync(claims, writeModel(graph, { "": 25 }, [["sterna.bounds", "[-1,1]"]]));
  const found = await sterna("bench", claims, "--runs", "20");
  expect([found.code, found.out]).toEqual([1, ""]);
  expect(found.err).toContain("sterna.bounds is proven of ternary networks alone");
});

test("bench: a ternary front runs on the backend named, with ONNX Runtime behind it", async () => {
  const mixed = join(dir, "mixed.onnx");
  writeFileSync(
    mixed,
    fileOf(1, [writeNode("Softmax", ["h"], ["s"], { axis: 1n }), writeNode("Exp", ["s"], ["y"])]),
  );
  const found = await sterna("bench", mixed, "--runs", "20", "--backend", "wasm");
  expect(found.out).toMatch(/^wasm, then onnxruntime +\d/m);
  expect(found.out).toContain("Softmax");
});

test("bench: a file that nothing runs is one fault, said once, and no empty table", async () => {
  const strange = join(dir, "strange.onnx");
  writeFileSync(strange, fileOf(1, [writeNode("Sofmax", ["h"], ["y"])]));
  const found = await sterna("bench", strange, "--runs", "20");
  expect(found.code).toBe(1);
  expect(found.out).not.toContain("p50 us");
  expect(found.err.match(/onnxruntime: onnxruntime \S+ cannot load it/g)).toHaveLength(1);
});

test("a row states the energy of an inference as the counters of powercap have it", () => {
  const zone = join(dir, "sys/class/powercap/intel-rapl:0");
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, "name"), "package-0\n");
  writeFileSync(join(zone, "max_energy_range_uj"), "1000000\n");
  let used = 999_900;
  const count = (): void => writeFileSync(join(zone, "energy_uj"), `${used % 1_000_000}\n`);
  count();
  const meter = openEnergy(dir);
  if (typeof meter === "string") throw new Error(meter);
  const one = (): void => {
    used += 30;
    count();
  };
  const engine = { name: "x", one, many: null, batch: 1 };
  expect(timed(engine, 20, meter)).toMatchObject({ engine: "x", energy_uJ: 30 });
  expect(timed(engine, 20, null)).toMatchObject({ energy_uJ: null });
});

test("bench: what cannot be benched is said", async () => {
  const wrong = await sterna("bench", file, "--backend", "tpu");
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain('accel.backend "tpu" cannot be used');
  expect((await sterna("bench", join(dir, "none.onnx"))).err).toContain("cannot be read");
  const endless = await sterna("bench", "/dev/zero");
  expect([endless.code, endless.err]).toEqual([
    1,
    "/dev/zero: cannot be read: it is no regular file; write that of a model\n",
  ]);
  expect((await sterna("bench", file, "--runs", "2")).code).toBe(2);
});
