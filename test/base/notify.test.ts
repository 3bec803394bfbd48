//! Against a real datagram socket: a python3 peer stands in for systemd and prints what it gets.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Log } from "../../agent/base/log.js";
import { silentLog } from "../../agent/base/log.js";
import { openNotify } from "../../agent/base/notify.js";

const python = spawnSync("python3", ["--version"]).status === 0;
if (!python) console.log("skipped: notify against a real socket needs python3");

const PEER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print("bound", flush=True)
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`;

const peers: ChildProcess[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.kill("SIGKILL");
});

/** A socket at this name; `lines` resolves once it has had so many datagrams. */
async function peerAt(name: string): Promise<(count: number) => Promise<string[]>> {
  const child = spawn("python3", ["-c", PEER, name]);
  peers.push(child);
  let said = "";
  let woken = (): void => {};
  child.stdout.on("data", (data: Buffer) => {
    said += data.toString();
    woken();
  });
  const lines = async (count: number): Promise<string[]> => {
    while (said.split("\n").length - 1 < count) {
      await new Promise<void>((resolve) => {
        woken = resolve;
      });
    }
    return said.trim().split("\n");
  };
  await lines(1);
  return async (count) => (await lines(count + 1)).slice(1);
}

function listening(): { log: Log; warned: object[] } {
  const warned: object[] = [];
  return { warned, log: { ...silentLog, warn: (fields) => void warned.push(fields) } };
}

const freshPath = (): string => join(mkdtempSync(join(tmpdir(), "sterna-notify-")), "notify");

describe.runIf(python)("to a real socket", () => {
  test.each([
    ["a path", freshPath()],
    ["an abstract name", `@sterna-test-${process.pid}`],
  ])("every message, over %s", async (_, name) => {
    const got = await peerAt(name);
    const { log, warned } = listening();
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000" };
    const notify = await openNotify(env, log, () => 0);
    notify?.ready();
    notify?.status("watching 2 assets, 34 channels\nREADY=1");
    notify?.watchdog();
    notify?.stopping();
    expect(await got(4)).toEqual([
      "'READY=1'",
      "'STATUS=watching 2 assets, 34 channels READY=1'",
      "'WATCHDOG=1'",
      "'STOPPING=1'",
    ]);
    expect(warned).toEqual([]);
  });

  test("the watchdog is fed at most three times a period, and never by itself", async () => {
    const name = freshPath();
    const got = await peerAt(name);
    let now_ms = 0;
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000", WATCHDOG_PID: `${process.pid}` };
    const notify = await openNotify(env, silentLog, () => now_ms);
    expect(notify?.watchdogPeriod_ms).toBe(3_000);
    for (now_ms = 0; now_ms <= 3_000; now_ms += 100) notify?.watchdog();
    notify?.stopping();
    expect(await got(5)).toEqual([...Array(4).fill("'WATCHDOG=1'"), "'STOPPING=1'"]);
  });

  test.each([
    ["no period", {}],
    ["another process is meant", { WATCHDOG_USEC: "3000000", WATCHDOG_PID: "1" }],
    ["a period of zero", { WATCHDOG_USEC: "0" }],
    ["a period that is no number", { WATCHDOG_USEC: "soon" }],
  ])("the watchdog is not fed: %s", async (_, watchdog) => {
    const name = freshPath();
    const got = await peerAt(name);
    const notify = await openNotify({ NOTIFY_SOCKET: name, ...watchdog }, silentLog);
    expect(notify?.watchdogPeriod_ms).toBeNull();
    notify?.watchdog();
    notify?.stopping();
    expect(await got(1)).toEqual(["'STOPPING=1'"]);
  });

  test("a peer that comes back is fed at once", async () => {
    const name = freshPath();
    const { log, warned } = listening();
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000" };
    const notify = await openNotify(env, log, () => 0);
    notify?.watchdog();
    expect(warned).toHaveLength(1);
    const got = await peerAt(name);
    notify?.watchdog();
    expect(await got(1)).toEqual(["'WATCHDOG=1'"]);
  });
});

test("without systemd there is nothing", async () => {
  expect(await openNotify({}, silentLog)).toBeNull();
  expect(await openNotify({ NOTIFY_SOCKET: "" }, silentLog)).toBeNull();
});

test.each([
  ["nobody listens", "/nonexistent/notify", /sendto: errno 2/],
  ["not a path", "vsock:2:1", /no path and no abstract name/],
  ["too long", `/${"n".repeat(120)}`, /over 107 bytes/],
])("a failure is said once and never thrown: %s", async (_, socket, why) => {
  const { log, warned } = listening();
  const notify = await openNotify({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1000" }, log);
  notify?.ready();
  notify?.status("watching");
  notify?.watchdog();
  notify?.stopping();
  expect(warned).toEqual([{ socket, why: expect.stringMatching(why) }]);
});
