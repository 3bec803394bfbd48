//! The channels a wind turbine may have and the keys of its nameplate. Ranges are those of sensors
//! and physics, wider than any healthy reading; limits on temperatures belong to the rules.
import type { PortRow, Size } from "./chain/port.js";
import type { NameplateRow } from "./setup.js";

type Short = readonly [
  name: string,
  unit: string,
  range: readonly [number, number],
  jump: readonly [number, number] | null,
  spike: number | null,
  about: string,
];

const MACHINE = { power_W: 5e6, generator_radps: 122.91, rotor_radps: 1.267 } as const;
/** What the ranges below of these channels are of. */
const SIZES: Readonly<Record<string, Size>> = {
  power: { over: "ratedPower", si: MACHINE.power_W },
  generatorTorque: {
    over: "ratedPower",
    under: "ratedSpeed",
    si: MACHINE.power_W / MACHINE.generator_radps,
  },
  generatorSpeed: { over: "ratedSpeed", si: MACHINE.generator_radps },
  rotorSpeed: { over: "ratedSpeed", under: "gearRatio", si: MACHINE.rotor_radps },
};

const still = new Set(["gridCurtailment", "state"]);
const row = ([name, unit, range, jump, spike, about]: Short): PortRow => ({
  name,
  unit,
  shape: name === "hssAccel" ? "block" : "scalar",
  about,
  range,
  pace: name === "ambientPressure" ? 8 : null, // storms: 10 hPa an hour
  jump,
  spike,
  noisy: !still.has(name) && name !== "hssAccel",
  whole: name === "state",
  ...(SIZES[name] === undefined ? {} : { size: SIZES[name] }),
});

// Speeds have each other for a witness, and no step of a brake is known to be too steep.
// A temperature moves by at most 3 q_max / C (0.034, 0.013, 0.020, 0.0024 K/s healthy); the step
// is a few quantisations of a poor sensor.
const ROWS: readonly Short[] = [
  ["windSpeed", "m/s", [0, 60], null, 6, "nacelle anemometer"],
  ["rotorSpeed", "rpm", [-0.5, 25], null, 1, "low-speed shaft"],
  ["generatorSpeed", "rpm", [-20, 2400], null, 100, "high-speed shaft"],
  ["pitch", "deg", [-10, 95], [9, 9], 9, "collective blade pitch"],
  ["pitchDemand", "deg", [-10, 95], [9, 9], 9, "what the controller asks the pitch drives for"],
  ["power", "kW", [-500, 8000], null, 1500, "active electrical power"],
  ["generatorTorque", "kN.m", [-5, 80], null, 15, "air-gap torque, from the converter"],
  ["ambientTemp", "Cel", [-45, 60], null, 5, "outside air"],
  ["ambientPressure", "hPa", [700, 1100], [3, 0.01], 5, "outside air"],
  ["nacelleTemp", "Cel", [-40, 80], [3, 0.05], 3, "air in the nacelle"],
  ["windingTemp", "Cel", [-40, 250], [3, 0.102], 4, "generator stator winding"],
  ["oilTemp", "Cel", [-40, 150], [3, 0.039], 4, "gear oil sump"],
  ["hssBearingTemp", "Cel", [-40, 180], [3, 0.06], 4, "gearbox high-speed shaft bearing"],
  ["mainBearingTemp", "Cel", [-40, 150], [2, 0.0072], 3, "rotor main bearing"],
  ["yawError", "deg", [-180, 180], null, 25, "wind vane against the nacelle axis"],
  ["towerAccel", "m/s2{rms}", [0, 5], null, 0.3, "fore-aft tower top, 0.1-10 Hz"],
  ["gridCurtailment", "%", [0, 100], null, null, "share of rated power that the grid allows"],
  ["state", "1", [0, 5], null, null, "0 idle 1 start 2 run 3 stop 4 curtailed 5 service"],
  ["hssAccel", "m/s2", [-500, 500], null, null, "accelerometer at the high-speed shaft bearing"],
];

export const TURBINE_PORTS: readonly PortRow[] = ROWS.map(row);

export const TURBINE_PLATE: readonly NameplateRow[] = [
  { key: "ratedPower", unit: "MW", otherwise: null, about: "active power at rated wind" },
  { key: "rotorRadius", unit: "m", otherwise: null, about: "blade tip to axis" },
  { key: "gearRatio", unit: "1", otherwise: null, about: "high-speed over low-speed shaft" },
  { key: "ratedSpeed", unit: "rpm", otherwise: 122.91, about: "generator at rated power" },
  { key: "generatorEfficiency", unit: "1", otherwise: 0.944, about: "electrical over shaft power" },
  { key: "hssBearing.rollers", unit: "1", otherwise: null, about: "rolling elements" },
  { key: "hssBearing.ballDiameter", unit: "mm", otherwise: null, about: "rolling element" },
  { key: "hssBearing.pitchDiameter", unit: "mm", otherwise: null, about: "circle of the centres" },
  { key: "hssBearing.contactAngle", unit: "deg", otherwise: 0, about: "0 for deep groove" },
];
