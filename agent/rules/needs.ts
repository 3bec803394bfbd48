//! Which alarms a port switches on: those that a machine with its fault no longer raises where this
//! port alone is missing. Measured on the simulated machines (test/needs.test.ts), each port in
//! turn; rules of one form (each rotor, each bearing) are taken alike. Of `hss-bearing-temp`,
//! `rotor-performance`, `thermal-stress` and limits on a reading: what their equations read.

type Needs = Readonly<Record<string, string>>;

/** The same of each of four rotors. */
const each = (rule: string, ports: string): Needs =>
  Object.fromEntries([1, 2, 3, 4].map((i) => [rule, ports].map((t) => t.replaceAll("#", `${i}`))));

/** By kind and rule: the ports without which it is never raised. */
export const NEEDS: Readonly<Record<string, Needs>> = {
  bearing: {
    "bearing-damage": "accel",
    "vibration-rise": "accel",
    lubrication: "shaftSpeed load torque ambientTemp bearingTemp",
  },
  "wind-turbine": {
    "gearbox-hss": "hssAccel",
    "gearbox-vibration": "hssAccel",
    "hss-bearing-temp": "power hssBearingTemp",
    "generator-cooling": "power nacelleTemp windingTemp",
    "gearbox-oil": "power nacelleTemp oilTemp",
    "main-bearing": "power nacelleTemp mainBearingTemp",
    "rotor-performance": "windSpeed power pitch",
    "yaw-misalignment": "windSpeed power pitch yawError",
    "pitch-jam": "pitch pitchDemand",
    "rotor-imbalance": "towerAccel",
    "thermal-stress": "oilTemp hssBearingTemp",
    "winding-hot": "windingTemp",
    "oil-hot": "oilTemp",
    "hss-bearing-hot": "hssBearingTemp",
    "main-bearing-hot": "mainBearingTemp",
  },
  quadrotor: {
    "motor-loss": "throttle",
    ...each("rotor-#-thrust", "rotorSpeed# escCurrent#"),
    ...each("esc-#-hot", "escTemp#"),
    "battery-cell": "batteryVoltage cellVoltage1 cellVoltage2 cellVoltage3 cellVoltage4",
    propeller: "throttle vibe",
    "imu-clipping": "clipCount",
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
