//! The channels a gas turbine may have and its nameplate. Ranges are those of sensors and physics.
import type { PortRow, Size } from "./chain/port.js";
import type { NameplateRow } from "./setup.js";

type Short = readonly [string, string, readonly [number, number], number | null, string];

const ROWS: readonly Short[] = [
  ["state", "1", [0, 3], null, "0 off 1 start 2 run 3 stop"],
  ["loadDemand", "MW", [-1, 40], null, "load reference of the governor"],
  ["power", "MW", [-1, 40], 3, "active electrical power"],
  ["generatorCurrent", "A", [-20, 2500], 200, "stator"],
  ["shaftSpeed", "rpm", [-5, 3600], 50, "single shaft"],
  ["fuelFlow", "kg/s", [-0.05, 3], 0.2, "fuel gas"],
  ["inletTemp", "Cel", [-45, 60], 5, "compressor inlet"],
  ["ambientPressure", "hPa", [700, 1100], 5, "outside air"],
  ["inletDrop", "hPa", [-2, 80], 5, "across the inlet filter"],
  ["dischargeTemp", "Cel", [-40, 520], 40, "behind the compressor"],
  ["dischargePressure", "kPa", [60, 2200], 100, "behind the compressor, absolute"],
  ["exhaustTempA", "Cel", [-40, 750], 60, "mean of the even thermocouples"],
  ["exhaustTempB", "Cel", [-40, 750], 60, "mean of the odd thermocouples"],
  ["exhaustSpread", "K", [-5, 200], 20, "hottest less coldest exhaust thermocouple"],
  ["oilTemp", "Cel", [-40, 150], 4, "lubricating oil, header"],
  ["bearingTemp1", "Cel", [-40, 200], 4, "journal bearing, compressor end"],
  ["bearingTemp2", "Cel", [-40, 200], 4, "journal bearing, turbine end"],
  ["vibration1", "mm/s{rms}", [0, 50], 4, "housing, compressor end"],
  ["vibration2", "mm/s{rms}", [0, 50], 4, "housing, turbine end"],
];
/** Of 25 MW at 3000 rpm and 11 kV. */
const SIZES: Readonly<Record<string, Size>> = {
  loadDemand: { over: "ratedPower", si: 25e6 },
  power: { over: "ratedPower", si: 25e6 },
  fuelFlow: { over: "ratedPower", si: 25e6 },
  generatorCurrent: { over: "ratedPower", under: "voltage", si: 25e6 / 11_000 },
  shaftSpeed: { over: "ratedSpeed", si: 314.159 },
};
/** A temperature moves by at most 3 q_max / C; the step is a few quantisations of a poor sensor. */
const JUMPS: Readonly<Record<string, readonly [number, number]>> = {
  oilTemp: [3, 0.087],
  bearingTemp1: [3, 0.3],
  bearingTemp2: [3, 0.3],
};
const STILL = new Set(["state", "loadDemand"]);

export const GAS_TURBINE_PORTS: readonly PortRow[] = ROWS.map(
  ([name, unit, range, spike, about]) => ({
    name,
    unit,
    shape: "scalar",
    about,
    range,
    jump: JUMPS[name] ?? null,
    pace: name === "ambientPressure" ? 8 : null,
    spike,
    noisy: !STILL.has(name),
    whole: name === "state",
    ...(SIZES[name] === undefined ? {} : { size: SIZES[name] }),
  }),
);

export const GAS_TURBINE_PLATE: readonly NameplateRow[] = [
  { key: "ratedPower", unit: "MW", otherwise: null, about: "at 15 Cel and sea level" },
  { key: "ratedSpeed", unit: "rpm", otherwise: 314.159, about: "on the grid" },
  { key: "voltage", unit: "kV", otherwise: 11_000, about: "generator terminals" },
  { key: "powerFactor", unit: "1", otherwise: 0.95, about: "of the generator" },
];
