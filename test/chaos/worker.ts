//! The program that is killed: commits alarms and publishes them, as the agent does. After each
//! commit that is durable it prints the ids, so that its parent knows what must arrive.
import { writeSync } from "node:fs";
import { type Alarms, alarmKey, applyChange } from "../../agent/alerts/apply.js";
import { gatewayStatus, Link } from "../../agent/alerts/link.js";
import { startPublisher } from "../../agent/alerts/publish.js";
import { collectRetained, reconcile } from "../../agent/alerts/reconcile.js";
import { openStore } from "../../agent/alerts/store.js";
import { silentLog } from "../../agent/base/log.js";
import { prng } from "../../agent/base/prng.js";
import { HSS, PLACE } from "../alerts/sample.js";

const ASSETS = ["wt01", "wt02", "wt03", "wt04", "wt05"];
const [dir = "", url = "", seed = "0", task = "load"] = process.argv.slice(2);
const chance = prng(Number(seed), "chaos");
const now = (): number => performance.timeOrigin + performance.now();

const { store } = openStore(dir, {}, now());
const alarms: Alarms = new Map(
  store.load().alarms.map((alarm) => [alarmKey(alarm.asset, alarm.rule), alarm]),
);
const link = new Link({
  url,
  client: { clientId: "gw-chaos" },
  status: gatewayStatus("sterna/v1/site-a/gw-chaos/status", "gw-chaos", "0"),
  now,
  random: chance.next,
  report: () => {},
});
const publisher = startPublisher(link, store, { now, steady: () => performance.now() }, silentLog);
let settled = false;
collectRetained(link, PLACE, ASSETS, (retained) => {
  const { applied, messages } = reconcile(PLACE, alarms, retained, now(), () => true);
  const all = [...applied.flatMap((one) => one.messages), ...messages];
  const rows = applied.map((one) => one.alarm);
  store.commit({ alarms: rows, latches: [], messages: all }, now());
  publisher.wake();
  settled = true;
});
link.start();

/** One tick: a few alarms change and go into one transaction. */
function tick(): void {
  const applied = ASSETS.flatMap((asset) => {
    if (chance.next() < 0.5) return [];
    const to = alarms.get(alarmKey(asset, HSS.rule))?.active ? "clear" : "raise";
    const time_ms = now();
    const outcome = applyChange(PLACE, alarms, to, { ...HSS, asset, onset_ms: time_ms }, time_ms);
    return typeof outcome === "string" ? [] : [outcome];
  });
  const latches = applied.map(({ alarm }) => ({
    asset: alarm.asset,
    rule: alarm.rule,
    latch: JSON.stringify({ raised: alarm.active, seq: alarm.seq }),
  }));
  const messages = applied.flatMap((one) => one.messages);
  const batch = { alarms: applied.map(({ alarm }) => alarm), latches, messages };
  if (store.commit(batch, now()) === null) {
    writeSync(1, applied.map(({ alarm }) => `${alarm.id} ${alarm.asset} ${alarm.seq}\n`).join(""));
  }
  publisher.wake();
}

if (task === "load") {
  setInterval(tick, 1);
} else {
  // The last run: nothing new, only what is left, and then what stands in the store.
  while (!settled || store.waiting() > 0) await new Promise((go) => setTimeout(go, 20));
  await publisher.stop(5_000);
  await link.stop();
  const { latches } = store.load();
  process.stdout.write(`${JSON.stringify({ alarms: [...alarms.values()], latches })}\n`);
  store.close(now());
  process.exit(0);
}
