//! The page of a running agent: one stream of views, a second apart, shown as it comes.
import type { LinkView, View } from "../view.js";
import { age, byId, make, say } from "./dom.js";
import { type Chosen, drawSpectra, drawTrend, type PlainSpectrum } from "./plots.js";
import { showAlarms, showAssets, showLog } from "./tables.js";

/** Longer without a view and nothing here is live any more. */
const LOST_ms = 5_000;

let heard_ms = performance.now();
let chosen: Chosen | null = null;

function choose(one: Chosen): void {
  chosen = one;
  void drawTrend(one);
}

function fact(label: string, text: string, bad: boolean, title = ""): HTMLElement {
  const marks: Record<string, string> = bad ? { class: "bad" } : {};
  return make("div", title === "" ? {} : { title }, make("dt", {}, label), make("dd", marks, text));
}

const linkText = ({ up, why }: LinkView): string => (up ? "up" : `down: ${why}`);

function showFacts(view: View): void {
  const { counters, links } = view;
  const rejects = Object.entries(counters.rejects);
  const rejected = rejects.reduce((sum, [, count]) => sum + count, 0);
  const lost = counters.overflow + counters.outboxDropped;
  const reasons = rejects.map(([reason, count]) => `${reason}: ${count}`).join("\n");
  byId("facts").replaceChildren(
    ...links.map((link) => fact(link.name, linkText(link), !link.up)),
    fact("models on", `${view.backend} (${view.tier})`, false, view.skipped.join("\n")),
    fact("items", String(counters.items), false),
    fact("rejected", String(rejected), false, reasons),
    fact("dropped", String(lost), lost > 0),
    fact("waiting to be sent", String(counters.outboxRows), counters.unstored > 0),
    fact("up", age(view.now_ms - view.started_ms), false),
  );
}

function show(view: View): void {
  heard_ms = performance.now();
  say(byId("gateway"), `Sterna ${view.gateway}, ${view.site}`);
  const stream = byId("stream");
  stream.removeAttribute("data-lost");
  say(stream, "live");
  showFacts(view);
  showAlarms(view);
  showAssets(view, choose);
  showLog(view);
  for (const { id, spectra } of view.assets) {
    drawSpectra(id, spectra as unknown as readonly PlainSpectrum[]); // plain once through JSON
  }
  if (chosen !== null) void drawTrend(chosen);
}

const events = new EventSource("/api/stream");
events.addEventListener("message", (event: MessageEvent<string>) => {
  show(JSON.parse(event.data) as View);
});
setInterval(() => {
  const silent_ms = performance.now() - heard_ms;
  if (silent_ms < LOST_ms) return;
  const stream = byId("stream");
  stream.setAttribute("data-lost", "");
  say(stream, `nothing from the agent for ${age(silent_ms)}: what stands here is old`);
}, 1_000);
