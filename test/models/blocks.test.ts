//! Networks of the user's own: from a folder of labelled recordings to the file, and the file at
//! work behind `models:` with bands and behind `network:` of an asset.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { KINDS } from "../../agent/assets.js";
import { prng } from "../../agent/base/prng.js";
import type { Block } from "../../agent/base/telemetry.js";
import { createBearingMonitor } from "../../agent/models/bearing.js";
import { bindUserModel } from "../../agent/models/bind.js";
import { fileSays, macroF1, sizesOf, trainBlocks } from "../../agent/models/convert/block-net.js";
import { classesOf, cut } from "../../agent/models/convert/block-set.js";
import { readLabelled } from "../../agent/models/convert/labelled.js";
import { makeVibnet, VIBNET_PLAN } from "../../agent/models/convert/vibnet.js";
import { BANDS, BandAnalyser } from "../../agent/models/features/bands.js";
import { hashOf } from "../../agent/models/network.js";
import { openUserModel } from "../../agent/models/user-model.js";
import { parseUnit } from "../../agent/units/parse.js";

const random = prng(3, "blocks");
const COUNT = 1024;

/** Noise of two sensors; a broken tooth makes the second one rougher at the top. */
function waves(broken: boolean, count: number): Float32Array[] {
  return [0, 1].map((sensor) => {
    let before = 0;
    return Float32Array.from({ length: count }, () => {
      const white = random.normal();
      const value = broken && sensor === 1 ? white - 0.6 * before : white + 0.6 * before;
      before = white;
      return value;
    });
  });
}

const HEAD = "file,label,group,fs_hz,scale,unit,channels";
function folder(head = HEAD, change = (line: string): string => line): string {
  const path = mkdtempSync(join(tmpdir(), "sterna-labelled-"));
  const lines = ["0", "50"].flatMap((group) =>
    ["healthy", "broken"].map((label) => {
      const channels = waves(label === "broken", 12 * COUNT);
      const counts = new Int16Array(2 * 12 * COUNT);
      channels.forEach((values, c) => {
        values.forEach((v, i) => {
          counts[2 * i + c] = Math.round(v * 1000);
        });
      });
      const file = `${label}-${group}.i16.gz`;
      writeFileSync(join(path, file), gzipSync(new Uint8Array(counts.buffer)));
      return change(`${file},${label},${group},25600,0.001,m/s2,2`);
    }),
  );
  writeFileSync(join(path, "index.csv"), [head, ...lines].join("\n"));
  return path;
}

const PATH = folder();
const RECORDS = readLabelled(PATH);
const CLASSES = classesOf(RECORDS, "bands");
const NET = trainBlocks(
  cut(
    RECORDS.filter(({ group }) => group === "0"),
    { features: "bands", count: COUNT, hop: COUNT / 4 },
  ),
  { features: "bands", classes: CLASSES, seed: 1 },
);

test("what is read: counts times scale, channels apart, healthy first of the classes", () => {
  expect(RECORDS.map(({ label, group }) => `${label} ${group}`)).toEqual([
    "healthy 0",
    "broken 0",
    "healthy 50",
    "broken 50",
  ]);
  expect(RECORDS[0]?.channels.map((values) => values.length)).toEqual([12 * COUNT, 12 * COUNT]);
  expect(CLASSES).toEqual(["healthy", "broken"]);
});

test("a group that it never saw is told right, by ternary integers", () => {
  const unseen = RECORDS.filter(({ group }) => group === "50");
  const samples = cut(unseen, { features: "bands", count: COUNT, hop: COUNT });
  const truth = samples.map(({ record }) => CLASSES.indexOf(record.label));
  expect(macroF1(truth, fileSays(NET, samples))).toBeGreaterThan(0.95);
  const { zeros, smaller } = sizesOf(NET.pupil);
  expect(zeros).toBeGreaterThan(0.35);
  expect(zeros).toBeLessThan(0.65);
  expect(smaller).toBeGreaterThan(10);
});

describe("faults of an index say where and what to write", () => {
  const cases: [string, string | undefined, (line: string) => string, string][] = [
    ["a column is missing", "file,label,fs_hz,scale,unit", (l) => l, "add the columns group"],
    ["a rate is no number", HEAD, (l) => l.replace("25600", "fast"), 'line 2: fs_hz is "fast"'],
    ["a scale of 0", HEAD, (l) => l.replace("0.001", "0"), 'scale is "0", write a number above 0'],
    ["an unknown unit", HEAD, (l) => l.replace("m/s2", "gees"), 'unit "gees"'],
    ["no such file", HEAD, (l) => `x${l}`, "no file x"],
    ["no label", HEAD, (l) => l.replace("healthy,", ",").replace("broken,", ","), "has no label"],
  ];
  test.each(cases)("%s", (_, head, change, said) => {
    expect(() => readLabelled(folder(head, change))).toThrow(said);
  });

  test("no index at all; no need met for orders", () => {
    expect(() => readLabelled(tmpdir())).toThrow("has no index.csv");
    const how = { features: "orders", count: 4096, hop: 4096 } as const;
    expect(() => cut(RECORDS, how)).toThrow("fault orders need rollers, ball_mm and pitch_mm");
    expect(() => cut(RECORDS, { ...how, count: 1 << 20 })).toThrow("samples, a block takes");
    expect(() => classesOf(RECORDS, "orders")).toThrow('label "broken": with orders write one of');
    const worn = RECORDS.map((one) => ({ ...one, label: "outer" }));
    expect(() => classesOf(worn, "orders")).toThrow("no record is labelled healthy");
    const dead = RECORDS.map((one) => ({ ...one, channels: [new Float32Array(4096)] }));
    const bands = { features: "bands", count: 1024, hop: 1024 } as const;
    expect(() => cut(dead, bands)).toThrow("dead, or no number");
  });
});

test("bands: gain cancels; dead, short and wrong blocks have none", () => {
  const analyser = new BandAnalyser();
  const [values = new Float32Array(0)] = waves(false, 4096);
  const [plain, loud] = [new Float32Array(BANDS), new Float32Array(BANDS)];
  analyser.levels(values, plain, 0);
  const louder = values.map((v) => 37 * v + 5);
  analyser.levels(louder, loud, 0);
  plain.forEach((level, i) => {
    expect(loud[i]).toBeCloseTo(level, 3);
  });
  expect(plain.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 3);
  const none = [new Float32Array(4096).fill(3), values.subarray(0, 100), values.map(() => NaN)];
  for (const wrong of none) {
    analyser.levels(wrong, loud, 0);
    expect(loud.every(Number.isNaN)).toBe(true);
  }
});

function bound() {
  const file = join(PATH, "tooth.onnx");
  writeFileSync(file, NET.bytes);
  const model = openUserModel(file, reference);
  if (typeof model === "string") throw new Error(model);
  const [unit, one] = [parseUnit("m/s2"), parseUnit("1")];
  if ("fault" in unit || "fault" in one) throw new Error("units");
  const units = [unit, unit];
  const input = { tensor: "bands", channels: ["a1", "a2"], window: 1, bands: true, units };
  const out = [0, 1].map((index) => ({ tensor: "logits", index, channel: `y${index}`, unit: one }));
  const signals = ["a1", "a2"].map((name) => ({ name, dim: unit.dim, kind: "" }));
  return { model, spec: { name: "tooth", in: [input], out }, signals, input };
}

test("models: with bands, a block of each channel gives an answer", () => {
  const { model, spec, signals } = bound();
  const monitor = bindUserModel(model, spec, signals);
  if (!("inputs" in monitor)) throw new Error(JSON.stringify(monitor));
  const said = [Number.NaN, Number.NaN];
  const frame = {
    get: () => Number.NaN,
    set(i: number, value: number) {
      said[i] = value;
    },
  };
  const feed = (input: number, values: Float32Array): void => {
    const at = { t_ms: 0, r_ms: 0, fs_hz: 25_600, speed_radps: null };
    const block: Block = { kind: "block", channel: input, ...at, values };
    monitor.onBlock(frame, input, block);
  };
  for (const broken of [false, true, false]) {
    for (const [input, values] of waves(broken, COUNT).entries()) feed(input, values);
    expect((said[1] as number) > (said[0] as number)).toBe(broken);
  }
  const [first, second] = waves(false, COUNT) as [Float32Array, Float32Array];
  feed(1, second);
  expect(said, "the first channel sent no block").toEqual([Number.NaN, Number.NaN]);
  feed(0, first);
  feed(1, new Float32Array(COUNT));
  expect(said, "the second is dead").toEqual([Number.NaN, Number.NaN]);
  feed(0, first);
  feed(1, second);
  expect(said.every(Number.isFinite)).toBe(true);
});

test("models: as many channels as it was trained on", () => {
  const { model, spec, signals, input } = bound();
  const faults = bindUserModel(model, { ...spec, in: [{ ...input, channels: ["a1"] }] }, signals);
  expect(faults).toEqual([
    {
      at: ["in", "bands", "bands"],
      what: "1 channel(s) x 32 bands are 32 values, the model takes [64]",
      instead: "bind as many channels as it was trained on",
    },
  ]);
});

describe("network: of an asset", () => {
  const fit = (kind: string, network: Uint8Array) => {
    const asset = { id: "b", nameplate: {}, baseline: null, backend: reference };
    return KINDS[kind]?.monitors({ ...asset, channels: new Set(["accel"]), network }).faults ?? [];
  };
  const shipped = readFileSync("agent/models/vibnet.onnx");

  test("one that reads spectra and tells the parts is taken", () => {
    expect(fit("bearing", shipped)).toEqual([]);
    expect(fit("wind-turbine", shipped)).toEqual([]);
  });

  test("it answers in the place of the shipped one", () => {
    const steps = { examples: 40, teacherSteps: 5, pupilSteps: 5 };
    const { bytes } = makeVibnet({ ...VIBNET_PLAN, ...steps });
    const nameplate = { rollers: 9, ballDiameter: 0.00794, pitchDiameter: 0.03904 };
    const setup = { id: "b", nameplate, baseline: null, backend: reference };
    expect(createBearingMonitor({ ...setup, network: bytes }).model).toBe(hashOf(bytes));
    expect(createBearingMonitor(setup).model).toBe(hashOf(shipped));
  });

  test("another is refused with what is wrong", () => {
    const what = (kind: string, bytes: Uint8Array) => fit(kind, bytes).map((fault) => fault.what);
    expect(what("bearing", NET.bytes)).toEqual(["the network reads 64 values, a spectrum has 512"]);
    expect(what("bearing", shipped.subarray(0, 900))).toHaveLength(1);
    expect(what("quadrotor", shipped)).toEqual([
      "a quadrotor has no network of its kind to replace",
    ]);
  });
});
