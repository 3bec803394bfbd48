//! Reads blocks in a thread of their own, so that scalars and alarms never wait for a spectrum. The
//! analysis is a pure function of the block: one that comes back without it (worker dead, or more
//! blocks than it can read) is read by the monitor, to the same bits.
import { Worker } from "node:worker_threads";
import { markGone, openReceiver, openSender } from "../../base/arena.js";
import { assert } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Log } from "../../base/log.js";
import type { Block, BlockAnalysis } from "../../base/telemetry.js";
import { ACCELERATION, ANALYSES, BLOCKS, ENDS, newMemory, openMemory } from "./frames.js";

const WORKER = "dist/agent/models/features/worker.js";
/** Blocks on their way; at the bound all go on unread, in order. */
const PENDING_MAX = 64;
const RESTART_ms = 1_000;
const LOOK_ms = 1_000;

/** Of the blocks that passed: those that the monitor must read itself; and how often it ended. */
export type PoolCounts = { readonly unread: number; readonly restarts: number };

export type BlockPool = {
  /** `then` gets the block in the order of the calls, read where that was possible. */
  read(block: Block, then: (block: Block) => void): void;
  readonly counts: PoolCounts;
  stop(): Promise<void>;
};

type Pending = {
  readonly tag: number;
  readonly block: Block;
  readonly then: (block: Block) => void;
  /** Whether the worker has it: what has not been sent waits only for what was. */
  readonly sent: boolean;
};
type Crew = {
  readonly worker: Worker;
  offer(tag: number, block: Block): boolean;
  close(): void;
};

/** `node`: the memory node of the rings, null for the nearest; one that cannot be had is logged. */
export function startBlockPool(log: Log, node: number | null = null): BlockPool {
  const pending: Pending[] = [];
  const counts = { unread: 0, restarts: 0 };
  let next = 0;
  let stopped = false;
  let crew: Crew | null = null;
  let timer: NodeJS.Timeout | null = null;

  /** Everything up to `tag` goes on, in order; that one with its analysis. */
  const settle = (tag: number, analysis: BlockAnalysis | null): void => {
    for (;;) {
      const [first] = pending;
      if (first === undefined) return;
      if (((first.tag - tag) | 0) > 0 && first.sent) return;
      pending.shift();
      const own = first.tag === tag ? analysis : null;
      if (own === null) counts.unread += 1;
      first.then(own === null ? first.block : { ...first.block, analysis: own });
    }
  };
  const flush = (): void => {
    const last = pending.at(-1);
    if (last !== undefined) settle(last.tag, null);
  };
  const again = (why: string): void => {
    crew = null;
    flush();
    if (stopped) return;
    counts.restarts += 1;
    log.warn({ why }, "the block worker ended; blocks are read by the agent until it is back");
    timer = setTimeout(start, RESTART_ms).unref();
  };
  const start = (): void => {
    timer = null;
    startCrew(node, settle).then(
      (own) => {
        if (stopped) return void own.worker.terminate();
        crew = own;
        own.worker.on("error", (error) => log.error({ why: error.message }, "block worker"));
        own.worker.on("exit", (code) => {
          own.close();
          again(`exit ${code}`);
        });
      },
      (error: unknown) => again(error instanceof Error ? error.message : String(error)),
    );
  };
  start();
  return {
    read(block, then): void {
      if (pending.length >= PENDING_MAX) flush();
      next = (next + 1) | 0;
      const sent = crew?.offer(next, block) ?? false;
      pending.push({ tag: next, block, then, sent });
      if (!sent && pending.length === 1) flush();
    },
    counts,
    async stop(): Promise<void> {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      flush();
      await crew?.worker.terminate();
    },
  };
}

async function startCrew(
  node: number | null,
  settle: (tag: number, analysis: BlockAnalysis | null) => void,
): Promise<Crew> {
  const memory = newMemory(`sterna-${process.pid}`, node);
  const blocks = await openMemory(memory.blocks, node);
  const analyses = await openMemory(memory.analyses, node);
  const sender = openSender(blocks, BLOCKS, ACCELERATION, ENDS);
  const receiver = openReceiver(analyses, ANALYSES, ACCELERATION, ENDS);
  assert(typeof sender !== "string" && typeof receiver !== "string", "new rings are free");
  const worker = new Worker(packageFile(WORKER), { workerData: memory });
  worker.unref();
  let open = true;
  const listen = async (): Promise<void> => {
    while (open) {
      await receiver.watch(LOOK_ms);
      for (let slot = receiver.front(); open && slot !== null; slot = receiver.front()) {
        const { bytes, tag } = slot.size();
        const [rms, peak, crest, kurtosis, velocityRms, lineStep_hz] = slot.meta;
        const plain = { rms, peak, crest, kurtosis, velocityRms, lineStep_hz } as BlockAnalysis;
        const lines = slot.floats.slice(0, bytes / 4);
        receiver.release();
        settle(tag, lines.length === 0 ? null : { ...plain, lines });
      }
    }
  };
  void listen();
  return {
    worker,
    offer(tag, { values, fs_hz }): boolean {
      const slot = values.length * 4 <= BLOCKS.frame_bytes ? sender.claim() : null;
      if (slot === null) return false;
      slot.floats.set(values);
      slot.meta[0] = fs_hz;
      sender.publish(values.length * 4, tag);
      return true;
    },
    close(): void {
      open = false;
      sender.close();
      markGone(analyses, "sender");
      blocks.unlink();
      analyses.unlink();
    },
  };
}
