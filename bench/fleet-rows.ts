//! The fleet as rows of the table: what is asked for with its bound, then every method and ablation.
import { type Fleet, type Method, most, nearest } from "./fleet.js";
import { ABLATIONS } from "./fleet-ours.js";
import { figures, type Judged, type SensorsTaken } from "./fleet-score.js";
import { bootstrap, type Interval, intervalText, reduction_pct } from "./intervals.js";
import { failedRow, median, type Row } from "./result.js";

const REDUCTION = { limits: 87, ridge: 60 }; // per cent, least
const FALSE = "false/turbine-month";
const ablationName = (step: string): string => `sim-without-${step.replaceAll(" ", "-")}`;
export const FLEET_NAMES: readonly string[] = [
  "sim-false-alarm-reduction",
  "sim-false-alarm-reduction-b2",
  "sim-false-alarm-reduction-r1",
  "sim-recall-ratio",
  "sim-delay-ratio",
  "sensor-as-machine",
  "flood",
  "sim-curve-r1",
  "sim-sterna",
  "sim-b0",
  "sim-b1",
  "sim-b2",
  "sim-b2-net",
  "sim-b3",
  "sim-b3-net",
  "sim-r1",
  "sim-r1-net",
  "sim-replayed",
  "sim-matched",
  ...ABLATIONS.map(ablationName),
];

/** A plain method at our recall, at our net recall, and at the most that it finds beyond chance. */
type Pair = { readonly recall: Method; readonly net: Method; readonly best: Method };

export function fleetRows(fleet: Fleet): Row[] {
  const { ours, sensors } = fleet;
  const seeds = `seeds ${fleet.from} to ${fleet.from + fleet.turbines - 1}`;
  const size = `${fleet.months} turbine-months of ${fleet.turbines} turbines (${seeds}), ${kindsOf(ours)}`;
  const pair = (all: readonly Method[]): Pair => ({
    recall: nearest(all, ours, "recall"),
    net: nearest(all, ours, "net"),
    best: most(all, "net"),
  });
  const [b2, b3, r1] = [pair(fleet.plain.b2), pair(fleet.plain.b3), pair(fleet.plain.r1)];
  return [
    falseRow("sim-false-alarm-reduction", "B3", b3, REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-b2", "B2", b2, REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-r1", "R1", r1, REDUCTION.ridge),
    recallRow(),
    delayRow(),
    sensorRow(),
    { name: "flood", value: fleet.flood, unit: "alarms/10 min", max: 9, note: size },
    curveRow(),
    summary(
      "sim-sterna",
      ours,
      `${fleet.commissioned} of ${fleet.turbines} commissioned themselves; ${delaysOf(ours)}`,
    ),
    summary("sim-b0", nearest(fleet.plain.b0, ours, "recall"), "at equal recall, or its best"),
    summary("sim-b1", nearest(fleet.plain.b1, ours, "recall"), "at equal recall, or its best"),
    summary("sim-b2", b2.recall, "at equal recall"),
    summary("sim-b2-net", b2.net, "at equal net recall, or its best"),
    summary("sim-b3", b3.recall, "at equal recall"),
    summary("sim-b3-net", b3.net, "at equal net recall, or its best"),
    summary("sim-r1", r1.recall, "at equal recall"),
    summary("sim-r1-net", r1.net, "at equal net recall, or its best"),
    summary("sim-replayed", fleet.replayed, "the product from its ten-minute means"),
    matchedRow(),
    ...fleet.ablations.map((one, i) => summary(ablationName(ABLATIONS[i] ?? ""), one, "")),
  ];

  /** Of a figure of ours and of a peer on the same turbines, drawn together. */
  function interval(peer: Method, figure: (own: Judged[], peer: Judged[]) => number): Interval {
    const pairs = ours.judged.map((own, i) => ({ own, peer: peer.judged[i] as Judged }));
    return bootstrap(pairs, (drawn) =>
      figure(
        drawn.map((pair) => pair.own),
        drawn.map((pair) => pair.peer),
      ),
    );
  }

  /** The lower of plain and net of chance, each at the limit of equality of its kind. */
  function recallRow(): Row {
    const [own, plain, net] = [ours.figures, b3.recall.figures, b3.net.figures];
    const range = interval(b3.recall, (a, b) => figures(a).recall / figures(b).recall);
    return {
      name: "sim-recall-ratio",
      // B3 may find nothing beyond chance at all.
      value: Math.min(own.recall / plain.recall, net.net > 0 ? own.net / net.net : 1e9),
      unit: "1",
      min: 1,
      note: `the lower of plain and net of chance: ${text(own.recall)} against ${text(plain.recall)} of B3 at its limit of the first row (${intervalText(range, 2)} over turbines), ${text(own.net)} net against ${text(net.net)} at its limit of equal or most net; R1 finds ${text(r1.best.figures.net)} net at most; ${size}`,
    };
  }

  function sensorRow(): Row {
    const sum = (key: keyof SensorsTaken, of: readonly SensorsTaken[]): number =>
      of.reduce((total, one) => total + one[key], 0);
    const taken = (of: readonly SensorsTaken[]): number => (100 * sum("taken", of)) / sum("of", of);
    const note = `${sum("taken", sensors)} of ${sum("of", sensors)} faults of sensors; ${intervalText(bootstrap(sensors, taken))} over turbines`;
    return { name: "sensor-as-machine", value: taken(sensors), unit: "%", max: 2, note };
  }

  /** What the mismatch costs: the same turbines built and measured as the monitors' equations say. */
  function matchedRow(): Row {
    const { with: other, without } = fleet.matched;
    const { falsely, recall, net, netDelay_h } = other.figures;
    const more = `without mismatch; with it the same ${other.judged.length} turbines have ${text(falsely)} false, recall ${text(recall)}, net ${text(net)}, p50 net ${text(netDelay_h)} h`;
    return summary("sim-matched", without, more);
  }

  /** Chance taken out of both, each where it finds as much beyond chance: decision 0077. */
  function delayRow(): Row {
    const own = ours.figures;
    const peers = (name: string, { recall, net }: Pair): string => {
      const [a, b] = [recall.figures, net.figures];
      return `${name} ${text(b.netDelay_h)} h at net recall ${text(b.net)} (${text(b.delay_h)} h with chance), ${text(a.netDelay_h)} h at recall ${text(a.recall)} (${text(a.delay_h)} h with chance)`;
    };
    const range = interval(b3.net, (a, b) => figures(a).netDelay_h / figures(b).netDelay_h);
    return {
      name: "sim-delay-ratio",
      value: own.netDelay_h / b3.net.figures.netDelay_h,
      unit: "1",
      max: 0.5,
      note: `half of what is found beyond chance within ${text(own.netDelay_h)} h (${text(own.delay_h)} h with chance); ${intervalText(range, 2)} over turbines; ${peers("B3", b3)}; ${peers("R1", r1)}; ratios with chance: ${text(own.delay_h / b3.net.figures.delay_h)} at equal net, ${text(own.delay_h / b3.recall.figures.delay_h)} at equal recall`,
    };
  }

  /** The smallest reduction against R1 at any of its limits at which it finds half or more. */
  function curveRow(): Row {
    const name = "sim-curve-r1";
    const r1s = fleet.plain.r1;
    const points = r1s.flatMap((peer) => {
      const { recall, net, falsely } = peer.figures;
      if (net < 0.5) return [];
      const points = [ours, ...fleet.curve];
      const equal = points.filter(({ figures: f }) => f.recall >= recall && f.net >= net);
      const least = Math.min(...equal.map(({ figures: f }) => f.falsely));
      return [{ recall, peer: falsely, own: least, cut: reduction_pct(least, falsely) }];
    });
    if (points.length === 0) return failedRow(name, "%", {}, "R1 finds half nowhere");
    const worst = points.reduce((a, b) => (b.cut < a.cut ? b : a));
    const some = points.filter((_, i) => i % 3 === 0);
    const list = some.map(
      ({ recall, own, peer }) => `${text(recall)}: ${text(own)} / ${text(peer)}`,
    );
    const note = `least reduction against R1 at any limit where it finds half beyond chance, by the monitors' own limit at no lower recall, plain and net; recall: ours / R1 a turbine-month: ${list.join(", ")}`;
    return { name, value: worst.cut, unit: "%", note };
  }

  function summary(name: string, { figures: f, limit, judged }: Method, more: string): Row {
    const faults = judged.flatMap((one) => one.faults).filter(({ delay_s }) => delay_s === null);
    const missed = [...Map.groupBy(faults, (fault) => fault.name)];
    const list = missed.map(([kind, own]) => `${own.length} ${kind}`).join(", ");
    const parts = [
      `recall ${text(f.recall)}, net of chance ${text(f.net)}`,
      `delay p50 ${text(f.delay_h)} h, p90 ${text(f.delay90_h)} h, p50 net ${text(f.netDelay_h)} h`,
      limit === null ? "" : `limit ${limit}`,
      more,
      list === "" ? "" : `missed ${list}`,
    ];
    const note = parts.filter((part) => part !== "").join("; ");
    return { name, value: f.falsely, unit: FALSE, note };
  }

  function falseRow(name: string, peer: string, pair: Pair, min: number): Row {
    const { recall: own, net: other } = pair;
    const cut = (one: Method): number => reduction_pct(ours.figures.falsely, one.figures.falsely);
    const worse = cut(own) <= cut(other) ? own : other;
    const value = cut(worse);
    if (!Number.isFinite(value)) return failedRow(name, "%", { min }, `${peer} has no false alarm`);
    const sum = (of: readonly Judged[]): number => of.reduce((all, one) => all + one.falsely, 0);
    const range = interval(worse, (a, b) => reduction_pct(sum(a), sum(b)));
    const a_month = `${text(ours.figures.falsely)} a turbine-month against ${text(own.figures.falsely)} at recall ${text(own.figures.recall)} (ours ${text(ours.figures.recall)}), ${text(other.figures.falsely)} at net recall ${text(other.figures.net)} (ours ${text(ours.figures.net)})`;
    const note = `${a_month}; ${intervalText(range)} over turbines; ${size}`;
    return { name, value, unit: "%", min, note };
  }
}

/** How soon each kind of fault is found. */
function delaysOf({ judged }: Method): string {
  const found = judged.flatMap(({ faults }) => faults).filter(({ delay_s }) => delay_s !== null);
  const each = [...Map.groupBy(found, ({ name }) => name)].map(([name, own]) => {
    return { name, delay_h: median(own.map(({ delay_s }) => (delay_s ?? 0) / 3600)) };
  });
  const sorted = each.sort((a, b) => b.delay_h - a.delay_h);
  return `p50 by kind ${sorted.map(({ name, delay_h }) => `${name} ${text(delay_h)} h`).join(", ")}`;
}

/** How many faults, and of the rarest kind how many. */
function kindsOf({ judged }: Method): string {
  const names = judged.flatMap(({ faults }) => faults.map(({ name }) => name));
  const kinds = [...Map.groupBy(names, (name) => name).values()];
  const rarest = Math.min(...kinds.map((own) => own.length));
  return `${names.length} faults of ${kinds.length} kinds, at least ${rarest} of each`;
}

const text = (value: number): string => String(Number(value.toPrecision(3)));
