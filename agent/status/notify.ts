//! Tells systemd how the service is (sd_notify(3)): one datagram a message to the socket that
//! NOTIFY_SOCKET names. Node has no datagram sockets of that family, so libc's are called.
import { createRequire } from "node:module";
import type { Log } from "../base/log.js";

type Env = Readonly<Record<string, string | undefined>>;

export type Notify = {
  /** The service is up: `systemctl start` returns. */
  ready(status: string): void;
  /** Something was done: call it as often as you like, it sends a third of the period apart. */
  progress(now_ms: number): void;
  stopping(): void;
  close(): void;
};

type Koffi = {
  load(path: string | null): { func(signature: string): (...args: unknown[]) => number };
};

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sun_path of sockaddr_un: 108 bytes after a 2-byte family. */
const PATH_BYTES_MAX = 108;
/** A watchdog is fed at thirds of its period, so that one late tick is no hang. */
const FEEDS = 3;

/** Null outside of systemd. A socket that refuses is said once; the service goes on. */
export function openNotify(env: Env, pid: number, log: Log): Notify | null {
  const address = socketAddress(env["NOTIFY_SOCKET"] ?? "");
  if (address === null) return null;
  const send = openSocket(address, log);
  if (send === null) return null;
  const every_ms = watchdogPeriod_ms(env, pid) / FEEDS;
  let next_ms = Number.NEGATIVE_INFINITY;
  return {
    ready: (status) => send.message(`READY=1\nSTATUS=${status}`),
    progress(now_ms) {
      if (now_ms < next_ms) return;
      next_ms = now_ms + every_ms;
      if (Number.isFinite(every_ms)) send.message("WATCHDOG=1");
    },
    stopping: () => send.message("STOPPING=1"),
    close: () => send.close(),
  };
}

/** Infinite where no watchdog watches this process. */
export function watchdogPeriod_ms(env: Env, pid: number): number {
  const period_us = Number(env["WATCHDOG_USEC"] ?? "");
  const other = env["WATCHDOG_PID"] !== undefined && env["WATCHDOG_PID"] !== String(pid);
  return period_us > 0 && !other ? period_us / 1_000 : Number.POSITIVE_INFINITY;
}

/** sockaddr_un of a path or, with a leading @, of an abstract name; null for what is neither. */
export function socketAddress(name: string): Uint8Array | null {
  const bytes = Buffer.from(name);
  if (bytes.length < 2 || bytes.length > PATH_BYTES_MAX) return null;
  if (name[0] !== "/" && name[0] !== "@") return null;
  const address = Buffer.alloc(2 + bytes.length);
  address.writeUInt16LE(AF_UNIX);
  bytes.copy(address, 2);
  if (name[0] === "@") address[2] = 0;
  return address;
}

type Socket = { message(text: string): void; close(): void };

function openSocket(address: Uint8Array, log: Log): Socket | null {
  let broken = false;
  const fail = (what: string): null => {
    if (!broken) log.warn({ what }, "systemd cannot be told how the service is");
    broken = true;
    return null;
  };
  try {
    // Loaded here: only a service needs it.
    const libc = (createRequire(import.meta.url)("koffi") as Koffi).load(null);
    const open = libc.func("int socket(int family, int type, int protocol)");
    const sendto = libc.func(
      "intptr_t sendto(int fd, const void *data, size_t size, int flags, const void *to, int length)",
    );
    const shut = libc.func("int close(int fd)");
    const fd = open(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail("socket");
    return {
      message(text) {
        const data = Buffer.from(text);
        const sent = sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length);
        if (sent !== data.length) fail("sendto");
      },
      close: () => void shut(fd),
    };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}
