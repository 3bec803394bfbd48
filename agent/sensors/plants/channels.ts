//! The channels of the simulated machines: their names are those of the asset kinds, used by
//! monitors, rules, example configs and the page alike.
import type { PlantChannel } from "./plant.js";

type Row = readonly [
  name: string,
  unit: string,
  span: readonly [number, number],
  noise: number,
  step: number,
  about: string,
];

const row = ([name, unit, span, noise, step, about]: Row): PlantChannel => {
  const shape = name === "hssAccel" ? "block" : "scalar";
  return { name, unit, shape, span, noise, step, about };
};

/** Operating states of the turbine's `state` channel. */
export const TURBINE_STATES = {
  idle: 0,
  start: 1,
  run: 2,
  stop: 3,
  curtailed: 4,
  service: 5,
} as const;

const TURBINE_ROWS: readonly Row[] = [
  ["windSpeed", "m/s", [0, 30], 0.1, 0.01, "nacelle anemometer: one point behind the rotor"],
  ["rotorSpeed", "rpm", [0, 15], 0.01, 0.001, "low-speed shaft"],
  ["generatorSpeed", "rpm", [0, 1500], 0.5, 0.05, "high-speed shaft, 97 times the rotor"],
  ["pitch", "deg", [-2, 90], 0.03, 0.005, "collective blade pitch"],
  ["pitchDemand", "deg", [-2, 90], 0.005, 0.001, "what the controller asks the pitch drives for"],
  ["power", "kW", [-50, 5500], 5, 0.5, "active electrical power"],
  ["generatorTorque", "kN.m", [-1, 50], 0.05, 0.01, "air-gap torque, from the converter"],
  ["ambientTemp", "Cel", [-20, 40], 0.1, 0.01, "outside air"],
  ["ambientPressure", "hPa", [950, 1050], 0.15, 0.01, "outside air"],
  ["nacelleTemp", "Cel", [-10, 50], 0.1, 0.01, "air in the nacelle"],
  ["windingTemp", "Cel", [0, 130], 0.1, 0.01, "generator stator winding"],
  ["oilTemp", "Cel", [0, 85], 0.1, 0.01, "gear oil sump"],
  ["hssBearingTemp", "Cel", [0, 95], 0.1, 0.01, "gearbox high-speed shaft bearing"],
  ["mainBearingTemp", "Cel", [0, 70], 0.1, 0.01, "rotor main bearing"],
  ["yawError", "deg", [-45, 45], 1, 0.1, "wind vane against the nacelle axis"],
  ["towerAccel", "m/s2{rms}", [0, 1], 0.002, 0.0005, "fore-aft tower top, 0.1-10 Hz, over 1 s"],
  ["gridCurtailment", "%", [0, 100], 0, 1, "share of rated power that the grid allows; 100: all"],
  ["state", "1", [0, 5], 0, 1, "0 idle 1 start 2 run 3 stop 4 curtailed 5 service or emergency"],
  ["hssAccel", "m/s2", [-50, 50], 0, 0, "accelerometer on the high-speed shaft bearing housing"],
];

const QUADROTOR_ROWS: readonly Row[] = [
  ["pressure", "Pa", [85_000, 105_000], 2, 0.1, "barometer; rotor wash adds a few pascals"],
  ["airTemp", "Cel", [-20, 45], 0.1, 0.01, "outside air"],
  ["altitudeRef", "m", [-50, 500], 0.4, 0.01, "height above take-off by satellite"],
  ["velocity", "m/s", [0, 20], 0.1, 0.01, "horizontal ground speed by satellite"],
  ["climbRate", "m/s", [-5, 5], 0.1, 0.01, "vertical speed by satellite, up positive"],
  ["accelX", "m/s2", [-20, 20], 0.05, 0.001, "specific force, body axis forward"],
  ["accelY", "m/s2", [-20, 20], 0.05, 0.001, "specific force, body axis left"],
  ["accelZ", "m/s2", [-20, 20], 0.05, 0.001, "specific force, body axis up: +9.8 at rest"],
  ["roll", "deg", [-45, 45], 0.2, 0.01, "attitude estimate, right side down positive"],
  ["pitch", "deg", [-45, 45], 0.2, 0.01, "attitude estimate, nose down positive"],
  ["throttle", "%", [0, 100], 0.2, 0.1, "collective demand, in thrust"],
  ["rotorSpeed1", "rad/s", [0, 1100], 1.5, 0.1, "front right"],
  ["rotorSpeed2", "rad/s", [0, 1100], 1.5, 0.1, "rear left"],
  ["rotorSpeed3", "rad/s", [0, 1100], 1.5, 0.1, "front left"],
  ["rotorSpeed4", "rad/s", [0, 1100], 1.5, 0.1, "rear right"],
  ["motorOutput1", "%", [0, 100], 0.1, 0.01, "command to the controller of rotor 1"],
  ["motorOutput2", "%", [0, 100], 0.1, 0.01, "rotor 2"],
  ["motorOutput3", "%", [0, 100], 0.1, 0.01, "rotor 3"],
  ["motorOutput4", "%", [0, 100], 0.1, 0.01, "rotor 4"],
  ["escCurrent1", "A", [0, 20], 0.05, 0.01, "battery side"],
  ["escCurrent2", "A", [0, 20], 0.05, 0.01, "battery side"],
  ["escCurrent3", "A", [0, 20], 0.05, 0.01, "battery side"],
  ["escCurrent4", "A", [0, 20], 0.05, 0.01, "battery side"],
  ["escTemp1", "Cel", [0, 100], 0.2, 0.01, "power stage"],
  ["escTemp2", "Cel", [0, 100], 0.2, 0.01, "power stage"],
  ["escTemp3", "Cel", [0, 100], 0.2, 0.01, "power stage"],
  ["escTemp4", "Cel", [0, 100], 0.2, 0.01, "power stage"],
  ["batteryVoltage", "V", [12, 17], 0.01, 0.001, "pack, under load"],
  ["batteryCurrent", "A", [0, 60], 0.1, 0.01, "pack"],
  ["cellVoltage1", "V", [3, 4.3], 0.002, 0.0005, "cell 1, under load"],
  ["cellVoltage2", "V", [3, 4.3], 0.002, 0.0005, "cell 2, under load"],
  ["cellVoltage3", "V", [3, 4.3], 0.002, 0.0005, "cell 3, under load"],
  ["cellVoltage4", "V", [3, 4.3], 0.002, 0.0005, "cell 4, under load"],
  ["vibe", "m/s2{rms}", [0, 60], 0.05, 0.001, "accelerometer above 5 Hz, over 1 s"],
  ["clipCount", "1", [0, 100_000], 0, 1, "accelerometer samples at full scale since power-on"],
  ["magField", "uT", [0, 100], 0.3, 0.01, "strength of the field at the compass"],
];

export const TURBINE_CHANNELS: readonly PlantChannel[] = TURBINE_ROWS.map(row);
export const QUADROTOR_CHANNELS: readonly PlantChannel[] = QUADROTOR_ROWS.map(row);
