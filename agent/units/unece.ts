//! The UNECE common code that an OPC UA unitId packs, as a unit or as the reason why it is none.
//! Imported on demand: an agent without OPC UA never pays for the table.
import { unitOfAmount } from "./bridge.js";
import { isUnitFault, type Unit } from "./parse.js";
import { BOUND, REFUSED } from "./unece-table.js";

const bound: ReadonlyMap<string, string> = new Map(
  BOUND.trim()
    .split(/;\s*|\n\s*/)
    .map((row): [string, string] => {
      const at = row.indexOf(" ");
      return [row.slice(0, at), row.slice(at + 1)];
    }),
);
const refused: ReadonlyMap<string, string> = new Map(
  REFUSED.flatMap(([why, codes]) =>
    codes.split(/\s+/).map((code): [string, string] => [code, why]),
  ),
);

/** A unit; a text: why this code is refused; null: no such code. */
export function uneceUnit(code: string): Unit | string | null {
  const amount = bound.get(code);
  if (amount === undefined) return refused.get(code) ?? null;
  const unit = unitOfAmount(amount);
  return isUnitFault(unit) ? unit.fault : unit;
}

export const boundCodes = (): readonly string[] => [...bound.keys()];
export const refusedCodes = (): readonly string[] => [...refused.keys()];
