//! Telemetry in over OPC UA. This file alone owns reconnection: one session at a time, the next one
//! only after a jittered wait. A session that is connected but silent counts as lost.
import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../base/log.js";
import { prng } from "../base/prng.js";
import type { OpcuaBinding } from "./opcua-bind.js";
import { explain, type OpcuaLibrary, type OpcuaOptions } from "./opcua-security.js";
import { type OpcuaSession, type OpcuaTiming, openSession } from "./opcua-session.js";
import type { Source } from "./source.js";

export type { OpcuaBinding, OpcuaOptions, OpcuaTiming };

export const OPCUA_TIMING: OpcuaTiming = {
  silence_ms: 5_000,
  retry_min_ms: 500,
  retry_max_ms: 30_000,
  recheck_ms: 60_000,
};

export function opcuaSource(
  name: string,
  options: OpcuaOptions,
  bindings: readonly OpcuaBinding[],
  log: Log,
  pki_dir: string,
  timing: OpcuaTiming = OPCUA_TIMING,
): Source {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  return {
    name,
    async start(intake): Promise<void> {
      // Loaded here: 300 ms and some 50 MB that an agent without OPC UA does not pay.
      const ua = await import("node-opcua-client");
      quiet(ua, log);
      const said = new Map<OpcuaBinding, string>();
      const wiring = { name, options, bindings, timing, pki_dir, intake, log, said };
      const jitter = prng(Math.floor(intake.now()), `opcua/${name}`);
      if (options.security === "None") {
        const clear = options.username === null ? "" : "; the password may travel in clear";
        const what = "the OPC UA connection is neither signed nor encrypted, as the config asks";
        log.warn({ endpoint: options.endpoint }, `${what}${clear}`);
      }
      let reason = "";
      const down = (why: string): void => {
        if (why === reason || stopping.signal.aborted) return;
        reason = why;
        intake.link(name, false, `${options.endpoint}: ${why}`);
      };
      const run = async (): Promise<void> => {
        let failures = 0;
        while (!stopping.signal.aborted) {
          let session: OpcuaSession | null = null;
          const opened_ms = intake.now();
          try {
            session = await openSession(ua, wiring, stopping.signal);
            reason = "";
            intake.link(name, true, "");
            down(await session.ended);
          } catch (error) {
            down(explain(error, pki_dir));
          }
          await session?.close();
          // A session that ends at once is a failure too, or a sick server would be hammered.
          failures = intake.now() - opened_ms > timing.retry_max_ms ? 0 : failures + 1;
          await pause(backoff_ms(timing, failures, jitter.next()), stopping.signal);
        }
      };
      running = run();
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

/** Doubles up to the bound; the jitter keeps a fleet from returning in step. */
export function backoff_ms(timing: OpcuaTiming, failures: number, chance: number): number {
  const full = Math.min(timing.retry_max_ms, timing.retry_min_ms * 2 ** Math.min(failures, 16));
  return full * (0.5 + 0.5 * chance);
}

const pause = (time_ms: number, signal: AbortSignal): Promise<void> =>
  wait(time_ms, undefined, { signal }).catch(() => {});

/** The library prints on the console; what matters of it returns as errors, the rest is debug. */
function quiet(ua: OpcuaLibrary, log: Log): void {
  const toLog = (...words: unknown[]): void => log.debug({ says: words.join(" ") }, "node-opcua");
  ua.setWarningLogger(toLog);
  ua.setErrorLogger(toLog);
}
