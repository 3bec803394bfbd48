//! Memory that two sides see at once without copying, in one of two domains: `threads` (a
//! SharedArrayBuffer between workers) or `processes` (POSIX shared memory). Both give the same
//! words to count in and the same sleep and wake; arena.ts builds its ring on nothing else.
import { readFileSync, statSync } from "node:fs";
import { OperatingError } from "./errors.js";

export type MemoryDomain = "threads" | "processes";

export type SharedBuffer = {
  readonly domain: MemoryDomain;
  readonly memory: ArrayBuffer | SharedArrayBuffer;
  readonly words: Int32Array;
  /** Blocks this thread while words[at] is `value`, at most `timeout_ms`; may return early. */
  sleep(at: number, value: number, timeout_ms: number): void;
  /** The same without blocking the thread: for the thread that also serves sockets. */
  watch(at: number, value: number, timeout_ms: number): Promise<void>;
  wake(at: number): void;
  /** Removes the name of shared memory; the mapping lasts as long as the process. */
  unlink(): void;
};

/** Shared memory is of a size that cannot be meant: a ring of vibration blocks takes some MB. */
export const SHARED_BYTES_MAX = 2 ** 28;

export function threadBuffer(memory: SharedArrayBuffer): SharedBuffer {
  const words = new Int32Array(memory);
  return {
    domain: "threads",
    memory,
    words,
    sleep: (at, value, timeout_ms) => void Atomics.wait(words, at, value, timeout_ms),
    async watch(at, value, timeout_ms): Promise<void> {
      const waiting = Atomics.waitAsync(words, at, value, timeout_ms);
      if (waiting.async) await waiting.value;
    },
    wake: (at) => void Atomics.notify(words, at),
    unlink: () => {},
  };
}

// Linux, the same numbers on both architectures but for those of system calls.
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const MPOL_PREFERRED = 1;
const CALLS: Readonly<Record<string, { readonly futex: number; readonly mbind: number }>> = {
  x64: { futex: 202, mbind: 237 },
  arm64: { futex: 98, mbind: 235 },
};
const NAME = /^[A-Za-z0-9_.-]{1,200}$/;
/** Where Linux shows POSIX shared memory (shm_overview(7)). */
const PLACE = "/dev/shm";

/**
 * Opens or creates POSIX shared memory readable by this user alone. `node`: the memory node (NUMA,
 * CXL) its pages should come from, null for the nearest.
 * @throws OperatingError `shared-memory`: not there, not ours, or of another size.
 */
export async function openShared(
  name: string,
  bytes: number,
  node: number | null = null,
): Promise<SharedBuffer> {
  if (!NAME.test(name)) throw refused(name, "its name may have letters, digits, _ . and - only");
  if (!(bytes > 0 && bytes <= SHARED_BYTES_MAX)) throw refused(name, `${bytes} bytes`);
  const calls = CALLS[process.arch];
  if (calls === undefined) throw refused(name, `not known on ${process.arch}`);
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const shmOpen = libc.func("int shm_open(const char *, int, unsigned int)");
  const shmUnlink = libc.func("int shm_unlink(const char *)");
  const ftruncate = libc.func("int ftruncate(int, long)");
  const mmap = libc.func("void *mmap(void *, size_t, int, int, int, long)");
  const closeFile = libc.func("int close(int)");
  const syscall = libc.func(
    "long syscall(long, uintptr_t, long, long, void *, uintptr_t, uintptr_t)",
  );

  const fd: number = shmOpen(`/${name}`, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
  if (fd < 0) throw refused(name, `shm_open: errno ${koffi.errno()}`);
  let created = false;
  try {
    const { size, uid, mode } = statSync(`${PLACE}/${name}`);
    created = size === 0;
    if (uid !== process.geteuid?.()) throw refused(name, `it belongs to user ${uid}`);
    if ((mode & 0o077) !== 0) throw refused(name, "others may read or write it");
    if (size === 0 && ftruncate(fd, bytes) !== 0) {
      throw refused(name, `ftruncate: errno ${koffi.errno()}`);
    }
    if (size !== 0 && size !== bytes) {
      throw refused(name, `it has ${size} bytes, not ${bytes}; stop its users and remove it`);
    }
    const mapped: unknown = mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    const address = koffi.address(mapped);
    if (address === 2n ** 64n - 1n) throw refused(name, `mmap: errno ${koffi.errno()}`);
    if (node !== null) {
      const mask = new BigUint64Array(16);
      mask[node >> 6] = 1n << BigInt(node & 63);
      const bound = syscall(calls.mbind, address, bytes, MPOL_PREFERRED, mask, mask.length * 64, 0);
      if (bound !== 0) throw refused(name, `memory node ${node}: errno ${koffi.errno()}`);
    }
    const memory = koffi.view(mapped, bytes);
    const words = new Int32Array(memory);
    const timespec = (timeout_ms: number): BigInt64Array => {
      const whole_s = Math.floor(timeout_ms / 1000);
      const rest_ns = Math.round((timeout_ms - 1000 * whole_s) * 1e6);
      return BigInt64Array.of(BigInt(whole_s), BigInt(rest_ns));
    };
    const futex = (at: number): bigint => address + BigInt(4 * at);
    return {
      domain: "processes",
      memory,
      words,
      sleep(at, value, timeout_ms): void {
        syscall(calls.futex, futex(at), FUTEX_WAIT, value, timespec(timeout_ms), 0, 0);
      },
      watch: (at, value, timeout_ms) =>
        new Promise((resolve) => {
          const limit = timespec(timeout_ms);
          const done = (): void => resolve();
          syscall.async(calls.futex, futex(at), FUTEX_WAIT, value, limit, 0, 0, done);
        }),
      wake(at): void {
        syscall(calls.futex, futex(at), FUTEX_WAKE, 1, null, 0, 0);
      },
      unlink: () => void shmUnlink(`/${name}`),
    };
  } catch (error) {
    if (created) shmUnlink(`/${name}`);
    throw error;
  } finally {
    closeFile(fd);
  }
}

function refused(name: string, why: string): OperatingError {
  return new OperatingError("shared-memory", `shared memory "${name}": ${why}`);
}

/** Process id and start time: together they name a process for good, ids alone come again. */
export type Identity = { readonly pid: number; readonly started: number };

/** Null where there is no such process (proc(5), field 22 of stat). */
export function identify(pid: number): Identity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    return { pid, started: Number(fields[19]) | 0 };
  } catch {
    return null;
  }
}
