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
  port("thrust.residual", "N", "specific force times mass, beyond what the rotors' speeds give"),
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
  port("drive.level", "1", "rotor speed over 1000 rad/s, else motor output times volts over 10 V"),
  port("draw.level", "W", "battery power in hover, in air of sea-level density"),
  port("yaw.trim", "1", "drive of rotors 1 and 2 less that of 3 and 4, over all four"),
  port("air.level", "K", "air temperature in flight"),
  port("propulsion.evidence", "1", "for another hover than the commissioned one; 1 is enough"),
  port("mag.level", "T", "compass field in flight"),
]);

/** What a hover at sea level takes, learnt of this machine: propellers, motors and balance. */
export const HOVER = [
  { name: "drive", level: "drive.level", what: "drive of the rotors", relative: true },
  { name: "draw", level: "draw.level", what: "power drawn", relative: true },
  { name: "yaw", level: "yaw.trim", what: "yaw trim", relative: false },
] as const;

const hover = (level: string, sigma: string, most: number, drift: number): Learnt => ({
  output: level,
  middle: level,
  spread: sigma,
  about: "middle",
  credible: [-most, most],
  drift,
});

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
  // They do not follow: wear of a propeller is what they are for.
  hover("drive.level", "drive.sigma", 10, 0),
  hover("draw.level", "draw.sigma", 1e5, 0),
  hover("yaw.trim", "yaw.sigma", 0.5, 0),
  hover("air.level", "air.sigma", 340, 0),
];
