//! The default rules of a quadrotor.
import { ruleRow } from "./row.js";
import type { RuleRow } from "./rule.js";

const PHYSICS = "rotors, cells and sensors against each other";
const seconds = (s: number): number => s / 60;

const perRotor = (make: (i: number) => RuleRow): RuleRow[] => [1, 2, 3, 4].map(make);

export const DRONE_RULES: readonly RuleRow[] = [
  ruleRow({
    id: "motor-loss",
    when: "motor.stopped > 0",
    severity: "critical",
    text: "A motor has stopped in flight",
    action: "Land at once; check motor, controller and wiring",
    source: "at rest and below 1 A for 0.1 s with throttle over 20 %",
  }),
  ...perRotor((i) =>
    ruleRow({
      id: `rotor-${i}-thrust`,
      when: `rotor${i}.asymmetry > 3 %`,
      clear: `rotor${i}.asymmetry < 2 %`,
      for_min: seconds(10),
      text: `Rotor ${i} turns faster than the others for its share of thrust`,
      action: `Land soon; check propeller ${i} for damage and its mounting`,
      source: PHYSICS,
      foldedInto: ["motor-loss"],
    }),
  ),
  ...perRotor((i) =>
    ruleRow({
      id: `esc-${i}-hot`,
      when: `esc${i}.heat > 12 K || (escTemp${i} > 110 Cel && escTemp${i}.fault < 1)`,
      clear: `esc${i}.heat < 8 K && escTemp${i} < 100 Cel`,
      for_min: seconds(10),
      severity: "critical",
      text: `Speed controller ${i} runs much hotter than the others`,
      action: `Land; check the cooling of controller ${i} and motor ${i} for friction`,
      source: PHYSICS,
      foldedInto: ["motor-loss"],
    }),
  ),
  ruleRow({
    id: "battery-cell",
    when: "battery.spread > 0.1 V",
    clear: "battery.spread < 0.05 V",
    for_min: seconds(10),
    severity: "critical",
    text: "One cell sags under load far below the others",
    action: "Land; do not fly this pack again",
    source: "cell imbalance over 0.1 V, product default",
  }),
  ruleRow({
    id: "propeller",
    when: "vibe.excess > 1.5 m/s2",
    clear: "vibe.excess < 1 m/s2",
    for_min: seconds(20),
    text: "The frame shakes more than the throttle explains: a chipped or bent propeller",
    action: "Land; check all propellers",
    source: PHYSICS,
    foldedInto: ["motor-loss"],
  }),
  ruleRow({
    id: "propulsion",
    when: "propulsion.evidence >= 1",
    clear: "propulsion.evidence < 0.3",
    for_min: seconds(2),
    text: "To hover takes more, less or another balance than commissioned: damaged propeller or motor",
    action: "Land; check propellers and motors. With another load or propeller commission anew",
    source: PHYSICS,
    // They name the part.
    foldedInto: ["motor-loss", "propeller", ...[1, 2, 3, 4].map((i) => `rotor-${i}-thrust`)],
  }),
  ruleRow({
    id: "reserve",
    when: "timeToReserve < 20 s && altitude > 10 m",
    clear: "timeToReserve > 60 s || altitude < 5 m",
    for_min: seconds(10),
    class: "process",
    severity: "critical",
    text: "The battery is about to reach its reserve",
    action: "Land now",
    source: "nameplate reserve",
    // Each of these takes more of the pack than a flight should, and says to land by itself.
    foldedInto: ["battery-cell", "motor-loss", ...[1, 2, 3, 4].map((i) => `rotor-${i}-thrust`)],
  }),
  ruleRow({
    id: "imu-clipping",
    when: "imu.clipping > 1 Hz",
    class: "sensor",
    severity: "critical",
    text: "The accelerometer clips: attitude cannot be trusted",
    action: "Land; check the damping of the flight controller and all propellers",
    source: "regularly growing clip counts are bad",
  }),
];
