import { expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { openNotify, socketAddress, watchdogPeriod_ms } from "../../agent/status/notify.js";

test("an address is a path or an abstract name, and nothing else", () => {
  expect([...(socketAddress("/run/n") ?? [])]).toEqual([1, 0, ...Buffer.from("/run/n")]);
  expect([...(socketAddress("@n") ?? [])]).toEqual([1, 0, 0, "n".charCodeAt(0)]);
  for (const bad of ["", "/", "n", `/${"x".repeat(108)}`]) expect(socketAddress(bad)).toBeNull();
});

test("a watchdog of another process, or none, is not fed", () => {
  expect(watchdogPeriod_ms({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }, 7)).toBe(30_000);
  for (const env of [{}, { WATCHDOG_USEC: "0" }, { WATCHDOG_USEC: "1", WATCHDOG_PID: "8" }]) {
    expect(watchdogPeriod_ms(env, 7)).toBe(Number.POSITIVE_INFINITY);
  }
});

test("outside of systemd there is nothing to tell; a dead socket is said once, never thrown", () => {
  expect(openNotify({}, 1, silentLog)).toBeNull();
  const said: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void said.push(message) };
  const notify = openNotify({ NOTIFY_SOCKET: "/nowhere/socket" }, 1, log);
  notify?.ready("up");
  notify?.stopping();
  notify?.close();
  expect(said).toEqual(["systemd cannot be told how the service is"]);
});
