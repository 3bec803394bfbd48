//! PowerNet: the shipped file, one of a turbine's own records, and what is refused.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { checkBinding } from "../../agent/models/bind-check.js";
import { openColumns } from "../../agent/models/columns.js";
import { byNet, comparePower, falls } from "../../agent/models/convert/power-score.js";
import {
  fitPowerNet,
  POWER_PLAN,
  type PowerRows,
  powerRows,
  rehearsePowerNet,
  simulatedRows,
} from "../../agent/models/convert/powernet.js";
import { readScada } from "../../agent/models/convert/scada.js";
import { isWeighted } from "../../agent/models/onnx/ternary-net.js";
import { openModel } from "../../agent/models/user-model.js";
import { isUnitFault, parseUnit, type Unit } from "../../agent/units/parse.js";
import { agreesWithOnnxruntime, netOf, proven, sameEverywhere } from "./shipped.js";

const SHIPPED = readFileSync("agent/models/powernet.onnx");
const COLUMNS = [
  { name: "wind", unit: "m/s" },
  { name: "pitch", unit: "deg" },
  { name: "density", unit: "kg/m3" },
];
const random = prng(3, "powernet/test");
const rows = Array.from({ length: 100 }, () =>
  Float32Array.from({ length: 3 }, () => 2 * random.next() - 1),
);

test("the file was made by this code: its rehearsal gives the hash that it states", () => {
  expect(proven(SHIPPED).meta.facts["rehearsal"]).toBe(rehearsePowerNet());
});

test("it cannot fall with the wind: no weight on that path is below 0, and loading proves it", () => {
  const net = netOf(SHIPPED);
  expect(net.claims?.monotone).toEqual([0]);
  const [first, hidden, last] = net.layers.filter(isWeighted);
  expect([first, hidden, last].map((layer) => layer?.ternary)).toEqual([false, true, false]);
  expect(first?.weights.every((w, i) => i % 3 !== 0 || w >= 0)).toBe(true);
  expect(new Set(hidden?.weights)).toEqual(new Set([0, 1]));
  expect(last?.weights.every((w) => w >= 0)).toBe(true);
  expect(falls(proven(SHIPPED))).toBe(0);
});

test("every exact backend gives the same; onnxruntime is within a step a layer", async () => {
  expect(sameEverywhere(SHIPPED, rows)).toContain("reference");
  await agreesWithOnnxruntime(netOf(SHIPPED), rows);
});

test("its columns have units, and other ones are refused", () => {
  const net = openColumns(SHIPPED, reference, COLUMNS);
  if (typeof net === "string") throw new Error(net);
  const y = new Float32Array(1);
  const power = (wind_mps: number, pitch_rad: number, density: number): number => {
    net.infer(Float64Array.of(wind_mps, pitch_rad, density), y);
    return y[0] as number;
  };
  expect(power(3, 0, 1.225)).toBeLessThan(0.1);
  expect(power(8, 0, 1.225)).toBeGreaterThan(0.3);
  expect(power(8, 0, 1.225)).toBeLessThan(0.5);
  expect(power(16, 0.2, 1.225)).toBeGreaterThan(0.95);
  expect(power(16, 0.2, 1.225)).toBeLessThan(1.05);
  expect(power(Number.NaN, 0, 1.225)).toBeNaN();
  const wrong = COLUMNS.map((c) => (c.name === "density" ? { ...c, unit: "Pa" } : c));
  expect(openColumns(SHIPPED, reference, wrong)).toMatch(/density is in kg\/m3.*dimension of Pa/);
  expect(openColumns(SHIPPED, reference, COLUMNS.slice(0, 2))).toMatch(/no column density; there/);
});

const unitOf = (text: string): Unit => {
  const unit = parseUnit(text);
  if (isUnitFault(unit)) throw new Error(unit.fault);
  return unit;
};

/** A record of one turbine, as its SCADA system would export it, with gaps and stops. */
function exportCsv(): string {
  const { x, power_W, columns, count } = simulatedRows(
    { ...POWER_PLAN, seed: 4, turbines: 1, days: 8 },
    "powernet/own",
  );
  const lines = Array.from({ length: count }, (_, i) => {
    const wind = (x[i * columns.length] as number).toFixed(2);
    const power = ((power_W[i] as number) / 1000).toFixed(1);
    if (i % 50 === 7) return `${i},${wind},`;
    return i % 40 === 3 ? `${i},${wind},0` : `${i},${wind},${power}`;
  });
  return ["t,Wind Speed (m/s),P", ...lines].join("\r\n");
}

test("a turbine's own records give a model in kW that a config can bind, and beat the bins", {
  timeout: 120_000,
}, () => {
  const wanted = {
    wind: { header: "Wind Speed (m/s)", unit: "m/s" },
    power: { header: "P=kW", unit: "kW" },
  };
  const scada = readScada(exportCsv(), wanted);
  if (typeof scada === "string") throw new Error(scada);
  const all = powerRows(scada);
  const part = (from: number, to: number): PowerRows => ({
    ...all,
    count: to - from,
    x: all.x.slice(from, to),
    power_W: all.power_W.slice(from, to),
  });
  const [known, unseen] = [part(0, 700), part(700, all.count)];
  const made = fitPowerNet(
    known,
    { ...POWER_PLAN, steps: 700, tries: 1 },
    { output: "kW", data: "a test" },
  );
  const score = comparePower(byNet(made.pupil, known), known, unseen);
  expect(score.net_kW).toBeLessThan(score.bins_kW);
  const network = proven(made.bytes);
  expect(falls(network)).toBe(0);
  expect(network.inputs[0]).toMatchObject({ unit: "m/s", size: 1 });
  const y = new Float32Array(1);
  network.infer(Float32Array.of(20), y);
  expect(y[0]).toBeGreaterThan(4700);
  expect(y[0]).toBeLessThan(5300);

  const model = openModel(made.bytes, reference);
  if (typeof model === "string") throw new Error(model);
  const bindTo = (text: string) => {
    const [speed, kW] = [unitOf(text), unitOf("kW")];
    const input = { tensor: "wind", channels: ["windSpeed"], window: 1, units: [speed] };
    const output = { tensor: "power", index: 0, channel: "power.expected", unit: kW };
    const signals = [{ name: "windSpeed", dim: "m/s", kind: "" }];
    return checkBinding(model, { name: "mine", in: [input], out: [output] }, signals);
  };
  expect(bindTo("m/s")).toEqual([]);
  expect(bindTo("rad/s").map(({ at }) => at)).toContainEqual(["in", "wind", "unit"]);
});

test("a record that cannot be read says which column and what to write", () => {
  const csv = "\uFEFFtime;wind (m/s);power (kW)\n1;5,5;100\n2;;100\n3;x;9\n";
  const read = (wind: string, power: string) =>
    readScada(csv, {
      wind: { header: wind, unit: "m/s" },
      power: { header: power, unit: "kW" },
    });
  const found = read("wind (m/s)", "power (kW)");
  expect(found).toEqual({ wind: Float64Array.of(5.5), power: Float64Array.of(100_000) });
  expect(read("Wind", "power (kW)")).toMatch(/wind: no column "Wind"; there are "time", "wind/);
  expect(read("time", "power (kW)")).toMatch(/"time" states no unit; write "time=m\/s"/);
  expect(read("wind (m/s)", "wind (m/s)")).toMatch(/is in m\/s; it must be .* kW/);
  expect(read("wind (m/s)=furlong/s", "power (kW)")).toMatch(/unit furlong\/s/);
});
