//! `npm run train:powernet`: trains PowerNet on simulated turbines and writes the shipped file. With
//! `-- --data scada.csv --wind "Wind Speed (m/s)" --power "Power (kW)" --out mine.onnx` it is that
//! of one turbine, in kW, to bind as a model of the config. `--pitch COLUMN`, and `--temperature`
//! with `--pressure`, are read where given; `--test FILE` says how it does against the bin curve.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { reference } from "../../accel/reference.js";
import { assert } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import { hashOf, loadNetwork } from "../network.js";
import { byNet, comparePower, falls } from "./power-score.js";
import {
  fitPowerNet,
  makePowerNet,
  POWER_PLAN,
  type PowerNet,
  type PowerRows,
  powerRows,
  simulatedRows,
} from "./powernet.js";
import { readScada, type Wanted } from "./scada.js";

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const text = { type: "string" } as const;

function readRows(file: string, wanted: Wanted, rated_W: number | null): PowerRows | string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return `${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  const plain = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  const scada = readScada(new TextDecoder().decode(plain), wanted);
  if (typeof scada === "string") return `${file}: ${scada}`;
  const rows = powerRows(scada, rated_W);
  return rows.count < 500 ? `${file}: ${rows.count} rows with power above 0; 500 are needed` : rows;
}

function run(): number {
  const { values } = parseArgs({
    options: {
      ...{ data: text, out: text, test: text, wind: text, power: text },
      ...{ pitch: text, temperature: text, pressure: text },
    },
  });
  const { data, wind, power, pitch, temperature, pressure } = values;
  if (data === undefined) {
    const made = makePowerNet(POWER_PLAN);
    show(made, values.out ?? packageFile("agent/models/powernet.onnx"));
    const unseen = simulatedRows({ ...POWER_PLAN, seed: 5, turbines: 6 }, "powernet/test");
    const known = simulatedRows(POWER_PLAN);
    print(comparePower(byNet(made.pupil, known), known, unseen).words);
    return 0;
  }
  if (wind === undefined || power === undefined) {
    print('--data needs --wind COLUMN and --power COLUMN, like --power "Power (kW)"');
    return 64;
  }
  if ((temperature === undefined) !== (pressure === undefined)) {
    print("density needs both --temperature COLUMN and --pressure COLUMN");
    return 64;
  }
  const wanted: Wanted = {
    wind: { header: wind, unit: "m/s" },
    power: { header: power, unit: "kW" },
    ...(pitch === undefined ? {} : { pitch: { header: pitch, unit: "deg" } }),
    ...(temperature === undefined || pressure === undefined
      ? {}
      : {
          temperature: { header: temperature, unit: "Cel" },
          pressure: { header: pressure, unit: "hPa" },
        }),
  };
  const rows = readRows(data, wanted, null);
  if (typeof rows === "string") {
    print(rows);
    return 65;
  }
  const made = fitPowerNet(rows, POWER_PLAN, { output: "kW", data: "records of its user" });
  show(made, values.out ?? "powernet.onnx");
  if (values.test === undefined) return 0;
  const unseen = readRows(values.test, wanted, rows.rated_W);
  print(
    typeof unseen === "string" ? unseen : comparePower(byNet(made.pupil, rows), rows, unseen).words,
  );
  return typeof unseen === "string" ? 65 : 0;
}

function show({ bytes, from }: PowerNet, file: string): void {
  writeFileSync(file, bytes);
  const network = loadNetwork(bytes, reference);
  assert(typeof network !== "string", String(network));
  const [input] = network.inputs;
  print(`${file}: ${bytes.length} bytes, ${hashOf(bytes)}, from ${from}; input ${input?.name}`);
  print(`${falls(network)} falls on a grid; that there are none is proven from its weights`);
}

process.exitCode = run();
