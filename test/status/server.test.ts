import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { METRICS } from "../../agent/status/metrics.js";
import { type StatusServer, startStatusServer } from "../../agent/status/server.js";
import type { Health } from "../../agent/status/view.js";
import { ALARM, FOLDED, HOSTILE, view } from "./view.js";

let server: StatusServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

async function start(health: Health = { ok: true, reasons: [] }): Promise<string> {
  const sources = { view: () => view([ALARM, FOLDED]), health: () => health };
  server = await startStatusServer({ host: "127.0.0.1", port: 0 }, sources, silentLog);
  return `http://127.0.0.1:${server.port}`;
}

/** fetch does not let us lie about the host. */
function ask(base: string, host: string, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${base}/api/view`, { method, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("the page, its parts and the view are served, with headers that hold foreign code off", async () => {
  const base = await start();
  for (const path of ["/", "/page.js", "/dom.js", "/plots.js", "/tables.js", "/page.css"]) {
    expect((await fetch(base + path)).status, path).toBe(200);
  }
  for (const path of ["/uplot.js", "/uplot.css"])
    expect((await fetch(base + path)).status).toBe(200);
  const answer = await fetch(`${base}/api/view`);
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  const { assets } = (await answer.json()) as { assets: { spectra: { values: number[] }[] }[] };
  expect(assets[0]?.spectra[0]?.values).toHaveLength(512);
  expect((await fetch(`${base}/../package.json`)).status).toBe(404);
  expect((await fetch(`${base}/page.css`, { method: "HEAD" })).status).toBe(200);
});

test("only reading, and only under a name of this machine", async () => {
  const base = await start();
  expect((await fetch(`${base}/api/view`, { method: "POST" })).status).toBe(405);
  expect(await ask(base, "evil.example")).toBe(403);
  expect(await ask(base, "127.0.0.1.evil.example")).toBe(403);
  expect(await ask(base, "localhost:80")).toBe(200);
});

test("healthz says ok, or 503 and why", async () => {
  const good = await fetch(`${await start()}/healthz`);
  expect([good.status, await good.json()]).toEqual([200, { ok: true, reasons: [] }]);
  await server?.stop();
  const bad = await fetch(`${await start({ ok: false, reasons: ["the disk is full"] })}/healthz`);
  expect([bad.status, await bad.json()]).toEqual([
    503,
    { ok: false, reasons: ["the disk is full"] },
  ]);
});

test("metrics carry the view, label values escaped, the same when asked twice", async () => {
  const base = await start();
  const read = async (): Promise<string> => (await fetch(`${base}/metrics`)).text();
  await read();
  const text = await read();
  for (const line of [
    "sterna_items_total 1234",
    'sterna_rejects_total{reason="malformed"} 3',
    'sterna_link_up{link="plc"} 0',
    'sterna_channel_value{asset="wt07",channel="oilTemp",unit="Cel"} 62.5',
    'sterna_channel_stale{asset="wt07",channel="windingTemp"} 1',
    'sterna_alarms_active{severity="critical"} 1',
    'sterna_alarms_active{severity="warning"} 0',
    "process_resident_memory_bytes ",
  ]) {
    expect(text).toContain(line);
  }
  expect(text).toContain(`channel="${HOSTILE}"`);
});

test("docs/metrics.md lists exactly what is measured", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const listed = [...text.matchAll(/^\| `(sterna_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$/gm)].map(
    ([, name, kind, labels, help]) => [name, kind, labels, help],
  );
  const rows = Object.entries(METRICS).map(([name, [kind, help, labels]]) => [
    name,
    kind,
    labels.join(", "),
    help,
  ]);
  expect(listed).toEqual(rows);
});

test("the stream sends views, to a bounded number of clients", async () => {
  const base = await start();
  const abort = new AbortController();
  const { signal } = abort;
  const streams = await Promise.all(
    Array.from({ length: 17 }, () => fetch(`${base}/api/stream`, { signal })),
  );
  expect(streams.map((s) => s.status).filter((status) => status === 503)).toHaveLength(1);
  const open = streams.find((s) => s.status === 200);
  const reader = open?.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  expect(first).toMatch(/^data: \{"gateway":"gw-1"/);
  abort.abort();
});

test("a point of history a second, null where a channel has no value", async () => {
  const base = await start();
  const read = async (channel: string) => {
    const answer = await fetch(`${base}/api/history?asset=wt07&channel=${channel}`);
    return answer.status === 200 ? ((await answer.json()) as { v: unknown[] }).v[0] : answer.status;
  };
  while ((await read("oilTemp")) === 404) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await read("oilTemp")).toBe(62.5);
  expect(await read("windingTemp")).toBe(null);
  expect(await read("nothing")).toBe(404);
});

test("a port that is taken is said with what to write instead", async () => {
  await start();
  const taken = { host: "127.0.0.1", port: server?.port ?? 0 };
  const sources = { view: () => view(), health: () => ({ ok: true, reasons: [] }) };
  await expect(startStatusServer(taken, sources, silentLog)).rejects.toThrow(
    /write another http.port/,
  );
});
