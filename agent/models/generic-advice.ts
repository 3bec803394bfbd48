//! Which channel should be named under settings. What a load moves is so much alike that the channels
//! are twins of one another, and without them hardly foretold; a twin that is named as a setting is
//! kept, and foretells them all.
import { type Foretold, inputsFor, inputsOf, restOf, twinsOf } from "./generic-foretell.js";
import { fitOn } from "./generic-moments.js";
import { PARTS } from "./generic-past.js";

/** A channel is worth naming where it foretells so many times as well... */
const BETTER = 2;
/** ...at least half of the others, and so many. */
const LEAST = 3;
const NAMED = 4;

/** Best first those that `drives` (the load is measured in units of power), then by how many gain. */
export function adviseSettings(
  normal: Foretold,
  names: readonly string[],
  drives: (name: string) => boolean,
): string | null {
  const { places, settings } = normal;
  const readings = names.flatMap((_, j) => (j >= settings && places[j]?.sigma !== 0 ? [j] : []));
  const named = Array.from({ length: settings }, (_, j) => j);
  const now = new Map(readings.map((j) => [j, apart(normal, j, named)]));
  const found = readings.flatMap((candidate) => {
    const others = readings.filter((j) => j !== candidate);
    const gains = others
      .map((j) => (now.get(j) as number) / apart(normal, j, [...named, candidate]))
      .filter((gain) => gain >= BETTER);
    if (gains.length < Math.max(LEAST, others.length / 2)) return [];
    const name = names[candidate] as string;
    return [{ name, gains: gains.length, others: others.length, drive: Number(drives(name)) }];
  });
  const [best, ...rest] = found.sort((a, b) => b.drive - a.drive || b.gains - a.gains);
  if (best === undefined) return null;
  const { name, gains, others } = best;
  const equal = rest.filter((one) => one.gains >= gains).slice(0, NAMED);
  const or = equal.length === 0 ? "" : `; so would ${equal.map((one) => one.name).join(", ")} do`;
  const what = `${gains} of ${others} channels would be foretold at least twice as well`;
  return `name ${name} under settings, if it sets the load: ${what}${or}`;
}

/** What is left of a channel, in its spreads, when its twins beside these settings are left out. */
function apart(normal: Foretold, channel: number, settings: readonly number[]): number {
  const { known, places, regimes, codes } = normal;
  const count = (codes ?? regimes).length;
  const all = places.flatMap(({ sigma }, i) => (i === channel || sigma === 0 ? [] : [i]));
  const twins = twinsOf(known, channel, all, settings, count);
  const others = all.filter((i) => !twins.includes(i));
  const from = inputsFor(channel, others, known, settings.length);
  const target = channel * PARTS;
  return restOf(fitOn(known, inputsOf(from, places.length, count), target), known, target);
}
