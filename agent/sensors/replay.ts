//! A recording as a live source: what arrived then arrives now, in the same order and at the same
//! distances, with its times moved to today. Whoever plays it is told of its end. The `replay`
//! command needs no clock and reads recording.ts itself.
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { OperatingError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Intake } from "../base/telemetry.js";
import { type Find, readRecording } from "./recording.js";
import type { Source } from "./source.js";

const BURST = 1_024; // records that share an instant, before the pipeline gets its turn

/** `failure`: why it ended before its last record; it has been said. */
export type Ended = (failure: OperatingError | null) => void;

export function replaySource(path: string, find: Find, log: Log, ended: Ended): Source {
  const name = `replay:${path}`;
  const abort = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const play = async (intake: Intake): Promise<void> => {
    const started_ms = intake.now();
    let first_ms: number | null = null;
    let burst = 0;
    for await (const read of readRecording(path, find)) {
      if (abort.signal.aborted) return;
      if (read.kind === "reject") {
        intake.reject(read.reason, null, `${path}:${read.line}`);
        continue;
      }
      first_ms ??= read.r_ms;
      // The moment it is due, not the one at which a busy machine came to it: else its times would
      // move against those of the others.
      const r_ms = started_ms + (read.r_ms - first_ms);
      const wait_ms = r_ms - intake.now();
      burst = wait_ms > 1 ? 0 : burst + 1;
      if (wait_ms > 1) await sleep(wait_ms, undefined, { signal: abort.signal });
      else if (burst % BURST === 0) await turn();
      if (read.kind === "tick") continue;
      // How late it was then, it is now.
      intake.push({ ...read, r_ms, t_ms: r_ms + (read.t_ms - read.r_ms) });
    }
    log.info({ link: name }, "the recording has ended");
    ended(null);
  };

  return {
    name,
    async start(intake): Promise<void> {
      intake.link(name, true, "");
      running = play(intake).catch((error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof OperatingError)) throw error;
        log.error({ code: error.code }, error.message);
        ended(error);
      });
    },
    async stop(): Promise<void> {
      abort.abort();
      await running;
    },
  };
}
