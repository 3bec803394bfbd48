//! V8 compiles and collects garbage on threads of its own. Woken by the thread that carries the
//! alarms they land on its core, and Linux lets them run first, for a millisecond and more.
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";

const TASKS = "/proc/self/task";
/** Of the usual 0 to the lowest 19: at 10 the collector falls behind, and memory grows by 7 MB. */
const NICE = 4;

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
