//! The channels a quadrotor may have and the keys of its nameplate. Rotors are numbered as ArduPilot
//! and PX4 do: 1 front right, 2 rear left, 3 front left, 4 rear right; 1 and 2 turn one way.
import type { PortRow } from "./chain/port.js";
import type { NameplateRow } from "./setup.js";

type Short = readonly [
  name: string,
  unit: string,
  range: readonly [number, number],
  jump: readonly [number, number] | null,
  spike: number | null,
  about: string,
];

const COUNTS = new Set(["clipCount"]);
const COMMAND_FULL = 99.5;
const row = ([name, unit, range, jump, spike, about]: Short): PortRow => ({
  name,
  unit,
  shape: "scalar",
  about,
  range,
  pace: null,
  jump,
  spike,
  noisy: !COUNTS.has(name),
  whole: COUNTS.has(name),
  ...(name.startsWith("motorOutput") ? { full: COMMAND_FULL } : {}),
});

const each = (make: (rotor: number) => Short): Short[] => [1, 2, 3, 4].map(make);

const ROWS: readonly Short[] = [
  ["pressure", "Pa", [30_000, 110_000], [300, 150], 300, "barometer"],
  ["airTemp", "Cel", [-50, 60], [4, 2], 4, "outside air"],
  ["altitudeRef", "m", [-500, 9000], [5, 15], 6, "height above take-off by satellite"],
  ["velocity", "m/s", [-1, 60], [4, 15], 4, "horizontal ground speed by satellite"],
  ["climbRate", "m/s", [-30, 30], [2, 8], 2, "vertical speed by satellite, up positive"],
  ["accelX", "m/s2", [-160, 160], null, 6, "specific force, body axis forward"],
  ["accelY", "m/s2", [-160, 160], null, 6, "specific force, body axis left"],
  ["accelZ", "m/s2", [-160, 160], null, 8, "specific force, body axis up: +9.8 at rest"],
  ["roll", "deg", [-180, 180], null, 20, "attitude estimate"],
  ["pitch", "deg", [-180, 180], null, 20, "attitude estimate"],
  ["throttle", "%", [-2, 110], null, 30, "collective demand, in thrust"],
  ...each((i) => [`rotorSpeed${i}`, "rad/s", [-20, 2000], null, 300, `rotor ${i}`]),
  ...each((i) => [`motorOutput${i}`, "%", [-5, 105], null, 60, `command to motor ${i}, 0 at rest`]),
  ...each((i) => [`escCurrent${i}`, "A", [-2, 60], null, 6, `controller ${i}, battery side`]),
  ...each((i) => [`escTemp${i}`, "Cel", [-40, 150], [8, 4], 6, `controller ${i}, power stage`]),
  ["batteryVoltage", "V", [2, 60], null, 1, "pack, under load"],
  ["batteryCurrent", "A", [-5, 200], null, 15, "pack"],
  ...each((i) => [`cellVoltage${i}`, "V", [2, 4.5], null, 0.3, `cell ${i}, under load`]),
  ["vibe", "m/s2{rms}", [0, 160], null, 12, "accelerometer above 5 Hz, over 1 s"],
  ["clipCount", "1", [0, 1e9], null, 100, "accelerometer samples at full scale"],
  ["magField", "uT", [0, 200], null, 8, "strength of the field at the compass"],
];

export const DRONE_PORTS: readonly PortRow[] = ROWS.map(row);

export const DRONE_PLATE: readonly NameplateRow[] = [
  { key: "mass", unit: "kg", otherwise: null, about: "ready to fly" },
  { key: "rotorRadius", unit: "m", otherwise: null, about: "of one rotor" },
  { key: "batteryCapacity", unit: "A.h", otherwise: null, about: "rated charge" },
  { key: "batteryCells", unit: "1", otherwise: 4, about: "in series" },
  { key: "batteryResistance", unit: "mOhm", otherwise: 0.02, about: "of the pack" },
  { key: "reserve", unit: "%", otherwise: 0.2, about: "charge that must stay" },
  { key: "figureOfMerit", unit: "1", otherwise: 0.45, about: "ideal over shaft power in hover" },
];
