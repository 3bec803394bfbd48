//! Matrices times a batch: the share of what vpdpbusd alone reaches, and next to the peers.
import { openNative, probeNative } from "../agent/accel/native.js";
import { dense, densePlan } from "./kernel-nets.js";
import { denseRun, ggmlPeers, peers, type Shape } from "./kernel-runs.js";
import { both, type Entry, fasterOf, race, type Timed } from "./kernel-times.js";
import { openPeak } from "./peak.js";
import { FORMS } from "./peers/onnxruntime.js";
import { type Bound, failedRow, type Row, shown } from "./result.js";

/** With one thread against the vpdpbusd peak of one core, with two against that of both. */
export function gemmRows(name: string, shape: Shape, min: number, small: boolean): Row[] {
  const kernel = small ? "avx512-vbmi" : "avx512-vnni";
  const absent = probeNative(kernel);
  if (absent !== null) return [failedRow(name, "GMAC/s", { min }, absent)];
  const [rows, cols, batch] = shape;
  const load = denseRun(densePlan(rows, cols, small), shape);
  const own = both("ours", (threads) => load(openNative(kernel, threads)));
  const peaks = [openPeak(1), openPeak(2)];
  const others = peers([dense(rows, cols)], [cols], FORMS, batch);
  const ggml = small ? [] : ggmlPeers(shape);
  const times = race([...own, ...peaks, ...others, ...ggml]);
  const share = (i: 0 | 1, row: Bound & { readonly name: string }, cores: string): Row => {
    const [mine, peak] = [times[i], times[own.length + i]] as [Timed, Timed];
    const [value, peer] = [rate(mine, rows * cols * batch), rate(peak, peaks[i]?.macs ?? 0)];
    const figures = `ours ${value.text}, the peak ${peer.text}`;
    const note = `share of the vpdpbusd peak of ${cores}; ${rows} x ${cols}, batch ${batch}; ${figures}`;
    const ratio = value.median / peer.median;
    return { value: value.median, unit: "GMAC/s", peer: peer.median, ratio, ...row, note };
  };
  const against = (peer: string, entries: readonly Entry[]): Row =>
    fasterOf(`${name}-vs-${peer}`, {}, times, { ours: own, peers: entries });
  return [
    share(0, { name, min }, "one core"),
    share(1, { name: `${name}-two-threads` }, "two cores"),
    against("onnxruntime", others),
    ...(ggml.length === 0 ? [] : [against("ggml", ggml)]),
  ];
}

/** Multiply-adds of a call as GMAC/s: the median, and with its quartiles. */
function rate({ us, low, high }: Timed, macs: number): { median: number; text: string } {
  const at = (time_us: number): number => macs / time_us / 1000;
  return { median: at(us), text: `${shown(at(us))} (${shown(at(high))}..${shown(at(low))})` };
}
