//! Which alarms a port switches on: those that a machine with its fault no longer raises where this
//! port alone is missing. Measured on the simulated machines (test/needs.test.ts); rules of one form
//! (each rotor, each bearing) are taken alike, and a limit on a reading needs that reading.

type Needs = Readonly<Record<string, string>>;

/** By kind and rule: the ports without which it is never raised. */
export const NEEDS: Readonly<Record<string, Needs>> = {
  bearing: {
    "bearing-damage": "accel",
    "vibration-rise": "accel",
    lubrication: "shaftSpeed load torque ambientTemp bearingTemp",
  },
  "gas-turbine": {
    "compressor-fouling": "inletTemp dischargeTemp",
    "turbine-performance": "inletTemp",
    combustor: "inletTemp fuelFlow exhaustSpread",
    "inlet-filter": "inletTemp",
    "oil-cooler": "inletTemp oilTemp",
    "bearing-1": "oilTemp bearingTemp1",
    "bearing-2": "oilTemp bearingTemp2",
    "rotor-imbalance": "vibration1 vibration2",
    "housing-vibration-1": "vibration1",
    "housing-vibration-2": "vibration2",
  },
};

/** Rules of a kind that are never raised without this port. */
export function needsOf(kind: string, port: string): string[] {
  return Object.entries(NEEDS[kind] ?? {}).flatMap(([rule, ports]) =>
    ports.split(" ").includes(port) ? [rule] : [],
  );
}
