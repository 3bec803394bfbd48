//! The Edge TPU's runner on TensorFlow Lite itself, with a libedgetpu that has no silicon: worker,
//! rings, models of a folder, and every way in which a device can fail. Not proof of the silicon.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Backend, Loaded, Plan } from "../../agent/accel/backend.js";
import { describe, findEdgeTpus, heatOf } from "../../agent/accel/edgetpu/detect.js";
import {
  type EdgeTpuOptions,
  openEdgeTpu,
  probeEdgeTpu,
} from "../../agent/accel/edgetpu/edgetpu.js";
import { programOf } from "../../agent/accel/edgetpu/program.js";
import { writeTflite } from "../../agent/accel/edgetpu/tflite.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { bestCpu } from "../../agent/accel/registry.js";
import { type Limits, NO_LIMITS, type Placement } from "../../agent/models/plan.js";
import { plannedBackend } from "../../agent/models/planned.js";
import { tfliteLibrary } from "./edgetpu-library.js";
import { programFor, tpuNetwork } from "./edgetpu-nets.js";
import { inputFor } from "./plans.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-tpu-"));
afterAll(() => rmSync(folder, { recursive: true }));
const root = join(folder, "root");
const models = join(folder, "models");
const behaviour = join(folder, "behaviour");
const node = join(root, "dev/apex_0");
mkdirSync(join(root, "dev"), { recursive: true });
mkdirSync(models);

const found = tfliteLibrary();
const compiler = spawnSync("cc", ["--version"]).status === 0;
const ready = "path" in found && compiler;
if (!ready) console.warn(`skipped: ${"absent" in found ? found.absent : "no C compiler"}`);

/** The stub as libedgetpu; with `real` as TensorFlow Lite too, whose calls it may spoil. */
function built(name: string, real: string | null): string {
  const file = join(folder, name);
  const defines = [`-DSTUB_FILE="${behaviour}"`, ...(real ? [`-DSTUB_TFLITE="${real}"`] : [])];
  const source = join(import.meta.dirname, "edgetpu-stub.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", ...defines, "-o", file, source, "-ldl"]);
  return file;
}

const tflite = "path" in found ? found.path : "";
const edgetpu = ready ? built("libedgetpu.so.1", null) : "";
const spoilt = ready ? built("libspoilt.so", tflite) : "";
const options: EdgeTpuOptions = { tflite, edgetpu, models };

const behave = (words: string): void => writeFileSync(behaviour, words);
beforeEach(() => {
  behave("");
  writeFileSync(node, "");
});

const plan = tpuNetwork(4);
const other = tpuNetwork(5);
const whole = tpuNetwork(7, true);
for (const [name, one] of Object.entries({ plan, whole })) {
  const { program } = programOf(one);
  if (program !== null) writeFileSync(join(models, `${name}_edgetpu.tflite`), writeTflite(program));
}

/** A network on the stub under guard: the answers of some calls, and what was reported. */
function run(own: EdgeTpuOptions, network = plan, between: (call: number) => void = () => {}) {
  const outages: Outage[] = [];
  const device = openEdgeTpu(own, reference, root);
  const report = (outage: Outage): void => void outages.push(outage);
  const loaded = guard(device, reference, { share: 1, report }).load(network, 1);
  const answers = [0, 1, 2].map((call) => {
    between(call);
    const y = new Float32Array(network.output.channels * network.output.places);
    loaded.infer(inputFor(call, network, 1, false), y, 1);
    return y;
  });
  return { outages, answers };
}

function answersFrom(loaded: Loaded, network: Plan): Float32Array[] {
  return [0, 1, 2].map((call) => {
    const y = new Float32Array(network.output.channels * network.output.places);
    loaded.infer(inputFor(call, network, 1, false), y, 1);
    return y;
  });
}

/** The same on the emulator, or on the reference. */
function answersOf(on: "emulator" | "reference", network = plan): Float32Array[] {
  const backend = on === "emulator" ? openEdgeTpu(null, reference) : reference;
  return answersFrom(backend.load(network, 1), network);
}

test.skipIf(!ready)("through worker and library come the emulator's integers", () => {
  expect(run(options)).toEqual({ outages: [], answers: answersOf("emulator") });
  expect(run(options, whole)).toEqual({ outages: [], answers: answersOf("emulator", whole) });
});

test.skipIf(!ready).each([
  ["none", "", /libedgetpu lists no device/],
  ["busy", "", /apex_0: in use by another process/],
  ["prepare", "", /plan_edgetpu.tflite: the Edge TPU's delegate refused it/],
  ["", "edgetpu", /libgone.so: .*cannot open|libgone.so: no such file/],
  ["old", "tflite", /libspoilt.so: version 1.15.0, not 2.5 to 2.19/],
  ["fail", "tflite", /an inference failed, status 1/],
  ["wrong", "tflite", /output \d+ is /],
])("%s %s: one line, and the reference's answers", (words, library, why) => {
  behave(words);
  const libraries = {
    edgetpu: { edgetpu: join(folder, "libgone.so") },
    tflite: { tflite: spoilt },
  };
  const own = { ...options, ...(library === "" ? {} : libraries[library as "tflite"]) };
  const { outages, answers } = run(own);
  expect(outages).toMatchObject([{ when: "self-test", why: expect.stringMatching(why) }]);
  expect(answers).toEqual(answersOf("reference"));
});

test.skipIf(!ready)("a library that is none, and one without the functions", () => {
  const text = join(folder, "text.so");
  writeFileSync(text, "no library");
  expect(run({ ...options, edgetpu: text }).outages).toMatchObject([
    { why: expect.stringContaining("text.so: ") },
  ]);
  const { outages } = run({ ...options, edgetpu: tflite });
  expect(outages).toMatchObject([{ why: expect.stringContaining("edgetpu_version") }]);
});

test.skipIf(!ready)(
  "a model that is missing or another's: one line, and the device goes on",
  () => {
    const known = writeTflite(programFor(plan));
    const name = `sterna-${programFor(other).hash}`;
    const folderOf = (file: string, bytes: Uint8Array | string): string => {
      const own = mkdtempSync(join(folder, "models-"));
      writeFileSync(join(own, "a_edgetpu.tflite"), known);
      writeFileSync(join(own, file), bytes);
      return own;
    };
    // The right name around other layers: its sizes are wrong.
    const forged = writeTflite({ ...programFor(plan), hash: programFor(other).hash });
    const cases: [string, RegExp][] = [
      [models, /no compiled model sterna-.*; plan_edgetpu.tflite and 1 more is of another model/],
      [folderOf("x.txt", ""), /; a_edgetpu.tflite is of another model; sterna convert writes/],
      [
        folderOf("x_edgetpu.tflite", forged),
        /x_edgetpu.tflite: it is the model of another network/,
      ],
      [folderOf("x_edgetpu.tflite", `garbage ${name}`), /it is no .tflite file/],
    ];
    for (const [own, why] of cases) {
      const [passed, outages] = [[] as string[], [] as Outage[]];
      const device = guard(openEdgeTpu({ ...options, models: own }, reference, root), reference, {
        share: 1,
        report: (outage) => outages.push(outage),
        pass: (line) => passed.push(line),
      });
      const [without, within] = [device.load(other, 1), device.load(plan, 1)];
      expect(passed).toEqual([expect.stringMatching(why)]);
      expect([without.tier, within.tier]).toEqual(["exact", "within 1"]);
      expect(answersFrom(without, other)).toEqual(answersOf("reference", other));
      expect(answersFrom(within, plan)).toEqual(answersOf("emulator"));
      expect(outages).toEqual([]);
    }
  },
);

test.skipIf(!ready)(
  "a plan takes it, network by network, where that is cheaper and allowed",
  () => {
    // Beside it a CPU that is far slower than any crossing.
    const slow: Backend = {
      ...{ ...reference, name: "slow" },
      load(one, batch) {
        const loaded = reference.load(one, batch);
        const infer: Loaded["infer"] = (x, y, count) => {
          for (let i = 0; i < 500; i++) loaded.infer(x, y, count);
        };
        return { ...loaded, infer };
      },
    };
    const outages: Outage[] = [];
    const held = { share: 1, report: (outage: Outage) => void outages.push(outage) };
    const candidateOf = (backend: Backend, power_W: number) => ({
      backend: guard(backend, reference, held),
      ...{ power_W, memory_bytes: backend.memory_bytes ?? Number.POSITIVE_INFINITY },
    });
    const loose: Limits = { ...NO_LIMITS, exact: false };
    const planned = (limits: Limits, cpu: Backend) => {
      const [placed, passed] = [[] as (Placement | string)[], [] as string[]];
      const device = openEdgeTpu(options, reference, root);
      const all = [candidateOf(device, 2), candidateOf(cpu, 1)];
      const backend = plannedBackend(
        all,
        limits,
        reference,
        (one) => placed.push(one),
        (why) => passed.push(why),
      );
      const tiers = [plan, other].map((one) => {
        const loaded = backend.load(one, 1);
        const on = loaded.tier === "exact" ? "reference" : "emulator";
        expect(answersFrom(loaded, one)).toEqual(answersOf(on, one));
        return loaded.tier;
      });
      const devices = placed.map((one) => (typeof one === "string" ? one : one.devices));
      return { tiers, passed, devices, placed };
    };
    const free = planned(loose, slow);
    expect(free.tiers).toEqual(["within 1", "exact"]);
    expect(free.devices[0]?.[0]).toBe("edgetpu");
    expect(free.devices[1]).not.toContain("edgetpu");
    expect(free.passed).toEqual([expect.stringMatching(/^edgetpu: .*no compiled model sterna-/)]);
    expect(JSON.stringify(free.placed[1])).toContain("edgetpu cannot: ");
    // A CPU that is faster than the crossing, a config that leaves it out, a budget, exactness.
    expect(planned(loose, bestCpu()).tiers).toEqual(["exact", "exact"]);
    for (const limits of [
      { ...loose, allow: ["slow"] },
      { ...loose, power_max_W: 1.5 },
      NO_LIMITS,
    ]) {
      const found = planned(limits, slow);
      expect(found.tiers).toEqual(["exact", "exact"]);
      expect(found.passed).toEqual([]);
    }
    expect(outages).toEqual([]);
  },
);

test.skipIf(!ready)(
  "pulled, hung or wrong while it is used: the CPU answers that very call",
  () => {
    const truth = answersOf("reference");
    const pulled = run(options, plan, (call) => {
      if (call === 1) renameSync(node, `${node}.gone`);
      if (call === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 210);
    });
    expect(pulled.outages).toMatchObject([
      { when: "operation", why: "/dev/apex_0 is gone: unplugged, or reset" },
    ]);
    expect(pulled.answers.slice(1)).toEqual(truth.slice(1));
    writeFileSync(node, "");
    const hung = run({ ...options, tflite: spoilt }, plan, (call) => {
      if (call === 1) behave("hang");
    });
    expect(hung.outages).toMatchObject([
      { when: "operation", why: "the Edge TPU gave no answer within 500 ms" },
    ]);
    expect(hung.answers.slice(1)).toEqual(truth.slice(1));
    behave("");
    const wrong = run({ ...options, tflite: spoilt }, plan, (call) => {
      if (call === 1) behave("wrong");
    });
    expect(wrong.outages).toMatchObject([{ when: "operation", why: /output \d+ is/ }]);
    expect(wrong.answers.slice(1)).toEqual(truth.slice(1));
  },
);

test("boards and sticks, before and after firmware, by the kernel's files", () => {
  const own = join(folder, "kernel");
  const write = (file: string, text: string): void => {
    mkdirSync(join(own, file, ".."), { recursive: true });
    writeFileSync(join(own, file), text);
  };
  expect(findEdgeTpus(own)).toEqual([]);
  write("dev/apex_0", "");
  write("sys/class/apex/apex_0/temp", "61300\n");
  write("sys/class/apex/apex_0/trip_point0_temp", "60000\n");
  write("sys/class/apex/apex_0/trip_point1_temp", "70000\n");
  const usb = (name: string, vendor: string, product: string): void => {
    for (const [file, text] of Object.entries({
      idVendor: vendor,
      idProduct: product,
      busnum: "2",
      devnum: "7",
    })) {
      write(`sys/bus/usb/devices/${name}/${file}`, `${text}\n`);
    }
  };
  usb("1-1", "1a6e", "089a");
  usb("1-2", "18d1", "9302");
  usb("1-3", "18d1", "4ee7");
  const devices = findEdgeTpus(own);
  const hidden = `${join(own, "dev/bus/usb/002/007")} is hidden; in the service its drop-in must be installed`;
  expect(devices).toEqual([
    { kind: "pcie", path: "/dev/apex_0", ready: true, rights: null },
    { kind: "usb", path: "/sys/bus/usb/devices/1-1", ready: false, rights: hidden },
    { kind: "usb", path: "/sys/bus/usb/devices/1-2", ready: true, rights: hidden },
  ]);
  expect(describe(devices.slice(0, 2), own)).toBe(
    "/dev/apex_0, 61.3 Cel, throttled to 1/2 of its clock; " +
      `/sys/bus/usb/devices/1-1 (its firmware is loaded at first use), ${hidden}`,
  );
  write("sys/class/apex/apex_0/temp", "nonsense\n");
  expect(devices.map((device) => heatOf(device, own))).toEqual([null, null, null]);
  expect(probeEdgeTpu(null)).toBe(null);
  const nowhere = { tflite: behaviour, edgetpu: behaviour, models };
  expect(probeEdgeTpu(nowhere, own)).toBe(null);
  expect(probeEdgeTpu(nowhere, join(own, "none"))).toMatch(/^no \/dev\/apex/);
  expect(probeEdgeTpu({ ...nowhere, models: "/gone" }, own)).toBe("/gone: no such file");
});
