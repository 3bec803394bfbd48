import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { sterna } from "../fixtures/agent.js";
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
  expect(table.out).toMatch(/engine +p50 us +p99 us +per s, batch 64 +vs onnxruntime\n/);
  expect(table.out).not.toContain("wasm");
});

test("bench: what cannot be benched is said", async () => {
  const wrong = await sterna("bench", file, "--backend", "tpu");
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain('accel.backend "tpu" cannot be used');
  expect((await sterna("bench", join(dir, "none.onnx"))).err).toContain("cannot be read");
  expect((await sterna("bench", file, "--runs", "2")).code).toBe(2);
});
