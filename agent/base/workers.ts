//! V8 made fit for a daemon that must be quick and small. It compiles and collects garbage on
//! threads of its own: woken by the thread that carries the alarms they land on its core, and Linux
//! lets them run first, for a millisecond and more. docs/decisions/0130 has the figures.
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const TASKS = "/proc/self/task";
/** Of the usual 0 to the lowest 19. */
const NICE = 10;
/** By then what runs all the time has been compiled. */
const WARM_ms = 2_500;

/** Call before loading; what it returns when all is loaded and watching begins. */
export function loadLightly(): () => void {
  // The best compiler needs 10 MB to work in, and what only loading runs is not worth that.
  setFlagsFromString("--max-opt=2");
  return () => {
    collect();
    setFlagsFromString("--max-opt=999");
    setTimeout(() => {
      collect();
      keepStill();
      yieldWorkers();
    }, WARM_ms).unref();
  };
}

/** Now, all at once, some 30 ms with 1,000 channels: later it would come with an alarm. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc"); // a new context has it, the present one never will
  setFlagsFromString("--no-expose-gc");
  if (typeof gc === "function") gc({ type: "major", execution: "sync", flavor: "last-resort" });
}

/** The heap is small now and may stay as it is: no more saving at any price. */
function keepStill(): void {
  // As main.ts sets it each full collection forgets the shapes of objects that are not in use just
  // then, and with them code, which is then compiled again.
  setFlagsFromString("--no-optimize-for-size");
  setFlagsFromString("--semi-space-growth-factor=1"); // the young generation stays at its size
}

/**
 * Lowers the priority of V8's threads; how many, 0 where the platform shows or allows none. Linux
 * takes the id of a thread for that of a process here, which is what setpriority(2) calls a bug.
 */
export function yieldWorkers(): number {
  try {
    const tasks = readdirSync(TASKS).filter(
      (id) => readFileSync(`${TASKS}/${id}/comm`, "utf8").trim() === "V8Worker",
    );
    for (const id of tasks) setPriority(Number(id), NICE);
    return tasks.length;
  } catch {
    return 0; // no Linux, or a sandbox: alarms are then later by that millisecond, and none is lost
  }
}
