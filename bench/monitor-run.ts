//! Runs rows of the evaluation: first, alone, those that measure time; then turbines of the fleet and
//! all else in processes of their own on every core; last what is judged of the turbines.
import { plansOf } from "./fleet.js";
import { isKept, pieceOf as turbinePiece } from "./fleet-cache.js";
import { FLEET_NAMES } from "./fleet-rows.js";
import { type Effort, pieceOf, rowsOf, WORK, type Work } from "./monitor-rows.js";
import { runPieces } from "./pieces.js";
import { failedRow, type Row } from "./result.js";

export type Measured = {
  readonly rows: readonly Row[];
  /** Turbines of the fleet that this run simulated, and those that it found under .cache. */
  readonly turbines: { readonly run: number; readonly read: number };
};

/** Rows by name, all of them for null. */
export async function measure(only: readonly string[] | null, effort: Effort): Promise<Measured> {
  const works = chosen(only);
  const at = (when: Work["when"]): Work[] => works.filter((work) => work.when === when);
  const rows = at("alone").flatMap((work) => rowsOf(work, effort));

  const processes = [...Map.groupBy(at(undefined), (work) => work.shares ?? work).values()];
  const plans = works.some(({ names }) => names === FLEET_NAMES) ? plansOf(effort.fleet) : [];
  const missing = plans.filter((plan) => !isKept(plan));
  const pieces = processes.map((own) => pieceOf(own, effort));
  // Turbines last: they are short and alike, so that the cores end together.
  const outcomes = await runPieces([...pieces, ...missing.map(turbinePiece)]);
  processes.forEach((own, i) => {
    const { sent = null, ended = "" } = outcomes[i] ?? {};
    // Sent by monitor-rows.ts as rows.
    rows.push(...((sent as Row[] | null) ?? own.flatMap((work) => failedRows(work, ended))));
  });

  rows.push(...at("after").flatMap((work) => rowsOf(work, effort)));
  const wanted = WORK.flatMap(({ names }) => names).filter((name) => only?.includes(name) ?? true);
  return {
    rows: wanted.flatMap((name) => rows.find((row) => row.name === name) ?? []),
    turbines: { run: missing.length, read: plans.length - missing.length },
  };
}

const failedRows = ({ names, unit, bound }: Work, why: string): Row[] =>
  names.map((name) => failedRow(name, unit, bound, why));

function chosen(only: readonly string[] | null): Work[] {
  const known = WORK.flatMap(({ names }) => names);
  const strange = (only ?? []).filter((name) => !known.includes(name));
  if (strange.length > 0) {
    throw new Error(`no row ${strange.join(", ")}; there are ${known.join()}`);
  }
  return WORK.filter(({ names }) => names.some((name) => only?.includes(name) ?? true));
}
