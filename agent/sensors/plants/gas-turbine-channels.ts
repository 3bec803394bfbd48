//! The channels of the simulated gas turbine; the names are those of the asset kind.
import type { PlantChannel } from "./plant.js";

type Row = readonly [
  name: string,
  unit: string,
  span: readonly [number, number],
  noise: number,
  step: number,
  about: string,
];

export const GAS_TURBINE_STATES = { off: 0, start: 1, run: 2, stop: 3 } as const;

const ROWS: readonly Row[] = [
  ["state", "1", [0, 3], 0, 1, "0 off 1 start 2 run 3 stop"],
  ["loadDemand", "MW", [0, 25], 0, 0.01, "load reference of the governor"],
  ["power", "MW", [0, 25], 0.02, 0.002, "active electrical power"],
  ["generatorCurrent", "A", [0, 1600], 2, 0.1, "stator, 11 kV at a power factor of 0.95"],
  ["shaftSpeed", "rpm", [0, 3300], 0.3, 0.01, "single shaft, locked to the grid while it runs"],
  ["fuelFlow", "kg/s", [0, 1.8], 0.004, 0.0002, "natural gas"],
  ["inletTemp", "Cel", [-20, 45], 0.15, 0.01, "compressor inlet"],
  ["ambientPressure", "hPa", [950, 1050], 0.15, 0.01, "outside air"],
  ["inletDrop", "hPa", [0, 50], 0.1, 0.005, "across the inlet filter"],
  ["dischargeTemp", "Cel", [0, 450], 0.6, 0.02, "behind the compressor"],
  ["dischargePressure", "kPa", [0, 1700], 2, 0.1, "behind the compressor, absolute"],
  ["exhaustTempA", "Cel", [0, 650], 1, 0.05, "mean of the even thermocouples"],
  ["exhaustTempB", "Cel", [0, 650], 1, 0.05, "mean of the odd thermocouples"],
  ["exhaustSpread", "K", [0, 120], 1, 0.05, "hottest less coldest exhaust thermocouple"],
  ["oilTemp", "Cel", [0, 90], 0.1, 0.01, "lubricating oil, header"],
  ["bearingTemp1", "Cel", [0, 120], 0.1, 0.01, "journal bearing, compressor end"],
  ["bearingTemp2", "Cel", [0, 120], 0.1, 0.01, "journal bearing, turbine end"],
  ["vibration1", "mm/s{rms}", [0, 20], 0.08, 0.005, "housing, compressor end, 10-1000 Hz"],
  ["vibration2", "mm/s{rms}", [0, 20], 0.08, 0.005, "housing, turbine end, 10-1000 Hz"],
];

export const GAS_TURBINE_CHANNELS: readonly PlantChannel[] = ROWS.map(
  ([name, unit, span, noise, step, about]) => ({
    name,
    unit,
    shape: "scalar",
    span,
    noise,
    step,
    about,
  }),
);
