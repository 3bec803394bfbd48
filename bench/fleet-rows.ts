//! The fleet as rows of the table: what is asked for with its bound, then every method and ablation.
import { type Fleet, type Method, most, nearest } from "./fleet.js";
import { ABLATIONS } from "./fleet-ours.js";
import type { Judged } from "./fleet-score.js";
import { bootstrap, intervalText, reduction_pct } from "./intervals.js";
import { failedRow, type Row } from "./result.js";

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
  ...ABLATIONS.map(ablationName),
];

/** A plain method at our recall, at our net recall, and at the most that it finds beyond chance. */
type Pair = { readonly recall: Method; readonly net: Method; readonly best: Method };

export function fleetRows(fleet: Fleet): Row[] {
  const { ours, sensors } = fleet;
  const size = `${fleet.months} turbine-months of ${fleet.turbines} turbines, ${fleet.faults} faults`;
  const [b2, b3, r1] = fleet.families.map((all) => ({
    recall: nearest(all, ours, "recall"),
    net: nearest(all, ours, "net"),
    best: most(all, "net"),
  })) as [Pair, Pair, Pair];
  const taken = (100 * sensors.taken) / sensors.of;
  return [
    falseRow("sim-false-alarm-reduction", "B3", b3, REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-b2", "B2", b2, REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-r1", "R1", r1, REDUCTION.ridge),
    {
      name: "sim-recall-ratio",
      value: ours.figures.recall / b3.recall.figures.recall,
      unit: "1",
      min: 1,
      note: `${text(ours.figures.recall)} against ${text(b3.recall.figures.recall)} of B3 at its limit of the first row, net of chance ${text(ours.figures.net)} against ${text(b3.recall.figures.net)}; at its best limit B3 finds ${text(b3.best.figures.net)} beyond chance, R1 ${text(r1.best.figures.net)}; ${size}`,
    },
    delayRow(),
    {
      name: "sensor-as-machine",
      value: taken,
      unit: "%",
      max: 2,
      note: `${sensors.taken} of ${sensors.of} faults of sensors`,
    },
    { name: "flood", value: fleet.flood, unit: "alarms/10 min", max: 9, note: size },
    curveRow(),
    summary("sim-sterna", ours, `${fleet.commissioned} of ${fleet.turbines} commissioned themselves`),
    ...["sim-b0", "sim-b1"].map((name, i) => {
      const one = fleet.raw.methods[i];
      if (one === undefined) return failedRow(name, FALSE, {}, "no readings were made ahead");
      return summary(name, one, `at equal recall on the first ${fleet.raw.turbines} turbines`);
    }),
    summary("sim-b2", b2.recall, "at equal recall"),
    summary("sim-b2-net", b2.net, "at equal net recall, or its best"),
    summary("sim-b3", b3.recall, "at equal recall"),
    summary("sim-b3-net", b3.net, "at equal net recall, or its best"),
    summary("sim-r1", r1.recall, "at equal recall"),
    summary("sim-r1-net", r1.net, "at equal net recall, or its best"),
    summary("sim-replayed", fleet.replayed, "the product from its ten-minute means"),
    ...fleet.ablations.map((one, i) => summary(ablationName(ABLATIONS[i] ?? ""), one, "")),
  ];

  /** Chance taken out of both, each where it finds as much beyond chance: decision 0077. */
  function delayRow(): Row {
    const own = ours.figures;
    const peers = (name: string, { recall, net }: Pair): string => {
      const [a, b] = [recall.figures, net.figures];
      return `${name} ${text(b.netDelay_h)} h at net recall ${text(b.net)} (${text(b.delay_h)} h with chance), ${text(a.netDelay_h)} h at recall ${text(a.recall)} (${text(a.delay_h)} h with chance)`;
    };
    return {
      name: "sim-delay-ratio",
      value: own.netDelay_h / b3.net.figures.netDelay_h,
      unit: "1",
      max: 0.5,
      note: `half of what is found beyond chance within ${text(own.netDelay_h)} h (${text(own.delay_h)} h with chance); ${peers("B3", b3)}; ${peers("R1", r1)}; ratios with chance: ${text(own.delay_h / b3.net.figures.delay_h)} at equal net, ${text(own.delay_h / b3.recall.figures.delay_h)} at equal recall`,
    };
  }

  /** The smallest reduction against R1 at any of its limits at which it finds half or more. */
  function curveRow(): Row {
    const name = "sim-curve-r1";
    const r1s = fleet.families[2] ?? [];
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
    const list = some.map(({ recall, own, peer }) => `${text(recall)}: ${text(own)} / ${text(peer)}`);
    const note = `least reduction against R1 at any limit where it finds half beyond chance, by the monitors' own limit at no lower recall, plain and net; recall: ours / R1 a turbine-month: ${list.join(", ")}`;
    return { name, value: worst.cut, unit: "%", note };
  }

  function summary(name: string, { figures: f, limit, judged }: Method, more: string): Row {
    const missed = new Map<string, number>();
    for (const { faults } of judged) {
      for (const { name: kind, delay_s } of faults) {
        if (delay_s === null) missed.set(kind, (missed.get(kind) ?? 0) + 1);
      }
    }
    const list = [...missed].map(([kind, count]) => `${count} ${kind}`).join(", ");
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
    const interval = bootstrap(
      ours.judged.map((judged, i) => ({ ours: judged, peer: worse.judged[i] as Judged })),
      (pairs) =>
        reduction_pct(
          pairs.reduce((sum, one) => sum + one.ours.falsely, 0),
          pairs.reduce((sum, one) => sum + one.peer.falsely, 0),
        ),
    );
    const a_month = `${text(ours.figures.falsely)} a turbine-month against ${text(own.figures.falsely)} at recall ${text(own.figures.recall)} (ours ${text(ours.figures.recall)}), ${text(other.figures.falsely)} at net recall ${text(other.figures.net)} (ours ${text(ours.figures.net)})`;
    const note = `${a_month}; ${intervalText(interval)} over turbines; ${size}`;
    return { name, value, unit: "%", min, note };
  }
}

const text = (value: number): string => String(Number(value.toPrecision(3)));
