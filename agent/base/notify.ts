//! What the agent tells systemd (sd_notify): ready, status, alive, stopping. One datagram each, sent
//! through libc because Node has no unix datagram sockets. A failure is said once and never thrown:
//! the agent must run without systemd, and must not end because of it.
import type { Log } from "./log.js";

export type Notify = {
  /** Null when systemd watches for no progress. */
  readonly watchdogPeriod_ms: number | null;
  ready(): void;
  status(text: string): void;
  /** Call after each completed step: sent at most three times a period. */
  watchdog(): void;
  stopping(): void;
};

type Env = Readonly<Record<string, string | undefined>>;
/** Sends one datagram without ever waiting; null when it is sent, else why it is not. */
type Send = (text: string) => string | null;

// Linux, the same on every architecture that Node is built for.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sun_path of sockaddr_un, unix(7). */
const PATH_BYTES_MAX = 108;
const STATUS_CHARS_MAX = 200;

/** Null when systemd has not started this process, or has not asked it to notify. */
export async function openNotify(
  env: Env,
  log: Log,
  now_ms: () => number = () => performance.now(),
): Promise<Notify | null> {
  const socket = env["NOTIFY_SOCKET"];
  if (socket === undefined || socket === "") return null;
  const send = await openSocket(socket);
  const watchdogPeriod_ms = watchdogPeriod(env);
  let said = false;
  let fed_ms = Number.NEGATIVE_INFINITY;
  const tell = (text: string): boolean => {
    const why = typeof send === "string" ? send : send(text);
    if (why !== null && !said) {
      said = true;
      log.warn({ socket, why }, "systemd cannot be notified");
    }
    return why === null;
  };
  return {
    watchdogPeriod_ms,
    ready: () => void tell("READY=1"),
    status: (text) => void tell(`STATUS=${plain(text)}`),
    watchdog(): void {
      if (watchdogPeriod_ms === null) return;
      const at_ms = now_ms();
      if (at_ms - fed_ms < watchdogPeriod_ms / 3) return;
      // Tried again at the next step when it failed: a full socket must not cost a third of a period.
      if (tell("WATCHDOG=1")) fed_ms = at_ms;
    },
    stopping: () => void tell("STOPPING=1"),
  };
}

/** One line: a newline in it would begin another assignment. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").slice(0, STATUS_CHARS_MAX);
}

/** sd_watchdog_enabled(3): the period counts only when it is meant for this process. */
function watchdogPeriod(env: Env): number | null {
  const period_us = env["WATCHDOG_USEC"] ?? "";
  const pid = env["WATCHDOG_PID"];
  if (!/^[1-9]\d*$/.test(period_us)) return null;
  if (pid !== undefined && pid !== "" && pid !== String(process.pid)) return null;
  return Number(period_us) / 1_000;
}

async function openSocket(socket: string): Promise<Send | string> {
  const name = Buffer.from(socket);
  if (!/^[/@]./.test(socket)) return "NOTIFY_SOCKET is no path and no abstract name";
  // A path ends with a zero byte, an abstract name begins with one in place of the @.
  if (name.length >= PATH_BYTES_MAX) return `NOTIFY_SOCKET is over ${PATH_BYTES_MAX - 1} bytes`;
  const address = Buffer.alloc(2 + name.length + (socket.startsWith("@") ? 0 : 1));
  address.writeUInt16LE(AF_UNIX); // x64 and arm64, what we ship for, are little-endian
  name.copy(address, 2);
  if (socket.startsWith("@")) address[2] = 0;
  try {
    // Loaded here: 6 MB that only a process under systemd needs.
    const { default: koffi } = await import("koffi");
    const libc = koffi.load(null);
    const open = libc.func("int socket(int, int, int)");
    const sendto = libc.func("long sendto(int, void *, size_t, int, void *, unsigned int)");
    const fd: number = open(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return `socket: errno ${koffi.errno()}`;
    return (text) => {
      const bytes = Buffer.from(text);
      const sent: number = sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
      return sent === bytes.length ? null : `sendto: errno ${koffi.errno()}`;
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
