//! The other end of a round trip of 4 KiB, as a process or worker of its own: sends back what comes.
import { connect } from "node:net";
import { isMainThread, parentPort } from "node:worker_threads";
import { openReceiver, openSender, type Shape } from "../../agent/base/arena.js";
import { openShared } from "../../agent/base/shared-buffer.js";
import { unit } from "../../agent/units/quantity.js";

export const FRAME: Shape = { slots: 8, frame_bytes: 4096 };
export const PLAIN = unit("1");

async function echoRing(
  there: string,
  back: string,
  bytes: number,
  spin_us: number,
): Promise<void> {
  const receiver = openReceiver(await openShared(there, bytes), FRAME, PLAIN, { spin_us });
  const sender = openSender(await openShared(back, bytes), FRAME, PLAIN, { spin_us });
  if (typeof receiver === "string" || typeof sender === "string") throw new Error("taken");
  process.stdout.write("ready\n");
  for (;;) {
    if (!receiver.wait(1_000)) {
      if (receiver.peer() === "gone" || receiver.peer() === "closed") return;
      continue;
    }
    const frame = receiver.front();
    const answer = sender.claim();
    if (frame === null || answer === null) continue;
    answer.bytes.set(frame.bytes);
    receiver.release();
    sender.publish(FRAME.frame_bytes);
  }
}

const [, , how = "", a = "", b = "", bytes = "0", spin_us = "0"] = process.argv;
if (!isMainThread) parentPort?.on("message", (frame) => parentPort?.postMessage(frame));
else if (how === "ring") await echoRing(a, b, Number(bytes), Number(spin_us));
else if (how === "socket") {
  const socket = connect(a);
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("error", () => process.exit());
}
