//! Readings whose units are known, simulated and real, and the mistakes that people make with them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Declared, suspects } from "../../agent/models/suspect.js";
import { UNIT_LAWS } from "../../agent/models/unit-laws.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { createPlant } from "../../agent/sensors/plants/kinds.js";
import type { PlantKind } from "../../agent/sensors/plants/plant.js";
import { isUnitFault, parseUnit, type Unit } from "../../agent/units/parse.js";

export const DATA = join(import.meta.dirname, "../../../shared/data");

export type ReadingSet = {
  readonly name: string;
  readonly kind: string;
  readonly plate: ReadonlyMap<string, number>;
  readonly channels: readonly Declared[];
};

/** What a commissioning engineer gets wrong: declared (key) while the device sends the value. */
const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  Cel: ["K", "[degF]"],
  K: ["[degF]"],
  rpm: ["rad/s", "r/s"],
  "rad/s": ["r/min", "r/s"],
  deg: ["rad"],
  kW: ["W", "MW"],
  MW: ["kW", "W"],
  hPa: ["Pa", "kPa", "bar"],
  Pa: ["hPa", "kPa"],
  kPa: ["hPa", "bar", "Pa", "psi"],
  bar: ["hPa", "kPa", "psi", "MPa"],
  "kN.m": ["N.m", "MN.m"],
  "N.m": ["kN.m"],
  kN: ["N"],
  "m/s": ["km/h", "kn"],
  "mm/s{rms}": ["m/s", "in/s"],
  "kg/s": ["kg/h", "t/h"],
  "%": ["1"],
  A: ["mA", "kA"],
  V: ["mV"],
  m: ["ft", "mm"],
  uT: ["mT", "nT"],
  "m/s2": ["[g]", "mm/s2"],
};

export function unit(text: string): Unit {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(parsed.fault);
  return parsed;
}

/** Readings of a simulated machine, a row a channel, in SI. */
export function simulated(
  kind: PlantKind,
  hours: number,
  period_ms: number,
  seed: number,
  plate: ReadonlyMap<string, number>,
  fault: string | null = null,
): ReadingSet {
  const plant = createPlant(kind, { asset: "a", seed, period_ms, blockEvery_ms: 1e9 });
  const injection = fault === null ? null : parseInjection(fault);
  if (injection !== null && "fault" in injection) throw new Error(injection.fault);
  if (injection !== null) plant.inject(injection);
  const columns = plant.channels.map((): number[] => []);
  plant.advance(plant.now_ms() + hours * 3_600_000, {
    scalar: (channel, _, value) => columns[channel]?.push(value),
    block: () => {},
  });
  const channels = plant.channels
    .map(({ name, unit: declared }, i) => ({
      name,
      unit: declared,
      point: unit(declared).affine,
      values: columns[i] ?? [],
    }))
    .filter(({ values }) => values.length > 0);
  return { name: `simulated ${kind}, seed ${seed}`, kind, plate, channels };
}

/** The same numbers from the device, declared as another unit than the device has. */
export function misdeclared(
  channels: readonly Declared[],
  name: string,
  wrong: string,
): Declared[] {
  return channels.map((channel) => {
    if (channel.name !== name) return channel;
    const [is, said] = [unit(channel.unit), unit(wrong)];
    const offset = channel.point ? said.offset : 0;
    const values = Float64Array.from(
      channel.values,
      (si) => ((si - is.offset) / is.factor) * said.factor + offset,
    );
    return { ...channel, unit: wrong, values };
  });
}

export type Rate = {
  readonly channels: number;
  /** Named although every unit is right. */
  readonly falsely: readonly string[];
  readonly tried: number;
  /** The wrong declaration is named, alone or among those as likely. */
  readonly named: number;
  /** The first that is named is it, with the unit that the device has. */
  readonly right: number;
  /** Only others are named: the innocent accused. */
  readonly astray: number;
  readonly missed: readonly string[];
};

/** Declares each channel wrongly in turn, those of `whose` alone where it is given. */
export function rateOf({ kind, plate, channels }: ReadingSet, whose = channels): Rate {
  const laws = UNIT_LAWS.get(kind) ?? [];
  const falsely = suspects(channels, laws, plate).map((found) => found.text);
  let [tried, named, right, astray] = [0, 0, 0, 0];
  const missed: string[] = [];
  for (const { name, unit: is } of whose) {
    for (const wrong of MISTAKES[is] ?? []) {
      const [first] = suspects(misdeclared(channels, name, wrong), laws, plate);
      tried += 1;
      const others = first?.others.some((other) => other.startsWith(`${name} `)) ?? false;
      if (first?.channel === name || others) named += 1;
      else if (first !== undefined) astray += 1;
      const fits = first === undefined || first.fits === null ? null : unit(first.fits);
      const same = fits?.factor === unit(is).factor && fits.offset === unit(is).offset;
      if (first?.channel === name && same) right += 1;
      else missed.push(`${name} ${is} as ${wrong}: ${first?.text ?? "nothing"}`);
    }
  }
  return { channels: channels.length, falsely, tried, named, right, astray, missed };
}

export function sum(rates: readonly Rate[]): Omit<Rate, "missed"> {
  const total = (of: (rate: Rate) => number): number => rates.reduce((n, r) => n + of(r), 0);
  return {
    channels: total((r) => r.channels),
    falsely: rates.flatMap((r) => r.falsely),
    tried: total((r) => r.tried),
    named: total((r) => r.named),
    right: total((r) => r.right),
    astray: total((r) => r.astray),
  };
}

type Table = ReadonlyMap<string, readonly number[]>;

export function table(file: string): Table {
  const bytes = readFileSync(join(DATA, file));
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  const rows = text.trim().split("\n");
  const names = (rows[0] as string).split(",").map((name) => name.trim().replaceAll('"', ""));
  const cells = rows.slice(1).map((row) => row.split(","));
  const number = (cell: string | undefined): number =>
    cell === undefined || cell.trim() === "" ? Number.NaN : Number(cell);
  return new Map(names.map((name, i) => [name, cells.map((row) => number(row[i]))]));
}

/** Columns of a real set under the units said: channel -> [column, unit, is a point]. */
export function real(
  read: Table,
  columns: Readonly<Record<string, readonly [string, string]>>,
): Declared[] {
  return Object.entries(columns).map(([name, [column, said]]) => {
    const { factor, offset, affine } = unit(said);
    const values = [...read].find(([key]) => key.includes(column))?.[1];
    if (values === undefined) throw new Error(`no ${column} in ${[...read.keys()].join()}`);
    const si = Float64Array.from(values, (x) => x * factor + offset);
    // A temperature in kelvin is a point too.
    return { name, unit: said, point: affine || unit(said).dim === "K", values: si };
  });
}

/** The published power curves as machines that saw every wind, their plates from the file names. */
export function powerCurves(): ReadingSet[] {
  return readdirSync(join(DATA, "turbine_power_curves"))
    .filter((file) => /_\d[\d.]*(kW|MW)_[\d.]+\.csv$/.test(file))
    .map((file) => {
      const read = table(`turbine_power_curves/${file}`);
      const [wind = [], power = []] = ["Wind", "Power"].map(
        (word) => [...read].find(([key]) => key.startsWith(word))?.[1],
      );
      const winds = Array.from({ length: 220 }, (_, i) => 3 + i / 10);
      const at = winds.map((v) => interpolate(wind, power, v) * 1e3);
      const diameter_m = Number(/_([\d.]+)\.csv$/.exec(file)?.[1]);
      return {
        name: file,
        kind: "wind-turbine",
        plate: new Map([
          ["ratedPower", Math.max(...power) * 1e3],
          ["rotorRadius", diameter_m / 2],
        ]),
        channels: [
          { name: "windSpeed", unit: "m/s", point: false, values: winds },
          { name: "power", unit: "kW", point: false, values: at },
        ],
      };
    });
}

function interpolate(x: readonly number[], y: readonly number[], at: number): number {
  const i = x.findIndex((v) => v >= at);
  const [x0, x1] = [x[i - 1] ?? Number.NaN, x[i] ?? Number.NaN];
  const [y0, y1] = [y[i - 1] ?? Number.NaN, y[i] ?? Number.NaN];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}
