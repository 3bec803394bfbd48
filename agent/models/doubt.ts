//! Why a channel is not believed, in words.
import { formatIn } from "../units/format.js";
import { SUSPICIONS, type Validity } from "./chain/validity.js";
import type { Finding } from "./monitor.js";

const DOUBT = ".fault";
/** The channel whose health this output tells; null: it tells something else. */
export const doubtedBy = (output: string): string | null =>
  output.endsWith(DOUBT) ? output.slice(0, -DOUBT.length) : null;

const STUCK = SUSPICIONS.indexOf("stuck");

/** In the largest unit of which there are two. */
function lengthText(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 120) return `${s} s`;
  return s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`;
}

/** Null where input `i`, a channel of this name and unit, is believed. */
export function doubtOf(
  validity: Validity,
  i: number,
  { name, unit }: { readonly name: string; readonly unit: string },
): Finding | null {
  const code = validity.code(i);
  if (code === 0) return null;
  const { value, count, ms } = validity.repeats(i);
  const said =
    code === STUCK && count > 1
      ? `${name}: stuck at ${formatIn(value, unit)} for ${lengthText(ms)}, ${count} readings alike`
      : `${name}: ${SUSPICIONS[code]}`;
  const evidence = [said, "withheld from every model"];
  return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
}
