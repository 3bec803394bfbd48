//! Networks placed over the devices of this machine, and what becomes of one that is wrong.

import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import type { Backend, Loaded } from "../agent/accel/backend.js";
import { guard, type Outage } from "../agent/accel/guard.js";
import { reference } from "../agent/accel/reference.js";
import { DEVICES_DEFAULT, openPresent } from "../agent/accel/registry.js";
import { packageFile } from "../agent/base/files.js";
import { type Compute, openCompute } from "../agent/compute.js";
import { loadNetwork, type Network } from "../agent/models/network.js";
import { NO_LIMITS, type Placement } from "../agent/models/plan.js";
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

const candidate = (backend: Backend, power_W: number | null = null): Candidate => ({
  backend: guard(backend, reference, { share: 0, report: () => {} }),
  power_W,
  memory_bytes: Number.POSITIVE_INFINITY,
});

/** The reference, so many times over. */
function device(name: string, rounds: number): Candidate {
  const load: Backend["load"] = (plan, batch) => {
    const loaded = reference.load(plan, batch);
    const infer: Loaded["infer"] = (x, y, count) => {
      for (let i = 0; i < rounds; i++) loaded.infer(x, y, count);
    };
    return { ...loaded, infer };
  };
  return candidate({ ...reference, name, load });
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
  const candidates = openPresent().present.map(({ backend }) => candidate(backend));
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
  const candidates = [lacking, narrow, reference].map((backend) => candidate(backend));
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

test("an encoder goes whole to the device that is fastest of those that the limits allow", () => {
  const sizes = { sequence: 4, width: 32, heads: 1, hidden: 64, limit: 127, depth: 1, kept: 1 };
  const named = (name: string, rounds: number): Candidate => {
    const loadEncoder: Backend["loadEncoder"] = (plan, batch) => {
      const loaded = reference.loadEncoder(plan, batch);
      const infer: Loaded["infer"] = (x, y, count) => {
        for (let i = 0; i < rounds; i++) loaded.infer(x, y, count);
      };
      return { ...loaded, infer };
    };
    return candidate({ ...reference, name, loadEncoder }, name === "a" ? 9 : 1);
  };
  // Each does the work a few times over: a once, c eight times.
  const all = [named("c", 8), named("b", 4), named("a", 1)];
  all.push(candidate({ ...reference, name: "fpga", encoders: "reference" }));
  const limits = [NO_LIMITS, { ...NO_LIMITS, power_max_W: 5 }, { ...NO_LIMITS, allow: ["c"] }];
  for (const [i, each] of limits.entries()) {
    const placed: (Placement | string)[] = [];
    const encoder = randomEncoder(1, sizes);
    plannedBackend(all, each, reference, (one) => placed.push(one)).loadEncoder(encoder, 1);
    expect(placed).toMatchObject([{ devices: ["abc"[i]] }]);
    if (i > 0) continue;
    const [first] = placed;
    const why = typeof first === "object" ? first.why.join() : first;
    expect(why).toMatch(/encoder of 1 layers on a \(.*fpga cannot: it has no encoders/);
  }
});

test("networks share the memory of a device", () => {
  const plan = randomPlan(5);
  const weights = plan.stages.reduce((sum, stage) => {
    return "layer" in stage ? sum + Math.ceil(stage.layer.weights.length / 4) : sum;
  }, 0);
  // Far faster than the other, and room for one of two networks.
  const slow = device("slow", 12);
  const fast = { ...candidate(reference), memory_bytes: 2 * weights + 8_000 };
  const placed: Placement[] = [];
  const backend = plannedBackend([fast, slow], NO_LIMITS, reference, (one) => {
    if (typeof one !== "string") placed.push(one);
  });
  for (let i = 0; i < 6; i++) backend.load(plan, 1);
  expect(new Set(placed[0]?.devices)).toEqual(new Set(["reference"]));
  expect(new Set(placed[5]?.devices)).toContain("slow");
});

test("a device that fails as it is timed is taken out, once, and nothing is placed on it", () => {
  const outages: Outage[] = [];
  const load = (): Loaded => {
    throw new Error("the bus hangs");
  };
  const failing = guard({ ...reference, name: "fpga", load }, reference, {
    share: 0,
    report: (outage) => outages.push(outage),
  });
  const bad = { backend: failing, power_W: null, memory_bytes: Number.POSITIVE_INFINITY };
  const placed: (Placement | string)[] = [];
  const all = [bad, candidate(reference)];
  plannedBackend(all, NO_LIMITS, reference, (one) => placed.push(one)).load(randomPlan(5), 1);
  expect(outages).toMatchObject([{ backend: "fpga", when: "self-test", why: "the bus hangs" }]);
  const [first] = placed;
  if (typeof first !== "object") throw new Error(first);
  expect(new Set(first.devices)).toEqual(new Set(["reference"]));
  expect(first.why.join()).toContain("fpga cannot: it was taken out: the bus hangs");
});

test("watts of the processor come from its own counters where the config states none", async () => {
  const root = mkdtempSync(join(tmpdir(), "sterna-powercap-"));
  const zone = join(root, "sys/class/powercap/intel-rapl:0");
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, "name"), "package-0\n");
  writeFileSync(join(zone, "max_energy_range_uj"), "1000000000000\n");
  writeFileSync(join(zone, "energy_uj"), "0\n");
  // A kernel that counts 20 W, from a thread of its own.
  const counter = new Worker(
    `const { renameSync, writeFileSync } = require("node:fs");
     const file = require("node:worker_threads").workerData;
     const start = performance.now();
     setInterval(() => {
       writeFileSync(file + ".new", String(Math.round(20_000 * (performance.now() - start))));
       renameSync(file + ".new", file);
     }, 1);
     require("node:worker_threads").parentPort.postMessage("");`,
    { eval: true, workerData: join(zone, "energy_uj") },
  );
  await once(counter, "message");
  const openWith = (over: Partial<AccelConfig>): Compute => {
    const compute = openCompute({ ...accel, ...over }, true, root);
    if (typeof compute === "string") throw new Error(compute);
    return compute;
  };
  // The counting thread may be held up on a busy machine, so it gets more than one try.
  const { backend, placements } = await vi.waitFor(() => {
    const found = openWith({ allow: ["wasm", "reference"] });
    const watts = Number(/wasm \(([\d.]+) W measured\)/.exec(found.why)?.[1]);
    expect(watts).toBeGreaterThan(15);
    expect(watts).toBeLessThan(25);
    return found;
  }, 5_000);
  open(VIBNET, backend);
  expect(placements[0]).toMatchObject({ energy_uJ: expect.any(Number) });
  // What the config states goes before; over the budget nothing is placed there.
  await vi.waitFor(() => {
    const stated = openWith({
      allow: ["wasm", "reference"],
      ...{ power_W: { wasm: 900 }, power_max_W: 600 },
    });
    expect(stated.why).toContain("wasm (900.0 W as the config says), reference (");
    open(VIBNET, stated.backend);
    expect(stated.placements[0]).toMatchObject({
      why: expect.arrayContaining(["wasm is not used: 900 W is over 600 W"]),
    });
  }, 10_000);
  await counter.terminate();
  rmSync(root, { recursive: true });
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
