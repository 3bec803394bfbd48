//! What commissioning learns for small shifts: how much of a residual its drivers explain, and the
//! spread of what they leave, with what lasts from slice to slice taken into account.
import { explained, fitExplained } from "./chain/explained.js";
import { median, spread } from "./chain/robust.js";
import { independentScale } from "./chain/shift.js";
import { CELL_VALUES, type Cell, type Row } from "./commission-slices.js";
import type { Learnt } from "./setup.js";

const CLIP = 5; // spreads

/** `left`: the rows as they would have been, had the fit been known. */
export type Explanation = { readonly fit: number[] | null; readonly left: readonly Row[] };

/** No fit where nothing explains the output, or too little was seen to tell how. */
export function explain(rows: readonly Row[], learnt: Learnt): Explanation {
  const { output, explained: of, about } = learnt;
  if (of === undefined) return { fit: null, left: rows };
  const driversOf = (row: Row) => of.by.map((name) => row.cells[name]?.[2] ?? Number.NaN);
  const samples = usual(rows, output).flatMap(({ row, cell }) => {
    const drivers = driversOf(row);
    return drivers.some(Number.isNaN) ? [] : [{ y: cell[2], drivers }];
  });
  // The middle is learnt of what is left, and may be adapted: the fit is about it.
  const centre = median(samples.map(({ y }) => y));
  const unit = about === "one" ? centre : 1;
  const fit = fitExplained(samples.map(({ y, drivers }) => ({ y: (y - centre) / unit, drivers })));
  if (fit === null) return { fit, left: rows };
  const left = rows.map((row): Row => {
    const cell = row.cells[output];
    if (cell === undefined) return row;
    const part = unit * explained(fit, driversOf(row), of.most);
    const [middle, sigma, mean, count] = cell;
    const rest: Cell = [middle - part, sigma, mean - part, Number.isNaN(part) ? 0 : count];
    return { ...row, cells: { ...row.cells, [output]: rest } };
  });
  return { fit, left };
}

/** In the unit of what a commissioned machine says; null where no shift is looked for. */
export function scaleOf(rows: readonly Row[], learnt: Learnt, middle: number): number | null {
  const { output, shift, about } = learnt;
  if (shift === undefined) return null;
  const unit = about === "one" ? middle : 1;
  const rests = usual(rows, output).map(({ cell }) => (cell[2] - middle) / unit);
  const sigma = spread(rests, 0);
  const clipped = rests.map((rest) => Math.max(-CLIP * sigma, Math.min(CLIP * sigma, rest)));
  const power = clipped.reduce((sum, rest) => sum + rest * rest, 0);
  const shared = clipped.reduce((sum, rest, i) => sum + rest * (clipped[i - 1] ?? 0), 0);
  const scale = independentScale(sigma, power > 0 ? shared / power : 0);
  return Number.isNaN(scale) ? null : Number(Math.max(shift.floor, scale).toPrecision(4));
}

/** The cells of the state in which the machine is most. */
function usual(rows: readonly Row[], output: string): { row: Row; cell: Cell }[] {
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  const state = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  return rows.flatMap((row) => {
    const cell = row.cells[output];
    const tells = row.state === state && cell !== undefined && cell[3] >= CELL_VALUES;
    return tells ? [{ row, cell }] : [];
  });
}
