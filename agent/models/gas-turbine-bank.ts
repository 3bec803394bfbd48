//! Which one thing explains what the cycle's instruments say? Residuals against the healthy cycle at
//! the measured drivers are compared with the signature of every fault of the machine and of every
//! instrument; the best explanation wins, two at most, and only with room to the next of the
//! other class. Nothing here accuses the machine because one reading is off.
import { type Cycle, type CycleHealth, cycleAt, HEALTHY } from "../base/brayton.js";

export const MEASURES = [
  "fuelFlow",
  "dischargeTemp",
  "dischargePressure",
  "exhaustTempA",
  "exhaustTempB",
  "inletDrop",
  "generatorCurrent",
  "exhaustSpread",
] as const;
export const DRIVERS = ["inletTemp", "ambientPressure", "power"] as const;
export const WEAR = ["compressor", "turbine", "combustor", "filter"] as const;

/** Model error that commissioning cannot remove: shares of the reading, kelvins for the rest. */
export const FLOOR = [0.006, 2, 0.004, 4, 4, 0.06, 0.006, 3] as const;
const KELVINS = new Set([1, 3, 4, 7]);
const SPREAD_K = [14, 8] as const; // exhaust spread of a healthy machine at no load, and added
const BURNER_SPREAD_K = 45;
/** Chi-square of eight residuals: healthy machines stay below. */
const SEEN = 40;
const EXPLAINED = 0.15;
const ROOM = 0.06;
/** A filter that clogs moves hardly more than its own gauge: then neither is named. */
const LIKELY = 6;

export type Drivers = {
  readonly temperature_K: number;
  readonly pressure_Pa: number;
  readonly power_W: number;
  readonly speed: number;
};
export type Verdict = {
  /** Share of the textbook's full wear, by WEAR; NaN: cannot tell. */
  readonly wear: readonly number[];
  readonly sensors: readonly string[];
};

const FULL: readonly Partial<CycleHealth>[] = [
  { compressorEfficiency: HEALTHY.compressorEfficiency - 0.02, flow: 0.945 },
  { turbineEfficiency: HEALTHY.turbineEfficiency - 0.02 },
  { combustionEfficiency: HEALTHY.combustionEfficiency * 0.96 },
  { filter: 4 },
];

/** Readings of MEASURES that the drivers ask for, scaled to a machine of `rated_W`. */
export function expectedReadings(
  now: Drivers,
  scale: number,
  currentPerWatt: number,
  wear: Partial<CycleHealth> = {},
): number[] {
  const power_W = now.power_W / scale;
  const c: Cycle = cycleAt(now, now.speed, power_W, { ...HEALTHY, ...wear });
  const spread_K = SPREAD_K[0] + (SPREAD_K[1] * power_W) / 23.7e6;
  return [
    c.fuel_kgps * scale,
    c.discharge_K,
    c.discharge_Pa,
    c.exhaust_K,
    c.exhaust_K,
    c.filterDrop_Pa,
    now.power_W * currentPerWatt,
    spread_K,
  ];
}

export function residuals(measured: readonly number[], expected: readonly number[]): number[] {
  return measured.map((m, i) => {
    const e = expected[i] as number;
    return KELVINS.has(i) ? m - e : Math.log(m / e);
  });
}

/** Of one measure of the healthy cycle, with the gap that commissioning found. */
export function expectedOf(measure: string, expected: readonly number[], gap: number): number {
  const names: readonly string[] = MEASURES;
  const i = names.indexOf(measure);
  const value = expected[i] ?? Number.NaN;
  return KELVINS.has(i) ? value + gap : value * Math.exp(gap);
}

type Cause = { readonly name: string; readonly wear: number; readonly signature: number[] };

/** `gaps`: residuals less what commissioning found; NaN where a reading is missing. */
export function explain(
  gaps: readonly number[],
  sigmas: readonly number[],
  now: Drivers,
  scale: number,
  currentPerWatt: number,
): Verdict {
  const sigma = FLOOR.map((floor, i) => Math.max(floor, 2 * (sigmas[i] ?? 0)));
  const known = gaps.map((gap): number => (Number.isNaN(gap) ? 0 : 1));
  const weigh = (raw: readonly number[]): number[] =>
    raw.map((v, i) => (known[i] === 0 ? 0 : v / (sigma[i] as number)));
  const z = weigh(gaps);
  const chi = dot(z, z);
  if (known.reduce((a, b) => a + b, 0) < 5)
    return { wear: WEAR.map(() => Number.NaN), sensors: [] };
  if (!(chi > SEEN)) return { wear: WEAR.map(() => 0), sensors: [] };
  const causes = causesAt(now, scale, currentPerWatt, weigh);
  const singles = causes
    .map((cause) => ({ cause, ...fit(z, [cause]) }))
    .sort((a, b) => a.left - b.left);
  const [best] = singles;
  if (best === undefined) return { wear: WEAR.map(() => 0), sensors: [] };
  if (best.left < Math.max(0.5 * SEEN, EXPLAINED * chi)) {
    const rival = singles.find(({ cause }) => cause.wear < 0 !== best.cause.wear < 0);
    const ahead = rival === undefined ? Number.POSITIVE_INFINITY : rival.left - best.left;
    const sure = best.cause.wear < 0 ? ahead > LIKELY : ahead > Math.max(12, ROOM * chi);
    return verdict(sure ? [best.cause] : null, best.sizes);
  }
  const pairs = singles
    .slice(0, 8)
    .flatMap((a, i) => causes.map((b) => ({ pair: [a.cause, b], i, ...fit(z, [a.cause, b]) })))
    .sort((a, b) => a.left - b.left);
  const [two] = pairs;
  // Two machine faults at once are two weeks apart; two explanations of anything are no proof.
  if (two === undefined || two.pair.every(({ wear }) => wear >= 0)) return verdict(null, []);
  return verdict(two.left < Math.max(0.5 * SEEN, EXPLAINED * chi) ? two.pair : null, two.sizes);
}

function verdict(causes: readonly Cause[] | null, sizes: readonly number[]): Verdict {
  if (causes === null) return { wear: WEAR.map(() => Number.NaN), sensors: [] };
  const wear = WEAR.map((_, k) => {
    const index = causes.findIndex((cause) => cause.wear === k);
    return index < 0 ? 0 : (sizes[index] as number);
  });
  return { wear, sensors: causes.flatMap((c) => (c.wear < 0 ? [c.name] : [])) };
}

function causesAt(
  now: Drivers,
  scale: number,
  currentPerWatt: number,
  weigh: (raw: readonly number[]) => number[],
): Cause[] {
  const at = (drivers: Drivers, wear: Partial<CycleHealth> = {}): number[] =>
    expectedReadings(drivers, scale, currentPerWatt, wear);
  const well = at(now);
  const change = (other: readonly number[]): number[] => weigh(residuals(other, well));
  const worn = FULL.map((wear, k): Cause => {
    const full = at(now, wear);
    if (k === 2) full[7] = (full[7] as number) + BURNER_SPREAD_K;
    return { name: WEAR[k] ?? "", wear: k, signature: change(full) };
  });
  // A driver that reads high: the machine's truth is lower than what the model was given.
  const led = [
    at({ ...now, temperature_K: now.temperature_K - 8 }),
    at({ ...now, pressure_Pa: now.pressure_Pa * 0.98 }),
    at({ ...now, power_W: now.power_W * 0.95 }),
  ].map((other, i): Cause => ({ name: DRIVERS[i] ?? "", wear: -1, signature: change(other) }));
  const own = MEASURES.map((name, i): Cause => {
    const signature = weigh(MEASURES.map((_, j) => (i === j ? (FLOOR[i] as number) : 0)));
    return { name, wear: -1, signature };
  });
  return [...worn, ...led, ...own].filter(({ signature }) => dot(signature, signature) > 1e-9);
}

/** Least squares with one or two causes; wear is never negative. */
function fit(
  z: readonly number[],
  causes: readonly Cause[],
): { readonly left: number; readonly sizes: readonly number[] } {
  const [a, b] = causes;
  const none = { left: Number.POSITIVE_INFINITY, sizes: [] };
  if (a === undefined || a === b) return none;
  const aa = dot(a.signature, a.signature);
  const az = dot(a.signature, z);
  let sizes = [az / aa];
  if (b !== undefined) {
    const bb = dot(b.signature, b.signature);
    const ab = dot(a.signature, b.signature);
    const det = aa * bb - ab * ab;
    if (!(det > 0.02 * aa * bb)) return none;
    const bz = dot(b.signature, z);
    sizes = [(bb * az - ab * bz) / det, (aa * bz - ab * az) / det];
  }
  if (causes.some((cause, i) => cause.wear >= 0 && !((sizes[i] as number) > 0))) return none;
  const left = z.reduce((sum, v, i) => {
    const told = causes.reduce(
      (t, c, k) => t + (sizes[k] as number) * (c.signature[i] as number),
      0,
    );
    return sum + (v - told) ** 2;
  }, 0);
  return { left, sizes };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
}
