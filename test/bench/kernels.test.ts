//! What the benchmark of the kernels rests on: the peers compute what they are timed for, and the
//! rows say of the times what they were.
import { expect, test } from "vitest";
import { fasterOf, listed, race, type Timed } from "../../bench/kernel-times.js";
import { type EncoderForm, peerEncoder } from "../../bench/peers/encoder.js";
import { ggmlEntry, probeGgml } from "../../bench/peers/ggml.js";
import { FEW_BITS, FORMS, peerModel, peerRun } from "../../bench/peers/onnxruntime.js";

const timed = (name: string, threads: 1 | 2, us: number): Timed => ({
  ...{ name, threads, run: () => us, us, low: us - 1, high: us + 2 },
});
const [one, two] = [timed("ours", 1, 40), timed("ours", 2, 22)];
const [slow, quick] = [timed("peer fp32", 1, 200), timed("peer fp32", 2, 110)];
const other = timed("peer int8", 1, 11);

test("a row compares the fastest of both sides and lists everything that counts", () => {
  const times = [one, two, slow, quick, other];
  const row = fasterOf("gemv", { min: 4 }, times, { ours: [one, two], peers: [slow, quick] });
  expect(row).toMatchObject({ value: 22, peer: 110, ratio: 5, min: 4 });
  expect(row.note).toBe(
    "times faster than peer fp32, two threads; us with one and two threads: " +
      "ours 40 (39..42) and 22 (21..24); peer fp32 200 (199..202) and 110 (109..112)",
  );
  const lost = fasterOf("gemv", {}, times, { ours: [two], peers: [other], also: [one] });
  expect(lost).toMatchObject({ ratio: 0.5 });
  expect(lost.note).toContain("ours 40 (39..42) and 22 (21..24); peer int8 11 (10..13) one thread");
});

test("times are in the unit of the row, and one alone names its threads", () => {
  expect(listed([timed("ours", 1, 11_000)], "ms")).toBe("ms: ours 11 (11..11) one thread");
});

test("each entry is timed for itself in every round, and rests after its turn", () => {
  const turns: string[] = [];
  const spin = (time_ms: number) => (): void => {
    const end = performance.now() + time_ms;
    while (performance.now() < end);
  };
  const entry = (name: string, time_ms: number) => {
    return { name, threads: 1, run: spin(time_ms), rest: () => void turns.push(name) } as const;
  };
  const [a, b] = race([entry("a", 2), entry("b", 6)]);
  for (const [time, least] of [
    [a, 2000],
    [b, 6000],
  ] as const) {
    expect(time?.low).toBeGreaterThanOrEqual(least);
    expect(time?.us).toBeGreaterThanOrEqual(time?.low ?? Number.NaN);
    expect(time?.high).toBeGreaterThanOrEqual(time?.us ?? Number.NaN);
  }
  expect(turns).toEqual(Array.from({ length: 10 }, () => ["a", "b"]).flat());
});

/** How far apart two outputs are, as a share of the largest value. */
function apart(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] as number))), 0) / largest;
}

test("the encoders of the peer are one encoder in three forms", () => {
  const shape = { sequence: 16, width: 64, heads: 2, hidden: 128, depth: 2 };
  const [fused, standard, int8] = (
    ["fp32, fused attention", "fp32, standard operators", "dynamic int8"] satisfies EncoderForm[]
  ).map((form) => Float32Array.from(peerRun(peerEncoder(shape, form), [1, 16, 64], 1)().out.data));
  if (fused === undefined || standard === undefined || int8 === undefined) throw new Error("none");
  expect(fused.length).toBe(16 * 64);
  expect(apart(fused, standard)).toBeLessThan(1e-4);
  expect(apart(fused, int8)).toBeLessThan(0.05);
  expect(apart(fused, int8)).toBeGreaterThan(1e-4);
});

test.each([...FORMS, ...FEW_BITS])("ONNX Runtime runs a batch of a dense layer: %s", (form) => {
  const model = peerModel([{ kind: "dense", rows: 8, cols: 256 }], [256], form);
  const y = peerRun(model, [5, 256], 1)().out.data;
  expect(y.length).toBe(5 * 8);
  expect(new Set(y).size).toBeGreaterThan(20);
});

const absent = probeGgml();
if (absent !== null) console.log(`ggml is not compared here: ${absent}`);
test.skipIf(absent !== null)(
  "ggml computes the product of the trits, with one thread and two",
  () => {
    // It checks its own answer against plain sums, for the first of the batch.
    for (const threads of [1, 2] as const) {
      const entry = ggmlEntry([256, 512, 3], threads);
      entry.run();
      entry.rest?.();
      expect(entry.name).toContain("TQ2_0");
    }
  },
);
