//! kill -9 at random moments under load. STERNA_CHAOS_KILLS sets how often, STERNA_CHAOS_SEED when.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Alarm } from "../../agent/alerts/alarm.js";
import { prng } from "../../agent/base/prng.js";
import { listen, pause, until } from "../alerts/listen.js";
import { MOSQUITTO, startMosquitto } from "../fixtures/mosquitto.js";
import { proxy } from "./proxy.js";

const KILLS = Number(process.env["STERNA_CHAOS_KILLS"] ?? 10);
const SEED = Number(process.env["STERNA_CHAOS_SEED"] ?? 20261123);
/** Long enough for commits and sends whose bytes then vanish. */
const SWALLOW_ms = 30;
const ARRIVAL_ms_max = 30_000;
const LOADER = join(import.meta.dirname, "loader.js");
const WORKER = join(import.meta.dirname, "worker.ts");

type Life = { readonly before_ms: number; readonly swallow: (() => void) | null };

/** Runs the worker for its life after the first commit, then kills it; returns what it printed. */
async function run(dir: string, url: string, seed: number, life: Life | null) {
  const task = life === null ? "drain" : "load";
  const args = ["--import", LOADER, WORKER, dir, url, String(seed), task];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const gone = new Promise<number | null>((resolve) => child.once("close", resolve));
  if (life === null) expect(await gone).toBe(0);
  else {
    await until(() => said.includes("\n") || child.exitCode !== null);
    await pause(life.before_ms);
    if (life.swallow !== null) {
      life.swallow();
      await pause(SWALLOW_ms);
    }
    child.kill("SIGKILL");
    await gone;
    expect(child.signalCode).toBe("SIGKILL");
  }
  return said.split("\n").filter((line) => line !== "");
}

test.skipIf(MOSQUITTO === null)(
  `${KILLS} kills (seed ${SEED}): all that was committed arrives, repeats only under the same id`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "sterna-chaos-"));
    const peer = await startMosquitto();
    const { heard, client } = await listen(peer.url, "sterna/v1/#");
    const network = await proxy(peer.url);
    await network.open();
    const chance = prng(SEED, "kills");
    const committed: string[] = [];
    for (let i = 0; i < KILLS; i++) {
      // Some lives end before the broker is reached, some in the midst of sending, and half of
      // them lose on the way what they sent last.
      const before_ms = chance.next() ** 2 * 600;
      const swallow = chance.next() < 0.5 ? network.swallow : null;
      committed.push(...(await run(dir, network.url, SEED + i, { before_ms, swallow })));
    }
    const [last = ""] = await run(dir, network.url, SEED - 1, null);
    const stored: { alarms: Alarm[]; latches: { asset: string; latch: string }[] } =
      JSON.parse(last);
    // The broker has it all; our own reading of it may be behind. What is missing is told below.
    const isHere = ({ id }: Alarm) =>
      heard.some((m) => m.topic.endsWith("/state") && m.payload.includes(id));
    await Promise.race([until(() => stored.alarms.every(isHere)), pause(ARRIVAL_ms_max)]);
    client.end(true);
    await network.shut();
    await peer.close();
    rmSync(dir, { recursive: true });

    const events = heard.filter(({ topic }) => topic.endsWith("/event"));
    const byId = new Map<string, string>();
    const ids = new Map<string, string>();
    for (const { topic, payload } of events) {
      const { id, data } = JSON.parse(payload);
      expect(byId.get(id) ?? payload).toBe(payload);
      byId.set(id, payload);
      // One transition, one id: nothing is raised twice under two names.
      expect(ids.get(`${topic} ${data.seq}`) ?? id).toBe(id);
      ids.set(`${topic} ${data.seq}`, id);
    }
    expect(committed.length).toBeGreaterThan(KILLS);
    const missing = committed.filter((line) => !byId.has(line.split(" ")[0] ?? ""));
    expect(missing).toEqual([]);
    for (const alarm of stored.alarms) {
      const topic = `sterna/v1/site-a/${alarm.asset}/alarm/${alarm.rule}`;
      for (let seq = 1; seq <= alarm.seq; seq++) {
        expect(ids.has(`${topic}/event ${seq}`)).toBe(true);
      }
      // What is left at the broker is what the store says, and the latch is of the same commit.
      const state = heard.findLast((m) => m.topic === `${topic}/state`);
      expect(JSON.parse(state?.payload ?? "")).toMatchObject({
        id: alarm.id,
        data: { seq: alarm.seq, active: alarm.active },
      });
      const latch = stored.latches.find(({ asset }) => asset === alarm.asset);
      expect(JSON.parse(latch?.latch ?? "")).toEqual({ raised: alarm.active, seq: alarm.seq });
    }
    const repeats = events.length - byId.size;
    process.stdout.write(
      `chaos: ${KILLS} kills, ${committed.length} transitions printed, ${byId.size} arrived, ` +
        `${repeats} repeats, seed ${SEED}\n`,
    );
  },
  60_000 + KILLS * 5_000,
);
