//! `npm run train:scadaseq [FILE]`: trains ScadaSeq on simulated turbines, writes the file (by
//! default the shipped one) and prints how it does on turbines it never saw, beside ridge regression.
import { writeFileSync } from "node:fs";
import { packageFile } from "../../base/files.js";
import { hashOf } from "../network.js";
import { COMPONENTS } from "../turbine-outputs.js";
import { makeSeq, SEQ_PLAN, seqErrors_K, seqTask, simulatedSeq } from "./scadaseq.js";
import { ridgeSeq } from "./seq-ridge.js";
import { predict } from "./ternary.js";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function run(file: string): void {
  const { bytes, teacher, pupil } = makeSeq(SEQ_PLAN);
  writeFileSync(file, bytes);
  print(`${file}: ${bytes.length} bytes, ${hashOf(bytes)}`);
  const known = seqTask(simulatedSeq(SEQ_PLAN), SEQ_PLAN).set;
  const unseen = simulatedSeq({ ...SEQ_PLAN, seed: 5, turbines: 6 }, "scadaseq/test");
  print("over the nacelle's air, rms in K (about each turbine's middle) | ridge | fp32 | ternary");
  const all = [
    seqErrors_K(unseen, ridgeSeq(known)),
    seqErrors_K(unseen, (x) => predict(teacher, x, false)),
    seqErrors_K(unseen, (x) => predict(pupil, x, true)),
  ];
  COMPONENTS.forEach(({ name }, c) => {
    const shown = all.map((list) => {
      const { plain = Number.NaN, about = Number.NaN } = list[c] ?? {};
      return `${plain.toFixed(2)} (${about.toFixed(2)})`;
    });
    print(`${name} | ${shown.join(" | ")}`);
  });
}

run(process.argv[2] ?? packageFile("agent/models/scadaseq.onnx"));
