//! What the drone's monitor says, and what of it commissioning learns.
import { DRONE_PORTS } from "./drone-ports.js";
import type { Port } from "./monitor.js";
import { machineOutputs, output as port } from "./monitor-machine.js";
import type { Learnt } from "./setup.js";

export const ROTORS = [1, 2, 3, 4] as const;

export const OUTPUTS: readonly Port[] = machineOutputs(DRONE_PORTS, [
  port("altitude", "m", "height above take-off from air pressure and temperature"),
  port("altitude.residual", "m", "against the satellite's height"),
  port("thrust", "N", "of all rotors, from mass and specific force"),
  port("power.expected", "W", "momentum theory over figure of merit and motors, plus avionics"),
  port("power.residual", "W", "battery power beyond it"),
  port("charge", "1", "state of charge"),
  port("timeToReserve", "s", "until the charge falls to the reserve at the present power"),
  ...ROTORS.map((i) => port(`rotor${i}.asymmetry`, "1", "speed over the other three, less one")),
  ...ROTORS.map((i) => port(`esc${i}.heat`, "K", "over the other three, once it rose quickly")),
  port("motor.stopped", "1", "motors at rest and without current in flight"),
  port("battery.spread", "V", "lowest cell under the mean of the others"),
  port("vibe.excess", "m/s2{rms}", "what the propellers add to the usual vibration"),
  port("imu.clipping", "Hz", "clipped accelerometer samples a second"),
  port("vibe.ratio", "1", "vibration over what the throttle explains"),
  port("mag.level", "T", "compass field in flight"),
]);

export const DRONE_LEARNT: readonly Learnt[] = [
  {
    output: "vibe.ratio",
    middle: "vibe.ratio",
    spread: "vibe.sigma",
    about: "one",
    credible: [0.1, 10],
    drift: 0.08,
  },
  {
    output: "mag.level",
    middle: "mag.level",
    spread: "mag.sigma",
    about: "middle",
    credible: [15e-6, 90e-6],
    drift: 0, // the field of a place does not age
  },
];
