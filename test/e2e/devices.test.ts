//! Devices that a config names and that are not there, or cannot take a network: the daemon watches
//! all the same, with one line of the log, a metric and, where a device is out, an alarm.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  floatTensor,
  writeModel,
  writeNode,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { randomEncoder } from "../accel/encoders.js";
import { type Process, startRun, sterna } from "../fixtures/agent.js";
import { type Broker, mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";
import { chainOf, ternary as pair, sine } from "../models/hybrid-files.js";
import { alone, randomMlp } from "../models/nets.js";

const net = randomMlp(7);
const shape = net.input.shape;
let dir: string;
let broker: Broker;
let peer: MqttClient;
let agent: Process | null = null;
let port = 0;
const seen: { subject: string; transition: string; evidence: string[] }[] = [];

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const found = server.address();
      server.close(() => resolve(typeof found === "object" && found !== null ? found.port : 0));
    });
  });

beforeEach(async () => {
  if (mosquittoProgram === null) return;
  dir = mkdtempSync(join(tmpdir(), "sterna-devices-"));
  writeFileSync(join(dir, "mixed.onnx"), writeTernaryNet(net));
  // One layer of int8 weights, which the FPGA's core has no multipliers for.
  writeFileSync(join(dir, "int8.onnx"), writeTernaryNet(alone(net, 0, shape)));
  port = await freePort();
  broker = await mosquitto();
  await broker.start();
  seen.length = 0;
  peer = await mqtt.connectAsync(broker.url);
  peer.on("message", (_, payload) => {
    const { subject, data } = JSON.parse(payload.toString());
    seen.push({ subject, transition: data.transition, evidence: data.evidence });
  });
  await peer.subscribeAsync("sterna/v1/north/+/alarm/+/event", { qos: 1 });
});
afterEach(async () => {
  if (mosquittoProgram === null) return;
  await agent?.kill("SIGKILL");
  agent = null;
  await peer.endAsync(true);
  await broker.kill();
  rmSync(dir, { recursive: true, force: true });
});

function config(accel: string, model: string): string {
  const file = join(dir, "sterna.yaml");
  writeFileSync(
    file,
    `gateway: { id: gw, site: north }
mqtt: { url: "${broker.url}" }
store: { dir: ./state }
http: { port: ${port} }
accel: { ${accel} }
assets:
  - id: gear
    channels: { shake: { mqtt: plant/gear/shake, unit: m/s2 } }
    rules: [ { id: hot, when: "score > 1e9", severity: warning } ]
models:
  own:
    file: ${model}
    asset: gear
    in: { x: { channel: shake, window: ${shape[0]}, unit: m/s2 } }
    out: { y: { channel: score, index: 0, unit: "1" } }
`,
  );
  return file;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

function floatModel(): Uint8Array {
  const nodes = [writeNode("Gemm", ["x", "w", "b"], ["y"])];
  const tensors = [
    floatTensor("w", [3, 1], Float32Array.of(1, 2, 3)),
    floatTensor("b", [1], Float32Array.of(0)),
  ];
  const [inputs, outputs] = [[writeValueInfo("x", 1, [3])], [writeValueInfo("y", 1, [1])]];
  return writeModel({ name: "m", nodes, tensors, inputs, outputs }, { "": 17 }, []);
}

const lines = (what: string): string[] =>
  (agent?.said() ?? "").split("\n").filter((line) => line.includes(what));

test.skipIf(mosquittoProgram === null).each([
  ["backend: fpga, fpgaDevice: /dev/spidev9.9", "fpga", "/dev/spidev9.9: no such device"],
  [
    "backend: edgetpu, tflite: /none/tflite.so, edgetpu: /none/tpu.so, edgetpuModels: /none",
    "edgetpu",
    "/none/tflite.so: no such file",
  ],
])(
  "%s, absent: watched all the same, with one line, a metric and an alarm",
  async (accel, name, why) => {
    agent = await startRun(config(accel, "mixed.onnx"));
    await vi.waitFor(() => expect(seen).toHaveLength(1), 20_000);
    expect(seen[0]).toMatchObject({ subject: "backend-out", transition: "raise" });
    expect(seen[0]?.evidence.join()).toContain(why);
    expect(await metric("sterna_backend_outages_total")).toBe(1);
    expect(await metric("sterna_backend_passed_total")).toBe(0);
    expect(lines(`${name} is out of use`)).toHaveLength(1);
  },
);

test.skipIf(mosquittoProgram === null)(
  "one that cannot take a network: a line and a metric, no alarm",
  async () => {
    agent = await startRun(config("backend: fpga", "int8.onnx"));
    expect(await metric("sterna_backend_passed_total")).toBe(1);
    expect(await metric("sterna_backend_outages_total")).toBe(0);
    const said = lines("a network runs on the CPU");
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("fpga: layer 0: its weights are int8, not ternary");
    expect(seen).toEqual([]);
  },
);

test("`sterna plan` says where each part of a model of any kind would run, and what it costs", () => {
  const out = (model: string): string => {
    const done = sterna("plan", model);
    expect([done.code, done.err]).toEqual([0, ""]);
    return done.out;
  };
  const own = mkdtempSync(join(tmpdir(), "sterna-plan-"));
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(own, name), bytes);
    return join(own, name);
  };
  const ternary = out(write("net.onnx", writeTernaryNet(net)));
  expect(ternary).toMatch(/^stage 1 \(matmul\) on \S+ \(.* us/m);
  expect(ternary).toMatch(/^ternary on plan: [\d.]+ us an inference measured as a whole$/m);
  expect(ternary).toMatch(/^1 call and \d+ values in and out: [\d.]+ us$/m);
  expect(ternary).toMatch(/^tier exact; energy not known/m);
  const sizes = { sequence: 8, width: 32, heads: 2, hidden: 64, limit: 127, depth: 2, kept: 1 };
  const encoder = out(write("encoder.onnx", writeEncoder(randomEncoder(3, sizes))));
  expect(encoder).toMatch(/^encoder of 2 layers on \S+ \(.* us/m);
  expect(encoder).toMatch(/^ternary encoder on plan: [\d.]+ us an inference measured as a whole$/m);
  expect(encoder).toMatch(/^tier within 0.089 of the largest value of each layer/m);
  const float = out(write("float.onnx", floatModel()));
  expect(float).toContain("in one piece, on the CPU: nothing of it is placed");
  expect(float).toMatch(/^onnxruntime [\d.]+ on cpu: [\d.]+ us an inference measured as a whole$/m);
  expect(float).toMatch(/^tier within 1e-4 relative/m);
  const mixed = out(write("mixed.onnx", chainOf(8, [sine, pair(1), sine])));
  expect(mixed).toMatch(
    /^part 1 of 3: 2 nodes \(Sin, Add\), 8 values in, 8 out, onnxruntime .* us/m,
  );
  expect(mixed).toMatch(
    /^part 2 of 3: a ternary network of 2 layers, 8 values in, 6 out, ternary on plan: [^\n]*\nstage 1 \(matmul\) on \S+ [^\n]*\nstage 2 [^\n]*\n1 call and 14 values in and out: /m,
  );
  expect(mixed).toMatch(/^part 3 of 3: \d nodes \(Sin, Add, Identity\), 6 values in, 6 out, onnx/m);
  expect(mixed).toMatch(/^onnxruntime .*, then ternary on plan, then .* us an inference measured/m);
  expect(mixed).toMatch(/; energy not known: that of ONNX Runtime is not measured$/m);
  const absent = sterna("plan", join(own, "none.onnx"));
  expect([absent.code, absent.out]).toEqual([1, ""]);
  expect(absent.err).toMatch(/^sterna plan: .*none\.onnx: cannot be read: ENOENT[^\n]*\n$/);
  rmSync(own, { recursive: true });
});
