//! A user's own model through the command line: five lines of YAML bind it, its output is a channel
//! that a rule reads, and what does not fit is a fault of the config with its place.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  floatTensor,
  writeModel,
  writeNode,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { sterna } from "../fixtures/agent.js";
import { randomMlp } from "../models/nets.js";

const FLOAT = 1;
const dir = mkdtempSync(join(tmpdir(), "sterna-model-e2e-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** heat [kW] = 0.5 * oil temperature [Cel] + 0.25 * load [%], float32, as exported elsewhere. */
const nodes = [
  writeNode("Flatten", ["x"], ["flat"]),
  writeNode("Gemm", ["flat", "w", "b"], ["heat"]),
];
const tensors = [
  floatTensor("w", [2, 1], Float32Array.of(0.5, 0.25)),
  floatTensor("b", [1], Float32Array.of(0)),
];
const inputs = [writeValueInfo("x", FLOAT, [1, 2])];
const outputs = [writeValueInfo("heat", FLOAT, [1, 1])];
writeFileSync(
  join(dir, "heat.onnx"),
  writeModel({ name: "heat", nodes, tensors, inputs, outputs }, { "": 17 }, []),
);
const net = randomMlp(7);
writeFileSync(join(dir, "ternary.onnx"), writeTernaryNet(net));

const config = (model: string, rule = "heat > 50 kW"): string => {
  const file = join(dir, "sterna.yaml");
  writeFileSync(
    file,
    `gateway: { id: gw, site: north }
assets:
  - id: gear
    channels: { oilTemp: { unit: Cel }, oilTemp2: { unit: Cel }, load: { unit: "%" } }
    rules: [ { id: hot, when: "${rule}", severity: warning } ]
models:
  own:
${model}
`,
  );
  return file;
};
const HEAT = `    file: heat.onnx
    asset: gear
    in: { x: { channels: [oilTemp, oilTemp2], unit: Cel } }
    out: { heat: { channel: heat, unit: kW } }`;

const T_ms = 1_700_000_000_000;
const line = (s: number, c: string, v: number) =>
  JSON.stringify({ t: T_ms + s * 1_000, a: "gear", c, v, u: c === "load" ? "%" : "Cel" });

test("its output is a channel: a rule over it raises with the model named as evidence", () => {
  const recording = join(dir, "a.ndjson");
  // 0.5 * 80 + 0.25 * 50 = 52.5 kW.
  const lines = [line(0, "oilTemp", 60), line(1, "oilTemp2", 50), line(2, "oilTemp", 80)];
  writeFileSync(recording, lines.join("\n"));
  const { code, out, err } = sterna("replay", recording, "--config", config(HEAT));
  expect([code, err]).toEqual([0, ""]);
  const { subject, data } = JSON.parse(out);
  expect(subject).toBe("hot");
  expect(data).toMatchObject({ transition: "raise", value: { v: 52.5, u: "kW" } });
  expect(data.model).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("what does not fit is a fault with its place and what to write", () => {
  const said = (model: string) => sterna("check", config(model)).err.replaceAll(`${dir}/`, "");
  expect({
    unit: said(HEAT.replace("unit: Cel", "unit: bar")),
    size: said(HEAT.replace("[oilTemp, oilTemp2]", "[oilTemp]")),
    tensor: said(HEAT.replace("{ heat: {", "{ heet: {")),
    absent: said(HEAT.replace("heat.onnx", "heart.onnx")),
    channel: said(HEAT.replace("oilTemp2", "oilTemp3")),
  }).toMatchSnapshot();
});

test("a ternary file states its own units, and the check reaches into it", () => {
  const own = (unit: string) => `    file: ternary.onnx
    asset: gear
    in: { x: { channel: oilTemp, window: ${net.input.shape[0]}, unit: ${unit} } }
    out: { y: { channel: score, unit: "1" } }`;
  const { code, err } = sterna("check", config(own("Cel"), "score > 0"));
  expect(code).toBe(78);
  expect(err).toContain('"Cel", but the model states "m/s2" for "x"');
});

test("a shipped model with one byte changed, wherever, is refused by name; so is one cut short", () => {
  const shipped = readFileSync(new URL("../../agent/models/vibnet.onnx", import.meta.url));
  const places = {
    weights: Math.floor(shipped.length / 2),
    unit: shipped.indexOf("sterna.inputs") + "sterna.inputs".length + 8,
    certificate: shipped.indexOf("sterna.certificate") + "sterna.certificate".length + 20,
    digest: shipped.length - 1,
  };
  const bent = (at: number): Buffer => {
    const bytes = Buffer.from(shipped);
    bytes[at] = (bytes[at] as number) ^ 1;
    return bytes;
  };
  const files = Object.entries(places).map(([name, at]) => [name, bent(at)] as const);
  const all = [...files, ["cut", shipped.subarray(0, shipped.length - 200)] as const];
  for (const [name, bytes] of all) {
    writeFileSync(join(dir, "bent.onnx"), bytes);
    const { code, err } = sterna("check", config(HEAT.replace("heat.onnx", "bent.onnx")));
    expect([name, code]).toEqual([name, 78]);
    expect(err, name).toMatch(
      /sterna\.yaml:\d+:\d+: .*bent\.onnx: .*(take a fresh copy|not a whole ONNX file)/,
    );
  }
});
