//! `sterna convert`, and the agent's backend `edgetpu` as a config names it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DEVICES_DEFAULT } from "../../agent/accel/registry.js";
import { packageFile } from "../../agent/base/files.js";
import { openCompute } from "../../agent/compute.js";
import { loadNetwork } from "../../agent/models/network.js";
import { NO_LIMITS } from "../../agent/models/plan.js";
import type { AccelConfig } from "../../config/config.js";
import { sterna } from "../fixtures/agent.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-convert-"));
afterAll(() => rmSync(folder, { recursive: true }));
const VIBNET = packageFile("agent/models/vibnet.onnx");

test("a model becomes a .tflite, with what to run next", () => {
  const out = join(folder, "vibnet.tflite");
  const done = sterna("convert", VIBNET, "--target", "edgetpu", "--out", out);
  expect([done.code, done.err]).toEqual([0, ""]);
  const bytes = readFileSync(out);
  expect(bytes.toString("latin1", 4, 8)).toBe("TFL3");
  const [name] = done.out.match(/sterna-[0-9a-f]{32}/) ?? [];
  expect(bytes.includes(name ?? "nothing")).toBe(true);
  expect(done.out).toContain(`edgetpu_compiler -s -o ${folder} ${out}`);
  expect(done.out).toContain("vibnet_edgetpu.tflite");
  expect(done.out).toContain("stage 3 (matmul): it gives real numbers, not steps");
});

test("another target, no model, and no place to write are one line each", () => {
  const target = sterna("convert", VIBNET, "--target", "gpu");
  expect([target.code, target.err]).toEqual([
    2,
    "sterna convert: write --target int8 or ternary or edgetpu\n",
  ]);
  const text = join(folder, "text.onnx");
  writeFileSync(text, "no model");
  const none = sterna("convert", text, "--target", "edgetpu");
  expect([none.code, none.err.split("\n").length]).toEqual([1, 2]);
  expect(none.err).toContain(text);
  const nowhere = join(folder, "none/x.tflite");
  const lost = sterna("convert", VIBNET, "--target", "edgetpu", "--out", nowhere);
  expect([lost.code, existsSync(nowhere)]).toEqual([1, false]);
  expect(lost.err).toMatch(/^sterna convert: ENOENT.*\(output\)\n$/);
});

const ACCEL: AccelConfig = {
  ...{ ...NO_LIMITS, ...DEVICES_DEFAULT },
  ...{ backend: "edgetpu", checkShare: 1, power_W: {}, dense: "auto" },
};

function vibnetOn(accel: AccelConfig, live = true) {
  const compute = openCompute(accel, live);
  if (typeof compute === "string") throw new Error(compute);
  const network = loadNetwork(readFileSync(VIBNET), compute.backend);
  if (typeof network === "string") throw new Error(network);
  const y = new Float32Array(network.outputs[0]?.size ?? 0);
  const size = network.inputs[0]?.size ?? 0;
  network.infer(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
    y,
  );
  return { y, outages: compute.outages, tier: network.tier };
}

test("the emulator runs a shipped model within its tier; an absent device ends on the CPU, said once", () => {
  const right = vibnetOn({ ...ACCEL, backend: "reference" }).y;
  const emulated = vibnetOn(ACCEL);
  expect([emulated.outages, emulated.tier]).toEqual([[], "within 1"]);
  const edgetpu = { tflite: "/gone/a.so", edgetpu: "/gone/b.so", models: folder };
  const absent = vibnetOn({ ...ACCEL, edgetpu });
  expect(absent.y).toEqual(right);
  expect(absent.outages).toMatchObject([
    { backend: "edgetpu", when: "self-test", why: "/gone/a.so: no such file" },
  ]);
  // check and replay never touch the device: its emulator stands in.
  expect(vibnetOn({ ...ACCEL, edgetpu }, false)).toEqual(emulated);
});

test("`devices` says what the config's Edge TPU lacks, and what other models run on", () => {
  const file = join(folder, "tpu.yaml");
  const accel = "{ backend: edgetpu, tflite: /gone/a.so, edgetpu: /gone/b.so, edgetpuModels: m }";
  writeFileSync(
    file,
    `gateway: { id: g, site: s }
mqtt: { url: "mqtt://127.0.0.1:1883" }
accel: ${accel}
assets: [{ id: a, channels: { x: { mqtt: plant/x, unit: A } } }]
`,
  );
  const named = sterna("devices", "--config", file).out;
  expect(named).toMatch(/^edgetpu +absent: \/gone\/a\.so: no such file$/m);
  expect(named).toMatch(/^dense cpu +available/m);
  expect(named).toMatch(/chosen for other models$/m);
  expect(sterna("devices").out).toMatch(
    /^edgetpu +no device in the config: emulated in software, within 1, /m,
  );
});
