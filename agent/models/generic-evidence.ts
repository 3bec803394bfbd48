//! What an alarm of a generic machine says: how far each channel is off, what was foretold of it, and
//! what else would explain it.
import { valueIn } from "../units/format.js";
import type { Expected } from "./generic-bank.js";
import { PIECE_s, type Reach } from "./generic-foretell.js";
import type { Judge } from "./generic-judge.js";
import type { Slip } from "./generic-slips.js";

export const FAR = 1.5;
const NAMED = 3;
const ODD_ELSE = "the instrument is right, and the part that it measures has changed";

export type Shown = {
  readonly unit: string;
  /** What it says now, SI. */
  readonly raw: number;
};

type Show = (name: string) => Shown;

/** `stands`: for how long a channel has said the very same, in seconds. */
export function machineEvidence(
  judge: Judge,
  settings: readonly string[],
  show: Show,
  stands: (name: string) => number,
): string[] {
  const judged = judge.readings.filter((name) => {
    return !Number.isNaN(judge.deviation(name)) && !judge.isOdd(name);
  });
  const worst = [...judged].sort(
    (a, b) => Math.abs(judge.deviation(b)) - Math.abs(judge.deviation(a)),
  );
  const far = judged.filter((name) => Math.abs(judge.deviation(name)) > FAR).length;
  return [
    ...worst.slice(0, NAMED).map((name) => deviationText(judge, name, show(name))),
    `${far} of ${judged.length} channels judged are off by more than ${FAR} spreads`,
    ...elseText(judge, settings, show, stands),
  ];
}

/** Nothing judges a setting, so that one which lies looks like the machine. */
function elseText(
  judge: Judge,
  settings: readonly string[],
  show: Show,
  stands: (name: string) => number,
): string[] {
  if (settings.length === 0) return [];
  // One that stood still in the healthy period, too, is set to that.
  const still = settings.filter((name) => {
    const { low, high } = judge.reaches.get(name) ?? { low: 0, high: 0 };
    return high > low && stands(name) >= PIECE_s;
  });
  if (still.length === 0) {
    return [`other explanation: a setting reads wrongly (${settings.join(", ")})`];
  }
  return still.map((name) => {
    const { unit, raw } = show(name);
    const now = `${inDigits(raw, unit, 0)} ${unit}`;
    const hours = Math.floor(stands(name) / 3600);
    return `other explanation: the setting ${name} is stuck: it has said ${now} for ${hours} h`;
  });
}

export function oddEvidence(judge: Judge, name: string, shown: Shown): string[] {
  const said = deviationText(judge, name, shown);
  return [`${said}, and the channels that it follows are not`, `other explanation: ${ODD_ELSE}`];
}

/** The number as it was sent is the same in either unit. */
export function slipEvidence(name: string, unit: string, slip: Slip): string[] {
  const { reads, meant, reach } = slip;
  const text = (si: number): string => inDigits(si, unit, (reach.high - reach.low) / 20);
  const sent = text(reads);
  const learnt = `${text(reach.low)} to ${text(reach.high)} ${unit} that were learnt`;
  return [
    `${name}: declared ${unit}, but ${meant.text} would fit`,
    `${sent} ${unit} is far from the ${learnt}, ${sent} ${meant.text} is not`,
    "check the unit in the config; withheld from every model until then",
  ];
}

function deviationText(judge: Judge, name: string, { unit, raw }: Shown): string {
  const away = judge.deviation(name);
  const found = judge.expected(name);
  const now = `now ${inDigits(raw, unit, found?.sigma ?? 0)} ${unit}`;
  const told =
    found === null ? now : `${now}, foretold ${between(found, judge.reaches.get(name), unit)}`;
  const way = away < 0 ? "below" : "above";
  return `${name} is ${Math.abs(away).toFixed(1)} spreads ${way} its normal (${told})`;
}

/** Of the greatest value ever: what a machine at rest draws instead of giving. */
const BELOW_ZERO = 0.05;

/** Two spreads either way. What was as good as never below zero is not foretold there. */
function between({ value, sigma }: Expected, reach: Reach | undefined, unit: string): string {
  const { low, high } = reach ?? { low: Number.NEGATIVE_INFINITY, high: 0 };
  const least = low >= -BELOW_ZERO * high ? Math.min(0, low, value) : Number.NEGATIVE_INFINITY;
  const from = inDigits(Math.max(value - 2 * sigma, least), unit, sigma);
  return `${from} to ${inDigits(value + 2 * sigma, unit, sigma)}`;
}

const DIGITS = 6;

/** As many decimals as two digits of `sigma` have; six digits where nothing tells. */
function inDigits(si: number, unit: string, sigma: number): string {
  const value = valueIn(si, unit);
  const step = Math.abs(valueIn(si + sigma, unit) - value);
  if (!(step > 0)) return String(Number(value.toPrecision(DIGITS)));
  const decimals = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(step))));
  return String(Number(value.toFixed(decimals)));
}
