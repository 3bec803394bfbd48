//! What ties the readings of a gas turbine to one another: compression, expansion, heat, Carnot.
//! `turbineInletTemp` and `shaftTorque` are no ports; a plant that has the tag may name it so.
import type { UnitLaw } from "../suspect.js";
import { air, celsius, middle, NOT, plateOf, range, shakes, warmer } from "./kit.js";

const RUN = { channel: "state", is: (state: number): boolean => state === 2 };
/** Exponents (k-1)/k of air at 1.4 and of hot gas at 1.32. */
const [COLD, HOT] = [0.2857, 0.242];
const FUEL_JpKG = 50e6; // natural gas; diesel's 43 lies within the bounds below

/** T4/T3 of an ordinary turbine, eta 0.88. */
const expansion = (ratio: number): number => 1 - 0.88 * (1 - ratio ** -HOT);

export const GAS_TURBINE: readonly UnitLaw[] = [
  celsius("inletTemp", -45, 55),
  air("ambientPressure"),
  {
    name: "the compressor raises the pressure 2 to 45 times",
    reads: ["dischargePressure", "ambientPressure"],
    of: ([out = NOT, inlet = NOT]) => out / inlet,
    low: 2,
    high: 45,
    holds: "middle",
    only: RUN,
  },
  {
    name: "dischargeTemp is what compression makes of inletTemp, at an efficiency of 0.6 to 1",
    reads: ["dischargeTemp", "inletTemp", "dischargePressure", "ambientPressure"],
    of: ([out = NOT, inlet = NOT, high = NOT, low = NOT]) =>
      ((high / low) ** COLD - 1) / (out / inlet - 1),
    low: 0.6,
    high: 1.02,
    holds: "middle",
    only: RUN,
  },
  {
    name: "exhaustTempA is what expansion over the pressure ratio leaves of turbineInletTemp",
    reads: ["exhaustTempA", "turbineInletTemp", "dischargePressure", "ambientPressure"],
    of: ([outlet = NOT, inlet = NOT, high = NOT, low = NOT]) =>
      outlet / inlet / expansion(high / low),
    low: 0.85,
    high: 1.15,
    holds: "middle",
    only: RUN,
  },
  {
    name: "power over the heat of the fuel lies between 0.03 and 0.6",
    reads: ["power", "fuelFlow"],
    of: ([power = NOT, fuel = NOT]) => (power > 0 && fuel > 0 ? power / (fuel * FUEL_JpKG) : NOT),
    low: 0.03,
    high: 0.6,
    holds: "middle",
    only: RUN,
  },
  {
    name: "the efficiency stays below Carnot's between inlet and combustor",
    reads: [
      "power",
      "fuelFlow",
      "inletTemp",
      "exhaustTempA",
      "dischargePressure",
      "ambientPressure",
    ],
    of: ([power = NOT, fuel = NOT, cold = NOT, exhaust = NOT, high = NOT, low = NOT]) =>
      power > 0 && fuel > 0
        ? power / (fuel * FUEL_JpKG) / (1 - (cold * expansion(high / low)) / exhaust)
        : NOT,
    low: 0.03,
    high: 1,
    holds: "middle",
    only: RUN,
  },
  {
    name: "shaft power over the heat of the fuel lies between 0.005 and 0.6",
    reads: ["shaftTorque", "shaftSpeed", "fuelFlow"],
    of: ([torque = NOT, speed = NOT, fuel = NOT]) =>
      torque > 0 && fuel > 0 ? (torque * speed) / (fuel * FUEL_JpKG) : NOT,
    low: 0.005,
    high: 0.6,
    holds: "middle",
    only: RUN,
  },
  {
    name: "power is shaftTorque times shaftSpeed, less losses",
    reads: ["power", "shaftTorque", "shaftSpeed"],
    of: ([power = NOT, torque = NOT, speed = NOT]) =>
      torque * speed > 0 && power > 0 ? power / (torque * speed) : NOT,
    low: 0.85,
    high: 1.03,
    holds: "middle",
    only: RUN,
  },
  {
    name: "power is what generatorCurrent carries at the voltage of the nameplate",
    reads: ["power", "generatorCurrent"],
    of: ([power = NOT, current = NOT], plate) =>
      current > 0 && power > 0
        ? power /
          (Math.sqrt(3) * plateOf(plate, "voltage") * plateOf(plate, "powerFactor") * current)
        : NOT,
    low: 0.6,
    high: 1.5,
    holds: "middle",
    only: RUN,
  },
  {
    name: "power stays within 1.3 times rated",
    reads: ["power"],
    of: ([power = NOT], plate) => power / plateOf(plate, "ratedPower"),
    low: -0.1,
    high: 1.3,
    holds: "most",
  },
  {
    name: "power is mostly over a hundredth of rated",
    reads: ["power"],
    of: ([power = NOT], plate) => (power > 0 ? power / plateOf(plate, "ratedPower") : NOT),
    low: 0.01,
    high: 1.3,
    holds: "middle",
    only: RUN,
  },
  {
    name: "power follows loadDemand",
    reads: ["power", "loadDemand"],
    of: ([power = NOT, wanted = NOT]) => (power > 0 && wanted > 0 ? power / wanted : NOT),
    low: 0.5,
    high: 1.2,
    holds: "middle",
    only: RUN,
  },
  {
    name: "shaftSpeed is near that of the nameplate",
    reads: ["shaftSpeed", "power"],
    of: ([speed = NOT, power = NOT], plate) =>
      power > 0 ? speed / plateOf(plate, "ratedSpeed") : NOT,
    low: 0.8,
    high: 1.1,
    holds: "middle",
    only: RUN,
  },
  celsius("dischargeTemp", -40, 560),
  celsius("turbineInletTemp", 700, 1650),
  celsius("exhaustTempA", -40, 720),
  celsius("exhaustTempB", -40, 720),
  ...["exhaustTempA", "exhaustTempB"].map(
    (name): UnitLaw => ({ ...middle(celsius(name, 250, 720)), only: RUN }),
  ),
  {
    name: "exhaustTempB is within 60 K of exhaustTempA",
    reads: ["exhaustTempB", "exhaustTempA"],
    of: ([b = NOT, a = NOT]) => b - a,
    low: -60,
    high: 60,
    holds: "most",
  },
  range("exhaustSpread", 0, 150, "lies between 0 and 150 K"),
  { ...middle(range("inletDrop", 50, 6000, "is 0.5 to 60 hPa")), only: RUN },
  celsius("oilTemp", -40, 100),
  ...["bearingTemp1", "bearingTemp2"].flatMap((name) => [
    celsius(name, -40, 150),
    warmer(name, "oilTemp", 70),
  ]),
  { ...warmer("oilTemp", "inletTemp", 75), only: RUN },
  ...["vibration1", "vibration2"].map(
    (name): UnitLaw => ({
      ...shakes(name, 5e-5, 0.02, "0.05 to 20 mm/s"),
      only: RUN,
    }),
  ),
];
