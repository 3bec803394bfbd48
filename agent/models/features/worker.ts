//! The thread that reads blocks: waveform in, figures and envelope lines out, both where they lie
//! in shared memory. It ends when the agent closes its end.
import { workerData } from "node:worker_threads";
import { openReceiver, openSender } from "../../base/arena.js";
import { assert } from "../../base/errors.js";
import { Analysers } from "./analyser.js";
import { ACCELERATION, ANALYSES, BLOCKS, ENDS, openMemory, type WorkerData } from "./frames.js";

const LOOK_ms = 1_000;

const { blocks, analyses } = workerData as WorkerData;
const receiver = openReceiver(await openMemory(blocks), BLOCKS, ACCELERATION, ENDS);
const sender = openSender(await openMemory(analyses), ANALYSES, ACCELERATION, ENDS);
assert(typeof receiver !== "string" && typeof sender !== "string", "the worker's ends are free");
const analysers = new Analysers();

for (;;) {
  const block = receiver.wait(LOOK_ms) ? receiver.front() : null;
  if (block === null) {
    if (receiver.peer() === "closed") break;
    continue;
  }
  const { bytes, tag } = block.size();
  const values = block.floats.subarray(0, bytes / 4);
  const found = analysers.for(values)?.analyse(values, block.meta[0] as number) ?? null;
  while (!sender.wait(LOOK_ms)) if (sender.peer() === "closed") process.exit(0);
  const answer = sender.claim();
  if (answer === null) continue;
  if (found === null) sender.publish(0, tag);
  else {
    const { rms, peak, crest, kurtosis, velocityRms, lineStep_hz, lines } = found;
    answer.meta.set([rms, peak, crest, kurtosis, velocityRms, lineStep_hz]);
    answer.floats.set(lines);
    sender.publish(4 * lines.length, tag);
  }
  receiver.release();
}
