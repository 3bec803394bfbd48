//! PLACEHOLDER that fixes the contract: SI numbers for people. The units room replaces the body.

/** An SI value in a unit: `formatIn(353.15, "Cel")` is `80 Cel`; at most 4 significant digits. */
export function formatIn(si: number, unit: string): string {
  return `${Number(si.toPrecision(4))} ${unit}`;
}
