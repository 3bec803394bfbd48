//! The trend of a channel and the vibration spectra, drawn by uPlot.
import uPlot from "/uplot.js";
import type { Spectrum } from "../../models/monitor.js";
import { byId, digits, make, readableUnit, say } from "./dom.js";

/** As the server sends it: arrays of equal length, null where there was no value. */
export type History = {
  readonly t_s: readonly number[];
  readonly v: readonly (number | null)[];
};
export type Chosen = {
  readonly asset: string;
  readonly channel: string;
  readonly unit: string;
  readonly low: number | null;
  readonly high: number | null;
};
/** JSON has no Float32Array. */
export type PlainSpectrum = Omit<Spectrum, "values"> & { readonly values: readonly number[] };

const HEIGHT = 220;
const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function axes(x: string, y: string): uPlot.Axis[] {
  const line = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 } };
  return [
    { ...line, label: x, labelSize: 20 },
    { ...line, label: y, size: 70, values: (_, ticks) => ticks.map(digits) },
  ];
}

let trend: uPlot | null = null;
let trendKey = "";

/** `now_ms` is the agent's: its clock may run faster than ours. */
export async function drawTrend(chosen: Chosen): Promise<void> {
  const { asset, channel, unit, low, high } = chosen;
  const query = new URLSearchParams({ asset, channel });
  const answer = await fetch(`/api/history?${query}`);
  if (!answer.ok) return;
  const { t_s, v } = (await answer.json()) as History;
  const flat = (level: number | null): (number | null)[] => t_s.map(() => level);
  const data: uPlot.AlignedData = [[...t_s], [...v], flat(low), flat(high)];
  const key = `${asset}/${channel}`;
  say(
    byId("trend-title"),
    `Trend of ${asset} ${channel}${unit === "" ? "" : ` in ${readableUnit(unit)}`}`,
  );
  byId("trend-hint").hidden = true;
  if (trend !== null && key === trendKey) {
    trend.setData(data);
    return;
  }
  trend?.destroy();
  trendKey = key;
  const box = byId("trend-plot");
  const limit = { stroke: colour("--soft"), dash: [4, 4], width: 1, points: { show: false } };
  trend = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      scales: { y: { range: (plot) => rangeOf(plot.data[1] ?? []) } },
      axes: axes("time", readableUnit(unit)),
      series: [
        {},
        { label: channel, stroke: colour("--trace"), width: 2, points: { show: false } },
        { label: "expected from", ...limit },
        { label: "to", ...limit },
      ],
    },
    data,
    box,
  );
}

/** By the values alone: a wide band would make a flat line of them. */
function rangeOf(values: ArrayLike<number | null | undefined>): [number, number] {
  const known = Array.from(values).filter((v): v is number => typeof v === "number");
  if (known.length === 0) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const margin = Math.max((high - low) * 0.2, Math.abs(high) * 0.01, 1e-6);
  return [low - margin, high + margin];
}

const spectra = new Map<string, { plot: uPlot; t_ms: number; markers: string }>();

export function drawSpectra(asset: string, list: readonly PlainSpectrum[]): void {
  for (const spectrum of list) {
    const key = `${asset}/${spectrum.channel}`;
    const known = spectra.get(key);
    if (known?.t_ms === spectrum.t_ms) continue;
    const orders = spectrum.values.map((_, k) => k * spectrum.orderStep);
    const data: uPlot.AlignedData = [orders, [...spectrum.values]];
    if (known === undefined) {
      const plot = newSpectrum(asset, spectrum, data);
      spectra.set(key, { plot, t_ms: spectrum.t_ms, markers: "" });
    } else {
      known.plot.setData(data);
      known.t_ms = spectrum.t_ms;
    }
  }
}

function newSpectrum(asset: string, spectrum: PlainSpectrum, data: uPlot.AlignedData): uPlot {
  const box = make("div", { class: "plot", role: "img" });
  const orders = spectrum.markers.map(({ label, order }) => `${label} ${digits(order)}`).join(", ");
  const title = `Envelope spectrum of ${asset} ${spectrum.channel}`;
  box.setAttribute("aria-label", `${title}; fault orders ${orders}`);
  const note = make("p", { class: "folded" }, `Fault orders of the bearing: ${orders}`);
  byId("spectra").append(make("div", { class: "panel" }, make("h2", {}, title), box, note));
  const { markers } = spectrum;
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false } },
      legend: { show: false },
      axes: axes("orders of shaft speed", readableUnit(spectrum.unit)),
      series: [{}, { stroke: colour("--trace"), width: 1, points: { show: false } }],
      hooks: { draw: [(plot) => drawMarkers(plot, markers)] },
    },
    data,
    box,
  );
}

function drawMarkers(plot: uPlot, markers: PlainSpectrum["markers"]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour("--warning");
  ctx.fillStyle = colour("--warning");
  ctx.textAlign = "left";
  ctx.setLineDash([6, 4]);
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  // In the order of their places, so that neighbours stand in different rows.
  const sorted = [...markers].sort((a, b) => a.order - b.order);
  sorted.forEach(({ order, label }, row) => {
    const x = plot.valToPos(order, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(label, x + 4, bbox.top + (12 + (row % 3) * 14) * devicePixelRatio);
  });
  ctx.restore();
}

addEventListener("resize", () => {
  const width = byId("trend-plot").clientWidth;
  trend?.setSize({ width, height: HEIGHT });
  for (const { plot } of spectra.values()) {
    plot.setSize({ width: plot.root.parentElement?.clientWidth ?? width, height: HEIGHT });
  }
});
