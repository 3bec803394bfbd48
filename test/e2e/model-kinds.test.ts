//! Models of every engine through the command line: bound by a config, a recording replayed, and the
//! value in the alarm is that of ONNX Runtime on the same samples.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import type { TernaryNet } from "../../agent/models/onnx/ternary-net.js";
import { writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { randomEncoder } from "../accel/encoders.js";
import { sterna } from "../fixtures/agent.js";
import { chainOf, sine, ternary } from "../models/hybrid-files.js";
import { mixedNet } from "../models/mixed-nets.js";
import { runOrtAll } from "../models/nets.js";

const dir = mkdtempSync(join(tmpdir(), "sterna-kinds-"));
afterAll(() => rmSync(dir, { recursive: true }));

const T_ms = 1_700_000_000_000;
function signal(size: number): Float32Array {
  const random = prng(2, "samples");
  return Float32Array.from({ length: size }, () => Math.fround(random.normal()));
}

type Bound = { readonly channel: string; readonly window: number; readonly values: Float32Array };

/** Channels one after another, a sample a second; the model's output 0 is `score`. */
function replayed(
  name: string,
  bytes: Uint8Array,
  inputs: Readonly<Record<string, Bound>>,
  when: string,
): {
  readonly transition: string;
  readonly value: { readonly v: number };
  readonly tier: string;
}[] {
  const rows = Object.values(inputs).flatMap(({ channel, values }) => {
    return Array.from(values, (v) => ({ a: "m", c: channel, v, u: "1" }));
  });
  const recording = join(dir, `${name}.ndjson`);
  const lines = rows.map((row, i) => JSON.stringify({ t: T_ms + 1_000 * i, ...row }));
  writeFileSync(recording, lines.join("\n"));
  writeFileSync(join(dir, `${name}.onnx`), bytes);
  const config = join(dir, `${name}.yaml`);
  const bound = Object.entries(inputs).map(([tensor, { channel, window }]) => {
    return `${tensor}: { channel: ${channel}, window: ${window}, unit: "1" }`;
  });
  const text = `gateway: { id: gw, site: north }
assets:
  - id: m
    channels: { a: { unit: "1" }, b: { unit: "1" } }
    rules: [ { id: seen, when: "${when}", severity: warning } ]
models:
  own:
    file: ${name}.onnx
    asset: m
    in: { ${bound.join(", ")} }
    out: { y: { channel: score, unit: "1" } }
`;
  writeFileSync(config, text);
  const { code, out, err } = sterna("replay", recording, "--config", config);
  expect([code, err]).toEqual([0, ""]);
  const documents = out.split("\n").filter((each) => each !== "");
  return documents.map((each) => JSON.parse(each).data);
}

/** Value 0 of the output "y" of the whole file in ONNX Runtime, and all outputs for the next call. */
async function runtime(bytes: Uint8Array, feeds: Parameters<typeof runOrtAll>[1]) {
  const found = await runOrtAll(bytes, feeds, "basic");
  return { value: found["y"]?.[0] ?? Number.NaN, found };
}

const plain = (net: TernaryNet): TernaryNet => ({ ...net, input: { ...net.input, unit: "1" } });
const series = plain(mixedNet("series", 3));
const image = plain(mixedNet("image", 4));
const sizes = { sequence: 4, width: 32, heads: 2, hidden: 64, limit: 127, depth: 2, kept: 1 };
const form = { masked: true, order: "pre", activation: "gelu", ends: true } as const;
const encoder = writeEncoder(randomEncoder(7, { ...sizes, form }));
const FLOATS = "within 1e-4 relative";

test.each([
  ["ternary-1d", writeTernaryNet(series), series.input.shape, "exact"],
  ["ternary-2d", writeTernaryNet(image), image.input.shape, "exact"],
  ["float-front", chainOf(8, [sine, ternary(1)]), [8], FLOATS],
  ["float-middle", chainOf(8, [ternary(2), sine, ternary(3)]), [8], FLOATS],
] as const)(
  "%s: the value in the alarm is that of ONNX Runtime",
  async (name, bytes, shape, tier) => {
    const window = shape.reduce((a, b) => a * b, 1);
    const values = signal(window);
    const { value } = await runtime(bytes, { x: { data: values, shape } });
    const said = replayed(name, bytes, { x: { channel: "a", window, values } }, "score > -1e9");
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({ transition: "raise", tier });
    expect(Math.abs((said[0]?.value.v ?? Number.NaN) - value)).toBeLessThan(0.1);
  },
);

test("an encoder, with its mask bound and without", async () => {
  const [x, mask] = [signal(128), Float32Array.of(-1e4, -1e4, 0, -1e4)];
  const shape = [sizes.sequence, sizes.width];
  const bound = { x: { channel: "a", window: 128, values: x } };
  const masked = { mask: { channel: "b", window: 4, values: mask }, ...bound };
  const values: number[] = [];
  for (const [name, inputs, keys] of [
    ["encoder", bound, new Float32Array(4)],
    ["encoder-masked", masked, mask],
  ] as const) {
    const feeds = { x: { data: x, shape }, mask: { data: keys, shape: [4] } };
    const { value } = await runtime(encoder, feeds);
    const said = replayed(name, encoder, inputs, "score > -1e9");
    expect(said.map(({ tier }) => tier)).toEqual([
      "within 0.089 of the largest value of each layer",
    ]);
    expect(Math.abs((said[0]?.value.v ?? Number.NaN) - value)).toBeLessThan(0.06);
    values.push(value);
  }
  // Or the mask changed nothing, and the test saw nothing.
  expect(Math.abs((values[0] ?? 0) - (values[1] ?? 0))).toBeGreaterThan(0.2);
});

test.each(["gru", "ssm"] as const)(
  "%s: the state is carried from sample to sample",
  async (kind) => {
    const net = plain(mixedNet(kind, 6));
    const bytes = writeTernaryNet(net);
    const [size = 0] = net.input.shape;
    const [state] = net.states ?? [];
    if (state === undefined) throw new Error("no state");
    const values = signal(size + 30);
    let data: Float32Array = new Float32Array(state.channels);
    const expected: number[] = [];
    for (let at = size; at <= values.length; at++) {
      const feeds = { x: { data: values.slice(at - size, at), shape: [size] } };
      const kept = { [state.name]: { data, shape: [state.channels] } };
      const { value, found } = await runtime(bytes, { ...feeds, ...kept });
      data = found[state.next] ?? data;
      expected.push(value);
    }
    // A limit that only the largest passes: all before it must have been right.
    const most = Math.max(...expected);
    const second = Math.max(...expected.filter((value) => value < most - 0.005));
    expect(Number.isFinite(second)).toBe(true);
    const limit = (most + second) / 2;
    const bound = { x: { channel: "a", window: size, values } };
    const said = replayed(kind, bytes, bound, `score > ${limit.toFixed(4)}`);
    const [first] = said.filter(({ transition }) => transition === "raise");
    expect(Math.abs((first?.value.v ?? Number.NaN) - most)).toBeLessThan(0.1);
  },
);
