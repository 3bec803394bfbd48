//! The balances of a quadrotor, as its alarms tell them.
import type { Balance } from "./balance.js";
import { ROTORS } from "./drone-outputs.js";

const each = (name: string): string[] => ROTORS.map((i) => `${name}${i}`);

export const DRONE_BALANCES: readonly Balance[] = [
  ...ROTORS.map(
    (i): Balance => ({
      name: `rotor ${i} against the others`,
      output: `rotor${i}.asymmetry`,
      beyond: 0.03,
      reads: [
        `rotorSpeed${i}`,
        `escCurrent${i}`,
        ...each("rotorSpeed").filter((_, k) => k + 1 !== i),
      ],
      otherwise: "the load hangs to one side",
    }),
  ),
  ...ROTORS.map(
    (i): Balance => ({
      name: `heat of controller ${i} against the others`,
      output: `esc${i}.heat`,
      beyond: 12,
      reads: [`escTemp${i}`, ...each("escTemp").filter((_, k) => k + 1 !== i)],
      otherwise: "the sun or another source of heat on one arm",
    }),
  ),
  {
    name: "motors turn as they are told",
    output: "motor.stopped",
    beyond: 0,
    reads: ["throttle", ...each("rotorSpeed"), ...each("escCurrent")],
    otherwise: "speed and current of that motor are silent on one cable",
  },
  {
    name: "cells against each other",
    output: "battery.spread",
    beyond: 0.1,
    reads: [...each("cellVoltage"), "batteryVoltage"],
    otherwise: "a bad contact of the balancer plug",
  },
  {
    name: "vibration against the throttle",
    output: "vibe.excess",
    beyond: 1.5,
    reads: ["vibe", "throttle"],
    otherwise: "the accelerometer's damping is loose, or its scale has changed",
  },
  {
    name: "hover as commissioned",
    output: "propulsion.evidence",
    beyond: 1,
    reads: ["throttle", ...each("rotorSpeed"), ...each("motorOutput"), "batteryVoltage"],
    otherwise: "another load or propeller than the one that was commissioned, or a wrong voltmeter",
  },
  {
    name: "height by pressure and by satellite",
    output: "altitude.residual",
    beyond: 6,
    reads: ["pressure", "altitudeRef", "climbRate"],
    otherwise: "weather that changes the pressure in flight",
  },
  {
    name: "thrust by rotors and by acceleration",
    output: null,
    beyond: 0,
    reads: ["accelZ", "throttle", ...each("rotorSpeed")],
    otherwise: "",
  },
  {
    name: "current of the pack and of the controllers",
    output: null,
    beyond: 0,
    reads: ["batteryCurrent", ...each("escCurrent")],
    otherwise: "",
  },
];
