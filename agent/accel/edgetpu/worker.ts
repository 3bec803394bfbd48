//! The thread that holds the Edge TPU: it opens models and answers frames, one after the other. What
//! fails is answered with its reason. It ends when the agent closes its end, or is ended by it.
import { readFileSync, statSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { openReceiver, openSender, type Slot } from "../../base/arena.js";
import { assert, OperatingError } from "../../base/errors.js";
import { threadBuffer } from "../../base/shared-buffer.js";
import {
  ENDS,
  FRAMES,
  NO_MODEL,
  OPEN,
  type OpenAnswer,
  type OpenRequest,
  STATUS,
  STEPS,
  type WorkerData,
} from "./frames.js";
import {
  type EdgeTpu,
  type Interpreter,
  type Listed,
  openEdgeTpu,
  openTflite,
  type Tflite,
} from "./library.js";

const LOOK_ms = 1_000;
/** A compiled model holds its weights twice at most, and the stick 8 MB of them. */
const FILE_BYTES_MAX = 2 ** 26;

const data = workerData as WorkerData;
const receiver = openReceiver(threadBuffer(data.requests), FRAMES, STEPS, ENDS);
const sender = openSender(threadBuffer(data.answers), FRAMES, STEPS, ENDS);
assert(typeof receiver !== "string" && typeof sender !== "string", "the worker's ends are free");

type Device = { readonly tflite: Tflite; readonly tpu: EdgeTpu; readonly listed: Listed };
let opened: Device | null = null;
const models: Interpreter[] = [];

function deviceOf(): Device {
  if (opened !== null) return opened;
  const [tflite, tpu] = [openTflite(data.tflite), openEdgeTpu(data.edgetpu)];
  const [listed] = tpu.list();
  if (listed === undefined) throw new OperatingError("edgetpu-none", "libedgetpu lists no device");
  opened = { tflite, tpu, listed };
  return opened;
}

function openModel({ file, name, bytesIn, bytesOut }: OpenRequest): OpenAnswer {
  const { tflite, tpu, listed } = deviceOf();
  const fault = (why: string): OperatingError => new OperatingError(NO_MODEL, why);
  const { size } = statSync(file);
  if (size > FILE_BYTES_MAX) throw fault(`${file}: ${size} bytes, at most ${FILE_BYTES_MAX}`);
  const bytes = readFileSync(file);
  const delegate = tpu.createDelegate(listed);
  try {
    const model = tflite.open(bytes, delegate);
    const fits = model.input.length === bytesIn && model.output.length === bytesOut;
    if (!bytes.includes(name) || !fits) {
      model.close();
      throw fault("it is the model of another network");
    }
    models.push(model);
  } catch (error) {
    tpu.freeDelegate(delegate);
    if (!(error instanceof OperatingError)) throw error;
    throw new OperatingError(error.code, `${file}: ${error.message}`, error);
  }
  const versions = `TensorFlow Lite ${tflite.version}, libedgetpu ${tpu.version}`;
  return { tag: models.length, device: listed, versions };
}

function answerOf(request: Slot<"1">, answer: Slot<"1">): number {
  const { bytes, tag } = request.size();
  const steps = request.bytes.subarray(0, bytes);
  if (tag === OPEN) {
    const wanted = JSON.parse(Buffer.from(steps).toString()) as OpenRequest;
    const text = Buffer.from(JSON.stringify(openModel(wanted)));
    answer.bytes.set(text);
    return text.length;
  }
  const model = models[tag - 1];
  assert(model !== undefined && bytes === model.input.length, "worker: a frame of an open model");
  model.input.set(steps);
  model.invoke();
  answer.bytes.set(model.output);
  return model.output.length;
}

for (;;) {
  const request = receiver.wait(LOOK_ms) ? receiver.front() : null;
  if (request === null) {
    if (receiver.peer() === "closed") break;
    continue;
  }
  while (!sender.wait(LOOK_ms)) if (sender.peer() === "closed") process.exit(0);
  const answer = sender.claim();
  if (answer === null) continue;
  const { tag } = request.size();
  try {
    answer.meta[0] = STATUS.done;
    sender.publish(answerOf(request, answer), tag);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const why = Buffer.from(text.slice(0, 1_000));
    answer.bytes.set(why);
    const refused = error instanceof OperatingError && error.code === NO_MODEL;
    answer.meta[0] = refused ? STATUS.refused : STATUS.failed;
    sender.publish(why.length, tag);
  }
  receiver.release();
}
