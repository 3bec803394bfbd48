//! The calls of libc that reach devices, through koffi. Linux numbers, the same on x64 and arm64.
import { createRequire } from "node:module";
import { OperatingError } from "../../base/errors.js";

/** What fails throws an OperatingError whose code is that of errno: `EACCES`. */
export type Libc = {
  /** Read and write, closed at exec. */
  open(path: string): number;
  close(fd: number): void;
  /** Refuses a device that another process has locked; the lock ends with the descriptor. */
  lock(fd: number, path: string): void;
  /** `argument` is read and written in place; gives what the call returns. */
  ioctl(fd: number, request: number, argument: Uint8Array, what: string): number;
  /** Shared, read and write, from the start of the file. */
  map(fd: number, bytes: number): ArrayBuffer;
  /** Waits for input; false when there was none in time. */
  poll(fd: number, timeout_ms: number): boolean;
  /** One 32-bit word of a device, such as the count of interrupts. */
  readWord(fd: number): number;
  writeWord(fd: number, word: number): void;
  /** Memory that stays where it is, with its address. */
  allocate(bytes: number): { readonly view: Uint8Array; readonly address: bigint };
};

const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const LOCK_EX_NB = 6;
const POLLIN = 1;
const EINTR = 4;

type Koffi = typeof import("koffi");

let known: Libc | null = null;

/** libc itself; loaded at the first device, so that an agent without one never pays for it. */
export function libc(): Libc {
  known ??= openLibc(null);
  return known;
}

/** `library`: a file with the same functions, for tests. */
export function openLibc(library: string | null): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const lib = koffi.load(library);
  const open = lib.func("int open(const char *, int, ...)");
  const close = lib.func("int close(int)");
  const flock = lib.func("int flock(int, int)");
  const ioctl = lib.func("int ioctl(int, unsigned long, ...)");
  const mmap = lib.func("void *mmap(void *, size_t, int, int, int, long)");
  const poll = lib.func("int poll(void *, unsigned long, int)");
  const read = lib.func("long read(int, void *, size_t)");
  const write = lib.func("long write(int, const void *, size_t)");
  const names = new Map(Object.entries(koffi.os.errno).map(([name, code]) => [code, name]));
  const failed = (what: string): OperatingError => {
    const code = names.get(koffi.errno()) ?? `errno ${koffi.errno()}`;
    return new OperatingError(code, `${what}: ${code}`);
  };
  const word = new Uint32Array(1);
  return {
    open(path): number {
      const fd: number = open(path, O_RDWR | O_CLOEXEC, "int", 0);
      if (fd < 0) throw failed(path);
      return fd;
    },
    close: (fd) => void close(fd),
    lock(fd, path): void {
      if (flock(fd, LOCK_EX_NB) === 0) return;
      throw new OperatingError("EWOULDBLOCK", `${path}: in use by another process`);
    },
    ioctl(fd, request, argument, what): number {
      const done: number = ioctl(fd, request, "void *", argument);
      if (done < 0) throw failed(what);
      return done;
    },
    map(fd, bytes): ArrayBuffer {
      const at: bigint = mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
      if (at === MAP_FAILED) throw failed("mmap");
      return koffi.view(at, bytes);
    },
    poll(fd, timeout_ms): boolean {
      // struct pollfd: int fd, short events, short revents.
      const request = new Int32Array([fd, POLLIN]);
      const found: number = poll(request, 1, timeout_ms);
      if (found < 0 && koffi.errno() !== EINTR) throw failed("poll");
      const revents = (request[1] as number) >>> 16;
      if (found > 0 && (revents & POLLIN) === 0) throw failed("poll");
      return found > 0;
    },
    readWord(fd): number {
      if (read(fd, word, 4) !== 4) throw failed("read");
      return word[0] as number;
    },
    writeWord(fd, value): void {
      word[0] = value;
      if (write(fd, word, 4) !== 4) throw failed("write");
    },
    allocate(bytes) {
      const pointer: unknown = koffi.alloc("uint8_t", bytes);
      const view = new Uint8Array(koffi.view(pointer, bytes));
      return { view, address: koffi.address(pointer) };
    },
  };
}
