//! Channels and alarms as the operator reads them. Rows are kept and changed in place, so that the
//! focus stays where it is.
import type { AssetView, ChannelView, View } from "../view.js";
import { age, byId, clockTime, digits, make, readableUnit, say } from "./dom.js";
import type { Chosen } from "./plots.js";

type Alarm = AssetView["alarms"][number];

const SVG = "http://www.w3.org/2000/svg";
/** Shape and word beside the colour: ISA-101 wants none to depend on colour alone. */
const PRIORITY = { critical: "■ critical", warning: "▲ warning", info: "● info" } as const;
const WAITING = "waiting for its first value";

type Row = {
  readonly element: HTMLTableRowElement;
  update(channel: ChannelView, now_ms: number): void;
};
type Panel = {
  readonly off: HTMLElement;
  readonly rows: Map<string, Row>;
  readonly body: HTMLElement;
  readonly derived: HTMLElement;
};
const panels = new Map<string, Panel>();

export function showAssets(view: View, choose: (chosen: Chosen) => void): void {
  for (const asset of view.assets) {
    if (asset.channels.length + asset.derived.length === 0) continue;
    const panel = panels.get(asset.id) ?? newPanel(asset);
    say(panel.off, asset.commissioned ? "" : "not commissioned: no baseline yet");
    const show = (channel: ChannelView, body: HTMLElement): void => {
      let row = panel.rows.get(channel.name);
      if (row === undefined) {
        row = newRow(asset.id, choose);
        panel.rows.set(channel.name, row);
        body.append(row.element);
      }
      row.update(channel, view.now_ms);
    };
    for (const channel of asset.channels) show(channel, panel.body);
    for (const channel of asset.derived) show(channel, panel.derived);
  }
}

function newPanel(asset: AssetView): Panel {
  const off = make("span", { class: "folded" });
  const body = make("tbody");
  const derived = make("tbody");
  const box = make("div", { class: "panel" });
  box.append(
    make("h2", {}, `${asset.id} `, make("span", { class: "folded" }, asset.kind), " ", off),
  );
  box.append(make("div", { class: "scroll" }, tableOf(body, `Channels of ${asset.id}`)));
  if (asset.derived.length > 0) {
    const table = tableOf(derived, `What the monitors of ${asset.id} say`);
    const more = make(
      "details",
      {},
      make("summary", {}, `${asset.derived.length} values of monitors`),
    );
    more.append(make("div", { class: "scroll" }, table));
    box.append(more);
  }
  if (asset.off.length > 0) {
    const list = make("ul", {}, ...asset.off.map((what) => make("li", {}, what)));
    box.append(
      make("details", {}, make("summary", {}, `${asset.off.length} checks are off`), list),
    );
  }
  byId("assets").append(box);
  const panel = { off, rows: new Map<string, Row>(), body, derived };
  panels.set(asset.id, panel);
  return panel;
}

function tableOf(body: HTMLElement, label: string): HTMLTableElement {
  const head = ["channel", "value", "", "expected", "age", "state"].map((text, i) => {
    const marks = { scope: "col", class: i === 1 ? "number" : i === 3 ? "wide" : "" };
    return make("th", marks, text);
  });
  return make("table", { "aria-label": label }, make("thead", {}, make("tr", {}, ...head)), body);
}

function newRow(asset: string, choose: (chosen: Chosen) => void): Row {
  const cell = (kind: string): HTMLElement => make("td", { class: kind });
  const [name, value, unit] = [cell(""), cell("number value"), cell("unit")];
  const [since, state] = [cell("age"), cell("state")];
  const band = make("td", { class: "wide" });
  const bar = newBar();
  band.append(bar.element);
  const element = make("tr", { tabindex: "0", "aria-selected": "false" });
  element.append(name, value, unit, band, since, state);
  let shown: ChannelView | null = null;
  const chosen = (): void => {
    if (shown === null) return;
    for (const other of document.querySelectorAll('tr[aria-selected="true"]')) {
      other.setAttribute("aria-selected", "false");
    }
    element.setAttribute("aria-selected", "true");
    const { name: channel, unit: text, low, high } = shown;
    choose({ asset, channel, unit: text, low, high });
  };
  element.addEventListener("click", chosen);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    chosen();
  });
  return {
    element,
    update(channel, now_ms) {
      shown = channel;
      const { low, high } = channel;
      const known = channel.value;
      element.dataset["state"] = channel.state;
      const outside =
        known !== null && ((low !== null && known < low) || (high !== null && known > high));
      element.toggleAttribute("data-outside", outside);
      say(name, channel.name);
      say(value, known === null ? "–" : digits(known));
      say(unit, `${readableUnit(channel.unit)}${channel.shape === "block" ? " (rms)" : ""}`);
      say(since, channel.r_ms === null ? "" : age(now_ms - channel.r_ms));
      const plain = channel.state === "good" ? (outside ? "outside" : "") : channel.state;
      say(state, plain === "waiting" && channel.r_ms === null ? WAITING : plain);
      bar.show(channel);
    },
  };
}

/** The moving analogue indicator: where the value stands against what is expected. */
function newBar() {
  const element = document.createElementNS(SVG, "svg");
  element.setAttribute("class", "band");
  element.setAttribute("viewBox", "0 0 100 12");
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("role", "img");
  const part = (kind: string): SVGRectElement => {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", kind);
    element.append(rect);
    return rect;
  };
  const [range, mark] = [part("range"), part("value")];
  const place = (
    rect: SVGRectElement,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void => {
    for (const [key, to] of Object.entries({ x, y, width, height }))
      rect.setAttribute(key, String(to));
  };
  place(range, 20, 3, 60, 6);
  return {
    element,
    show({ low, high, value, unit }: ChannelView): void {
      const known = low !== null && high !== null && high > low;
      element.style.visibility = known ? "visible" : "hidden";
      if (!known) return;
      const at = value === null ? null : 20 + ((value - low) / (high - low)) * 60;
      element.setAttribute(
        "aria-label",
        `expected ${digits(low)} to ${digits(high)} ${readableUnit(unit)}`,
      );
      mark.style.visibility = at === null ? "hidden" : "visible";
      if (at === null) return;
      mark.setAttribute("class", at < 20 || at > 80 ? "value out" : "value");
      place(mark, Math.max(0, Math.min(97, at - 1.5)), 0, 3, 12);
    },
  };
}

let shownAlarms = "";

/** What explains an alarm in the end; itself, where its cause is not shown: none may be hidden. */
function rootOf(alarm: Alarm, shown: readonly Alarm[]): Alarm {
  let root = alarm;
  for (let steps = 0; steps < shown.length; steps++) {
    const { asset, suppressedBy } = root;
    const cause = shown.find((one) => one.asset === asset && one.rule === suppressedBy);
    if (cause === undefined) return root;
    root = cause;
  }
  return alarm; // a ring of causes
}

export function showAlarms(view: View): void {
  // One that came back by itself stays until somebody has seen it.
  const active = view.assets
    .flatMap((asset) => asset.alarms)
    .filter((alarm) => alarm.active || !alarm.acked);
  const key = JSON.stringify(active.map(({ id, rule, acked }) => [id, rule, acked]));
  if (key === shownAlarms) return;
  shownAlarms = key;
  const rank = { critical: 0, warning: 1, info: 2 };
  const causes = active
    .filter((alarm) => rootOf(alarm, active) === alarm)
    .sort((a, b) => rank[a.severity] - rank[b.severity] || b.onset_ms - a.onset_ms);
  const folded = (cause: Alarm): Alarm[] =>
    active.filter((alarm) => alarm !== cause && rootOf(alarm, active) === cause);
  byId("alarms").replaceChildren(...causes.map((cause) => alarmItem(cause, folded(cause))));
  byId("quiet").hidden = active.length > 0;
  document.title = active.length === 0 ? "Sterna" : `(${causes.length}) Sterna`;
}

type Shown = { readonly v: number; readonly u: string };
const measured = ({ v, u }: Shown): string => `${digits(v)} ${readableUnit(u)}`.trim();

function alarmItem(alarm: Alarm, folded: readonly Alarm[]): HTMLLIElement {
  const { value, limit, expected } = alarm;
  const item = make("li", { class: alarm.severity });
  const seen = alarm.acked ? "acknowledged" : "not acknowledged";
  const state = alarm.active ? seen : `over, ${seen}`;
  item.append(
    make(
      "h3",
      {},
      make("span", { class: "priority" }, PRIORITY[alarm.severity]),
      `${alarm.asset} ${alarm.rule}: ${alarm.text}`,
    ),
  );
  const facts = [
    value === null ? "" : `value ${measured(value)}`,
    limit === null ? "" : `limit ${measured(limit)} (${limit.source})`,
    expected === null ? "" : `expected ${measured(expected)} ± ${digits(expected.sigma)}`,
    `class ${alarm.class}`,
    state,
  ].filter((text) => text !== "");
  item.append(make("p", {}, "since ", clockTime(alarm.onset_ms), `, ${facts.join(", ")}`));
  if (alarm.action !== "") item.append(make("p", { class: "action" }, alarm.action));
  if (alarm.marks.length > 0) item.append(make("p", { class: "folded" }, alarm.marks.join(", ")));
  item.append(make("ul", {}, ...alarm.evidence.map((text) => make("li", {}, text))));
  for (const { rule, text } of folded) {
    item.append(make("p", { class: "folded" }, `folded in: ${rule}, ${text}`));
  }
  return item;
}

export function showLog(view: View): void {
  const rows = [...view.transitions].reverse().slice(0, 20);
  byId("log").replaceChildren(
    ...rows.map(({ time_ms, asset, rule, transition, text }) => {
      const cells = [asset, rule, transition].map((cell) => make("td", {}, cell));
      return make(
        "tr",
        {},
        make("td", {}, clockTime(time_ms)),
        ...cells,
        make("td", { class: "text" }, text),
      );
    }),
  );
}
