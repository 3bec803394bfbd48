import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type Declared, suspects } from "../../agent/models/suspect.js";
import { UNIT_LAWS } from "../../agent/models/unit-laws.js";
import { createPlant } from "../../agent/sensors/plants/kinds.js";
import type { PlantKind } from "../../agent/sensors/plants/plant.js";
import { isUnitFault, parseUnit, type Unit } from "../../agent/units/parse.js";

const DATA = join(import.meta.dirname, "../../../shared/data");
const NREL = new Map([
  ["ratedPower", 5e6],
  ["rotorRadius", 63],
  ["gearRatio", 97],
]);
/** What a commissioning engineer gets wrong: declared (key) while the device sends the value. */
const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  Cel: ["K", "[degF]"],
  rpm: ["rad/s", "r/s"],
  "rad/s": ["r/min", "r/s"],
  deg: ["rad"],
  kW: ["W", "MW"],
  hPa: ["Pa", "kPa", "bar"],
  Pa: ["hPa", "kPa"],
  "kN.m": ["N.m", "MN.m"],
  "m/s": ["km/h", "kn"],
  "%": ["1"],
  A: ["mA"],
  V: ["mV"],
  m: ["ft", "mm"],
  uT: ["mT", "nT"],
  "m/s2": ["[g]"],
};

function unit(text: string): Unit {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(parsed.fault);
  return parsed;
}

/** Readings of a simulated machine, a row a channel, in SI. */
function simulated(kind: PlantKind, hours: number, period_ms: number, seed: number): Declared[] {
  const plant = createPlant(kind, { asset: "a", seed, period_ms, blockEvery_ms: 1e9 });
  const columns = plant.channels.map((): number[] => []);
  plant.advance(plant.now_ms() + hours * 3_600_000, {
    scalar: (channel, _, value) => columns[channel]?.push(value),
    block: () => {},
  });
  return plant.channels
    .map(({ name, unit: declared }, i) => ({ name, unit: declared, values: columns[i] ?? [] }))
    .filter(({ values }) => values.length > 0);
}

/** The same numbers from the device, declared as another unit than the device has. */
function misdeclared(channels: readonly Declared[], name: string, wrong: string): Declared[] {
  return channels.map((channel) => {
    if (channel.name !== name) return channel;
    const [is, said] = [unit(channel.unit), unit(wrong)];
    const values = Float64Array.from(
      channel.values,
      (si) => ((si - is.offset) / is.factor) * said.factor + said.offset,
    );
    return { name, unit: wrong, values };
  });
}

type Rate = { tried: number; named: number; right: number; missed: string[] };

function rateOf(
  kind: string,
  channels: readonly Declared[],
  plate: ReadonlyMap<string, number>,
): Rate {
  const laws = UNIT_LAWS.get(kind) ?? [];
  const rate: Rate = { tried: 0, named: 0, right: 0, missed: [] };
  for (const { name, unit: is } of channels) {
    for (const wrong of MISTAKES[is] ?? []) {
      const found = suspects(misdeclared(channels, name, wrong), laws, plate);
      rate.tried += 1;
      const first = found[0];
      const fits = first === undefined || first.fits === null ? null : unit(first.fits);
      if (first?.channel === name && fits !== null) {
        rate.named += 1;
        if (fits.factor === unit(is).factor && fits.offset === unit(is).offset) rate.right += 1;
        else rate.missed.push(`${name} ${is} as ${wrong}: says ${first.fits}`);
      } else {
        rate.missed.push(`${name} ${is} as ${wrong}: ${first?.text ?? "nothing"}`);
      }
    }
  }
  return rate;
}

function report(what: string, { tried, named, right, missed }: Rate): string {
  const text = `${what}: ${tried} wrong declarations, ${named} named, ${right} with the right unit`;
  process.stdout.write(`${text}\n  ${missed.join("\n  ")}\n`);
  return text;
}

test.each([
  ["wind-turbine", 12, 60_000, NREL, 0.7],
  ["quadrotor", 0.2, 1000, new Map<string, number>(), 0.7],
] as const)(
  "%s: each unit declared wrongly in turn",
  (kind, hours, period_ms, plate, least) => {
    const laws = UNIT_LAWS.get(kind) ?? [];
    for (const seed of [1, 2, 3, 4, 5]) {
      const channels = simulated(kind, hours, period_ms, seed);
      expect(suspects(channels, laws, plate).map((found) => found.text)).toEqual([]);
    }
    const rate = rateOf(kind, simulated(kind, hours, period_ms, 1), plate);
    report(kind, rate);
    expect(rate.named / rate.tried).toBeGreaterThan(least);
  },
  60_000,
);

function table(file: string): Map<string, number[]> {
  const rows = gunzipSync(readFileSync(file)).toString().trim().split("\n");
  const names = (rows[0] as string).split(",").map((name) => name.trim().replaceAll('"', ""));
  const cells = rows.slice(1).map((row) => row.split(","));
  const number = (text: string | undefined): number =>
    text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return new Map(names.map((name, i) => [name, cells.map((row) => number(row[i]))]));
}

/** Columns of a real set, under their documented units. */
function real(file: string, columns: Readonly<Record<string, readonly [string, string]>>) {
  const read = table(file);
  return Object.entries(columns).map(([name, [column, said]]): Declared => {
    const { factor, offset } = unit(said);
    const values = read.get(column);
    if (values === undefined) throw new Error(`no ${column} in ${[...read.keys()].join()}`);
    return { name, unit: said, values: values.map((x) => x * factor + offset) };
  });
}

const EMISSIONS = join(DATA, "gas_turbine_emissions/gt_2011.csv.gz");
test.skipIf(!existsSync(EMISSIONS))("a real gas turbine (skipped without ../shared/data)", () => {
  const channels = real(EMISSIONS, {
    ambientTemp: ["AT", "Cel"],
    ambientPressure: ["AP", "hPa"],
    compressorOutletPressure: ["CDP", "bar"],
    turbineInletTemp: ["TIT", "Cel"],
    exhaustTemp: ["TAT", "Cel"],
  });
  const laws = UNIT_LAWS.get("gas-turbine") ?? [];
  expect(suspects(channels, laws, new Map())).toEqual([]);
  // The publisher says mbar of the compressor's outlet; 12 mbar is below the outside air.
  const asPublished = misdeclared(channels, "compressorOutletPressure", "hPa");
  const found = suspects(asPublished, laws, new Map());
  expect(found[0]).toMatchObject({ channel: "compressorOutletPressure", fits: "bar" });
  const rate = rateOf("gas-turbine", channels, new Map());
  report("real gas turbine", rate);
  expect(rate.named / rate.tried).toBeGreaterThan(0.7);
});

const YALOVA = join(DATA, "yalova_scada/T1_2018_01-06.csv.gz");
test.skipIf(!existsSync(YALOVA))("a real wind turbine (skipped without ../shared/data)", () => {
  const read = table(YALOVA);
  const columnOf = (word: RegExp): string => [...read.keys()].find((key) => word.test(key)) ?? "";
  const channels = real(YALOVA, {
    power: [columnOf(/ActivePower/), "kW"],
    windSpeed: [columnOf(/Wind Speed/i), "m/s"],
  });
  // A 3.6 MW machine with a rotor of about 117 m, by its power curve.
  const plate = new Map([
    ["ratedPower", 3.6e6],
    ["rotorRadius", 58.5],
  ]);
  expect(suspects(channels, UNIT_LAWS.get("wind-turbine") ?? [], plate)).toEqual([]);
  const rate = rateOf("wind-turbine", channels, plate);
  report("real wind turbine", rate);
  expect(rate.named / rate.tried).toBeGreaterThan(0.7);
});
