//! The other side of a ring, as a process or a worker of its own. `sum` reads frames and adds up
//! what is in them; `echo` sends each back; `send` writes frames for ever; `half` claims one, writes
//! into it and never publishes.
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { openReceiver, openSender } from "../../agent/base/arena.js";
import { openShared, type SharedBuffer, threadBuffer } from "../../agent/base/shared-buffer.js";
import { unit } from "../../agent/units/quantity.js";

export const SHAPE = { slots: 8, frame_bytes: 4096 };
const accel = unit("m/s2");

type Task = { readonly role: string; readonly count: number; readonly spin_us: number };

export function play(there: SharedBuffer, back: SharedBuffer, task: Task, ready: () => void): void {
  const { role, count, spin_us } = task;
  if (role === "send" || role === "half") {
    const sender = openSender(there, SHAPE, accel, { spin_us });
    if (typeof sender === "string") throw new Error(sender);
    ready();
    for (let i = 0; i < count; i++) {
      while (!sender.wait(1000));
      const slot = sender.claim();
      if (slot === null) continue;
      slot.floats.fill(i);
      if (role === "half" && i === count - 1)
        for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      sender.publish(SHAPE.frame_bytes, i);
    }
    sender.close();
    return;
  }
  const receiver = openReceiver(there, SHAPE, accel, { spin_us });
  const sender = role === "echo" ? openSender(back, SHAPE, accel, { spin_us }) : null;
  if (typeof receiver === "string" || typeof sender === "string") throw new Error("taken");
  ready();
  let sum = 0;
  for (let i = 0; i < count; ) {
    if (!receiver.wait(1000)) {
      if (receiver.peer() === "gone" || receiver.peer() === "closed") break;
      continue;
    }
    const slot = receiver.front();
    if (slot === null) continue;
    sum += slot.floats[0] as number;
    const { bytes, tag } = slot.size();
    if (sender !== null) {
      while (!sender.wait(1000));
      sender.claim()?.bytes.set(slot.bytes);
      sender.publish(bytes, tag);
    }
    receiver.release();
    i += 1;
  }
  process.stdout.write(`sum ${sum}\n`);
}

if (!isMainThread && parentPort !== null) {
  const { there, back, task } = workerData as Record<"there" | "back", SharedArrayBuffer> & {
    task: Task;
  };
  const port = parentPort;
  play(threadBuffer(there), threadBuffer(back), task, () => port.postMessage("ready"));
} else if (process.argv[2] === "peer") {
  const [, , , there = "", back = "", bytes = "0", role = "", count = "0", spin = "0"] =
    process.argv;
  const open = (name: string): Promise<SharedBuffer> => openShared(name, Number(bytes));
  const task = { role, count: Number(count), spin_us: Number(spin) };
  play(await open(there), await open(back), task, () => process.stdout.write("ready\n"));
}
