//! What the readings of a healthy or sick machine of each kind cannot leave, wide enough for a poor
//! sensor and narrow enough to tell a unit. In SI. Used to judge declarations, never to alarm.
import { BETZ_MAX, R_AIR } from "../units/constants.js";
import type { UnitLaw } from "./suspect.js";

const ZERO_C = 273.15;
const DEG = Math.PI / 180;
const NOT = Number.NaN;

function range(name: string, low: number, high: number, words: string): UnitLaw {
  const said = `${name} ${words}`;
  return { name: said, reads: [name], of: ([x = NOT]) => x, low, high, holds: "most" };
}

function middle(law: UnitLaw): UnitLaw {
  return { ...law, holds: "middle" };
}

const celsius = (name: string, low: number, high: number): UnitLaw =>
  range(name, low + ZERO_C, high + ZERO_C, `lies between ${low} and ${high} Cel`);

/** A running machine warms what it is in: no part is much colder than the outside air. */
const warmer = (part: string, most: number): UnitLaw => ({
  name: `${part} stays between 8 K below and ${most} K above ambientTemp`,
  reads: [part, "ambientTemp"],
  of: ([hot = NOT, air = NOT]) => hot - air,
  low: -8,
  high: most,
  holds: "most",
});

const angle = (name: string, most: number): UnitLaw => ({
  name: `${name} is mostly between 0.1 and ${most} deg in size`,
  reads: [name],
  of: ([x = NOT]) => (x === 0 ? NOT : Math.abs(x)),
  low: 0.1 * DEG,
  high: most * DEG,
  holds: "middle",
});

const PARTIAL = { low: 0.15, high: 0.85 } as const;
const plateOf = (plate: ReadonlyMap<string, number>, key: string): number => plate.get(key) ?? NOT;

/** Power of the wind through the rotor at standard density, W. */
function windPower(wind: number, plate: ReadonlyMap<string, number>): number {
  return (
    0.5 * (101325 / (R_AIR * 288.15)) * Math.PI * plateOf(plate, "rotorRadius") ** 2 * wind ** 3
  );
}

function atPartialLoad(power: number, plate: ReadonlyMap<string, number>): boolean {
  const load = power / plateOf(plate, "ratedPower");
  return load > PARTIAL.low && load < PARTIAL.high;
}

const WIND_TURBINE: readonly UnitLaw[] = [
  range("windSpeed", 0, 60, "lies between 0 and 60 m/s"),
  {
    name: "power over wind power lies between 0.12 and Betz at partial load",
    reads: ["power", "windSpeed"],
    of: ([power = NOT, wind = NOT], plate) =>
      atPartialLoad(power, plate) && wind > 0 ? power / windPower(wind, plate) : NOT,
    low: 0.12,
    high: BETZ_MAX,
    holds: "middle",
  },
  {
    name: "the tip moves 4 to 14 times as fast as the wind at partial load",
    reads: ["rotorSpeed", "windSpeed", "power"],
    of: ([speed = NOT, wind = NOT, power = NOT], plate) =>
      atPartialLoad(power, plate) ? (speed * plateOf(plate, "rotorRadius")) / wind : NOT,
    low: 4,
    high: 14,
    holds: "middle",
  },
  {
    name: "the tip moves slower than 120 m/s",
    reads: ["rotorSpeed"],
    of: ([speed = NOT], plate) => Math.abs(speed) * plateOf(plate, "rotorRadius"),
    low: 0,
    high: 120,
    holds: "most",
  },
  {
    name: "power stays within 1.2 times rated",
    reads: ["power"],
    of: ([power = NOT], plate) => power / plateOf(plate, "ratedPower"),
    low: -0.2,
    high: 1.2,
    holds: "most",
  },
  {
    name: "generatorSpeed is rotorSpeed times the gear ratio",
    reads: ["generatorSpeed", "rotorSpeed"],
    of: ([fast = NOT, slow = NOT], plate) =>
      Math.abs(fast) > 1 ? fast / (slow * plateOf(plate, "gearRatio")) : NOT,
    low: 0.95,
    high: 1.05,
    holds: "middle",
  },
  {
    name: "power is generatorTorque times generatorSpeed, less losses",
    reads: ["power", "generatorTorque", "generatorSpeed"],
    of: ([power = NOT, torque = NOT, speed = NOT]) =>
      torque * speed > 0 && power > 0 ? power / (torque * speed) : NOT,
    low: 0.8,
    high: 1.03,
    holds: "middle",
  },
  celsius("ambientTemp", -45, 55),
  range("ambientPressure", 60_000, 109_000, "lies between 600 and 1090 hPa"),
  celsius("nacelleTemp", -40, 70),
  celsius("windingTemp", -40, 175),
  celsius("oilTemp", -40, 100),
  celsius("hssBearingTemp", -40, 115),
  celsius("mainBearingTemp", -40, 85),
  warmer("nacelleTemp", 35),
  warmer("windingTemp", 150),
  warmer("oilTemp", 75),
  warmer("hssBearingTemp", 90),
  warmer("mainBearingTemp", 60),
  {
    name: "pitch follows pitchDemand",
    reads: ["pitch", "pitchDemand"],
    of: ([is = NOT, wanted = NOT]) => (Math.abs(wanted) > 1e-4 ? is / wanted : NOT),
    low: 0.5,
    high: 2,
    holds: "middle",
  },
  range("pitch", -10 * DEG, 95 * DEG, "lies between -10 and 95 deg"),
  range("pitchDemand", -10 * DEG, 95 * DEG, "lies between -10 and 95 deg"),
  range("yawError", -Math.PI, Math.PI, "lies between -180 and 180 deg"),
  angle("yawError", 45),
  range("gridCurtailment", 0, 1.01, "lies between 0 and 100 %"),
  {
    name: "power stays below what gridCurtailment allows",
    reads: ["power", "gridCurtailment"],
    of: ([power = NOT, allowed = NOT], plate) => power / plateOf(plate, "ratedPower") - allowed,
    low: -2,
    high: 0.1,
    holds: "most",
  },
  range("towerAccel", 0, 5, "lies between 0 and 5 m/s2"),
];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const four = (name: string): string[] => [1, 2, 3, 4].map((i) => `${name}${i}`);

/** Each of four alike shares the load: no reading is thrice the mean of the other three. */
function alike(name: string): UnitLaw[] {
  return four(name).map((one) => ({
    name: `${one} is near its three like`,
    reads: [one, ...four(name).filter((other) => other !== one)],
    of: ([x = NOT, ...others]) => (sum(others) > 0 ? (3 * x) / sum(others) : NOT),
    low: 0.5,
    high: 2,
    holds: "middle",
  }));
}

const QUADROTOR: readonly UnitLaw[] = [
  range("pressure", 30_000, 109_000, "lies between 300 and 1090 hPa"),
  celsius("airTemp", -45, 50),
  middle(range("accelZ", 6, 14, "is near 9.8 m/s2 in flight")),
  range("accelX", -40, 40, "stays below 4 g"),
  range("accelY", -40, 40, "stays below 4 g"),
  range("altitudeRef", -500, 9000, "lies between -500 and 9000 m"),
  range("velocity", -1, 45, "stays below 45 m/s"),
  range("climbRate", -15, 15, "stays below 15 m/s"),
  angle("roll", 45),
  angle("pitch", 45),
  middle(range("throttle", 0.1, 1, "is between 10 and 100 % in flight")),
  ...alike("rotorSpeed"),
  ...four("rotorSpeed").map((name) => middle(range(name, 100, 2000, "turns in flight"))),
  ...alike("escCurrent"),
  {
    name: "the four controllers draw the battery's current",
    reads: ["batteryCurrent", ...four("escCurrent")],
    of: ([all = NOT, ...each]) => (sum(each) > 0.1 ? all / sum(each) : NOT),
    low: 0.8,
    high: 1.4,
    holds: "middle",
  },
  {
    name: "the cells add up to the battery's voltage",
    reads: ["batteryVoltage", ...four("cellVoltage")],
    of: ([all = NOT, ...each]) => all / sum(each),
    low: 0.93,
    high: 1.07,
    holds: "middle",
  },
  ...four("cellVoltage").map((name) => middle(range(name, 2.5, 4.5, "is a lithium cell"))),
  ...four("escTemp").map((name) => celsius(name, -40, 120)),
  ...four("escTemp").map((name): UnitLaw => ({ ...warmer(name, 100), reads: [name, "airTemp"] })),
  middle(range("magField", 15e-6, 90e-6, "is the field of the Earth")),
];

const GAS_TURBINE: readonly UnitLaw[] = [
  celsius("ambientTemp", -45, 55),
  range("ambientPressure", 60_000, 109_000, "lies between 600 and 1090 hPa"),
  {
    name: "the compressor raises the pressure 3 to 45 times",
    reads: ["compressorOutletPressure", "ambientPressure"],
    of: ([out = NOT, air = NOT]) => out / air,
    low: 3,
    high: 45,
    holds: "middle",
  },
  {
    // T4/T3 = 1 - eta (1 - pr^-(k-1)/k): k 1.32 of hot gas, eta 0.88 of an ordinary turbine.
    name: "exhaustTemp is what expansion over the pressure ratio leaves of turbineInletTemp",
    reads: ["exhaustTemp", "turbineInletTemp", "compressorOutletPressure", "ambientPressure"],
    of: ([outlet = NOT, inlet = NOT, high = NOT, low = NOT]) =>
      outlet / inlet / (1 - 0.88 * (1 - (high / low) ** -0.242)),
    low: 0.85,
    high: 1.15,
    holds: "middle",
  },
  celsius("turbineInletTemp", 700, 1650),
  celsius("exhaustTemp", 250, 750),
];

/** By asset kind; a kind without a row is not judged. */
export const UNIT_LAWS: ReadonlyMap<string, readonly UnitLaw[]> = new Map([
  ["wind-turbine", WIND_TURBINE],
  ["quadrotor", QUADROTOR],
  ["gas-turbine", GAS_TURBINE],
]);
