//! The agent's side of the worker: a frame there, a frame back, and a limit on the wait. A worker
//! that hangs or dies is given up for good: its thread may be stuck in a library.
import { Worker } from "node:worker_threads";
import {
  markGone,
  openReceiver,
  openSender,
  type Receiver,
  type Sender,
  type Slot,
} from "../../base/arena.js";
import { assert, OperatingError } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import { threadBuffer } from "../../base/shared-buffer.js";
import {
  ENDS,
  FRAMES,
  NO_MODEL,
  newRing,
  OPEN,
  type OpenAnswer,
  type OpenRequest,
  STATUS,
  STEPS,
  type WorkerData,
} from "./frames.js";

const WORKER = "dist/agent/accel/edgetpu/worker.js";
/** An inference takes some ms at most; a tick comes once a second. */
const INFER_ms = 500;
const GRACE_ms = 50;
/** The first open starts the thread, and a stick without firmware gets it then. */
const OPEN_ms = 20_000;

export type Link = {
  /** @throws OperatingError: why the model cannot run on the device. */
  open(request: OpenRequest): OpenAnswer;
  /** `y` gets the answer. @throws OperatingError: failed, hung, or given up before. */
  infer(tag: number, x: Int8Array, y: Int8Array): void;
  close(): void;
};

export function openLink(libraries: { readonly tflite: string; readonly edgetpu: string }): Link {
  const data: WorkerData = { ...libraries, requests: newRing(), answers: newRing() };
  const requests = threadBuffer(data.requests);
  const answers = threadBuffer(data.answers);
  const sender = openSender(requests, FRAMES, STEPS, ENDS);
  const receiver = openReceiver(answers, FRAMES, STEPS, ENDS);
  assert(typeof sender !== "string" && typeof receiver !== "string", "new rings are free");
  const worker = new Worker(packageFile(WORKER), { workerData: data });
  worker.unref();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    sender.close();
    receiver.close();
    void worker.terminate();
  };
  const gone = (): void => {
    markGone(answers, "sender");
    markGone(requests, "receiver");
  };
  // Without a listener an error of the worker would end the agent.
  worker.on("error", gone);
  worker.on("exit", gone);
  const call = <T>(frame: Frame, read: (answer: Slot<"1">, bytes: number) => T): T => {
    if (closed) throw new OperatingError("edgetpu-gone", "the Edge TPU's worker was ended");
    const answer = exchange(sender, receiver, frame);
    if (answer === null) {
      close();
      const why = `the Edge TPU gave no answer within ${frame.limit_ms} ms`;
      throw new OperatingError("edgetpu-hang", why);
    }
    const { bytes } = answer.size();
    const status = answer.meta[0];
    if (status === STATUS.done) {
      const found = read(answer, bytes);
      receiver.release();
      return found;
    }
    const why = Buffer.from(answer.bytes.subarray(0, bytes)).toString();
    receiver.release();
    throw new OperatingError(status === STATUS.refused ? NO_MODEL : "edgetpu-failed", why);
  };
  return {
    open(request): OpenAnswer {
      const bytes = Buffer.from(JSON.stringify(request));
      return call({ bytes, tag: OPEN, limit_ms: OPEN_ms }, (answer, length) => {
        const text = Buffer.from(answer.bytes.subarray(0, length)).toString();
        return JSON.parse(text) as OpenAnswer;
      });
    },
    infer(tag, x, y): void {
      const bytes = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
      call({ bytes, tag, limit_ms: INFER_ms }, (answer, length) => {
        assert(length === y.length, "edgetpu: an answer of the model's size");
        y.set(answer.bytes.subarray(0, length));
      });
    },
    close,
  };
}

type Frame = {
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly limit_ms: number;
};

/** The answer's slot, not yet released; null when there is none in time. */
function exchange(
  sender: Sender<"1">,
  receiver: Receiver<"1">,
  { bytes, tag, limit_ms }: Frame,
): Slot<"1"> | null {
  const slot = sender.claim();
  assert(slot !== null, "edgetpu: one frame at a time");
  slot.bytes.set(bytes);
  sender.publish(bytes.length, tag);
  // Once more, shortly: it may be this process that was held up, not the worker.
  return receiver.wait(limit_ms) || receiver.wait(GRACE_ms) ? receiver.front() : null;
}
