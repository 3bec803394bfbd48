//! Networks placed over the devices of this machine, and what becomes of one that is wrong.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reference } from "../agent/accel/reference.js";
import { DEVICES_DEFAULT, openPresent } from "../agent/accel/registry.js";
import { packageFile } from "../agent/base/files.js";
import { openCompute } from "../agent/compute.js";
import { loadNetwork, type Network } from "../agent/models/network.js";
import { NO_LIMITS } from "../agent/models/plan.js";
import { type Candidate, measureDevice, planFor, plannedBackend } from "../agent/models/planned.js";
import { ownAlarms } from "../agent/self.js";
import type { AccelConfig } from "../config/config.js";
import { randomEncoder } from "./accel/encoders.js";
import { randomPlan } from "./accel/plans.js";

const VIBNET = readFileSync(packageFile("agent/models/vibnet.onnx"));
const accel: AccelConfig = {
  backend: "plan",
  checkShare: 1,
  allow: null,
  exact: true,
  prefer: "latency",
  latency_max_ms: null,
  power_max_W: null,
  power_W: {},
  ...DEVICES_DEFAULT,
  dense: "auto",
};

function open(bytes: Uint8Array, backend: Parameters<typeof loadNetwork>[1]): Network {
  const network = loadNetwork(bytes, backend);
  if (typeof network === "string") throw new Error(network);
  return network;
}

test("a shipped network, placed by what is measured here, gives the reference's integers", () => {
  const compute = openCompute(accel);
  if (typeof compute === "string") throw new Error(compute);
  const [placed, truth] = [open(VIBNET, compute.backend), open(VIBNET, reference)];
  expect(compute.placements).toHaveLength(1);
  expect(compute.placements[0]).toMatchObject({ tier: "exact", energy_uJ: null });
  const size = (ports: Network["inputs"]): number => ports.reduce((sum, p) => sum + p.size, 0);
  const x = Float32Array.from({ length: size(placed.inputs) }, (_, i) => (i % 17) / 5);
  const [a, b] = [new Float32Array(size(placed.outputs)), new Float32Array(size(placed.outputs))];
  placed.infer(x, a);
  truth.infer(x, b);
  expect(a).toEqual(b);
  expect(compute.outages).toEqual([]);
});

test("limits of the config reach the plan", () => {
  const limited = openCompute({ ...accel, allow: ["reference"], power_W: { reference: 9 } });
  if (typeof limited === "string") throw new Error(limited);
  open(VIBNET, limited.backend);
  const [placement] = limited.placements;
  if (placement === undefined || typeof placement === "string") throw new Error(placement);
  expect(new Set(placement.devices)).toEqual(new Set(["reference"]));
  expect(placement.energy_uJ).toBeGreaterThan(0);
  const impossible = openCompute({ ...accel, allow: ["fpga-9"] });
  if (typeof impossible === "string") throw new Error(impossible);
  open(VIBNET, impossible.backend); // runs all the same, on the reference
  expect(impossible.placements[0]).toMatch(/^no device is left; /);
});

test("each part in one place: neighbours on one device are one call", () => {
  const candidates = openPresent().present.map((backend) => ({
    ...{ backend, power_W: null, memory_bytes: Number.POSITIVE_INFINITY },
  }));
  const devices = candidates.map(measureDevice);
  for (const device of devices) expect(device.call_us).toBeGreaterThanOrEqual(0);
  const plan = randomPlan(5);
  const planned = planFor(plan, candidates, devices, NO_LIMITS);
  if (typeof planned === "string") throw new Error(planned);
  planned.parts.forEach((part, i) => {
    expect(part.from).toBe(i === 0 ? 0 : planned.parts[i - 1]?.to);
    expect(part.backend).not.toBe(planned.parts[i - 1]?.backend);
  });
  expect(planned.parts.at(-1)?.to).toBe(plan.stages.length);
});

test("a backend without a kind of stage, or too narrow, is passed over, and why is said", () => {
  const plan = randomPlan(5);
  const kinds = [...new Set(plan.stages.map(({ kind }) => kind))];
  const lacking = { ...reference, name: "plain", kinds: kinds.filter((kind) => kind !== "matmul") };
  const narrow = { ...reference, name: "narrow", cols_max: 1 };
  const candidates = [lacking, narrow, reference].map((backend) => ({
    ...{ backend, power_W: null, memory_bytes: Number.POSITIVE_INFINITY },
  }));
  const planned = planFor(plan, candidates, candidates.map(measureDevice), NO_LIMITS);
  if (typeof planned === "string") throw new Error(planned);
  const matmul = planned.placement.why.filter((line) => line.includes("matmul"));
  expect(matmul.length).toBeGreaterThan(0);
  for (const line of matmul) {
    expect(line).toContain("plain cannot: it has no matmul");
    expect(line).toContain("on reference (");
  }
  expect(matmul.join()).toContain("narrow cannot: it takes at most 1 columns");
});

test("an encoder goes whole to the first device that the limits allow", () => {
  const sizes = { sequence: 2, width: 16, heads: 1, hidden: 16, limit: 127, depth: 1, kept: 1 };
  const taken: string[] = [];
  const named = (name: string): Candidate => ({
    backend: {
      ...{ ...reference, name },
      loadEncoder(plan, batch) {
        taken.push(name);
        return reference.loadEncoder(plan, batch);
      },
    },
    ...{ power_W: name === "a" ? 9 : 1, memory_bytes: Number.POSITIVE_INFINITY },
  });
  const all = ["a", "b", "c"].map(named);
  const limits = [NO_LIMITS, { ...NO_LIMITS, power_max_W: 5 }, { ...NO_LIMITS, allow: ["c"] }];
  for (const each of limits) {
    plannedBackend(all, each, reference, () => {}).loadEncoder(randomEncoder(1, sizes), 1);
  }
  expect(taken).toEqual(["a", "b", "c"]);
});

test("a backend that is taken out is an alarm of the agent, with its evidence, once", () => {
  const outage = { backend: "fpga", when: "operation", why: "output 3 is 2, not 1" } as const;
  const evidence = { input: [1], found: [2], expected: [1] };
  const outages = [] as Parameters<typeof ownAlarms>[2][number][];
  const look = ownAlarms("gw-1", { trouble: null, moved: null }, outages);
  const out = (now_ms: number) => look(now_ms).find(({ what }) => what.rule === "backend-out");
  expect(out(0)).toMatchObject({ to: "clear" });
  outages.push({ ...outage, ...evidence });
  expect(out(1)).toMatchObject({
    to: "raise",
    what: { class: "agent", evidence: ["fpga, operation: output 3 is 2, not 1"] },
  });
  expect(look(2)).toEqual([]);
});
