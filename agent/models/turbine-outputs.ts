//! What the turbine's scalar monitor says: its thermal components, its output ports, and what of
//! them commissioning learns.
import type { TurbineNode } from "../base/physics.js";
import type { Port } from "./monitor.js";
import { machineOutputs, output as port } from "./monitor-machine.js";
import type { Learnt } from "./setup.js";
import { TURBINE_PORTS } from "./turbine-ports.js";

export const SCALARS = TURBINE_PORTS.filter((port) => port.shape === "scalar");

export type Component = {
  readonly name: string;
  readonly node: TurbineNode;
  readonly channel: string;
  readonly reference: "nacelleTemp" | "oilTemp";
  /** Most heat that a fault adds, over what the load explains: more is a fault of the sensor. */
  readonly credible: number;
};
export const COMPONENTS: readonly Component[] = [
  {
    name: "generator",
    node: "winding",
    channel: "windingTemp",
    reference: "nacelleTemp",
    credible: 0.9,
  },
  { name: "gearbox", node: "oil", channel: "oilTemp", reference: "nacelleTemp", credible: 1.4 },
  {
    name: "hssBearing",
    node: "hssBearing",
    channel: "hssBearingTemp",
    reference: "oilTemp",
    credible: 2,
  },
  {
    name: "mainBearing",
    node: "mainBearing",
    channel: "mainBearingTemp",
    reference: "nacelleTemp",
    credible: 2.5,
  },
];

export const OUTPUTS: readonly Port[] = machineOutputs(SCALARS, [
  ...COMPONENTS.flatMap(({ name }) => [
    port(`${name}.residual`, "K", "temperature beyond what load and surroundings explain"),
    port(`${name}.limit`, "K", "residual that the commissioned machine never reaches"),
    port(`${name}.rise`, "K", "rise over its surroundings that the load explains"),
    port(`${name}.trend`, "K/s", "how fast that rise goes"),
    port(`${name}.evidence`, "1", "how surely the residual has shifted up, by hours of it"),
  ]),
  port("thermal.stress", "Pa", "stress of the constrained high-speed bearing seat"),
  port("expectedPower", "W", "what a healthy rotor gives in this wind, as far as the grid allows"),
  port("efficiency", "1", "power over expected power, ten-minute mean"),
  port("rotor.loss", "1", "share of power that the blades lose"),
  port("rotor.evidence", "1", "how surely wind.ratio has shifted down, by hours of it"),
  port("rotor.wind", "m/s", "wind that the rotor feels, last five minutes"),
  port("yaw.misalignment", "rad", "nacelle off the wind, once the power agrees; else 0"),
  port("pitch.error", "rad", "blades stand still away from their demand; else 0"),
  port("pitch.slip", "rad", "error at fine pitch of blades that follow their demand less and less"),
  port("tower.imbalance", "m/s2{rms}", "once-per-turn acceleration at rated speed; else 0"),
  port("nacelle.residual", "K", "nacelle air beyond what the outside explains"),
  port("wind.ratio", "1", "wind that the rotor feels over the anemometer's, last five minutes"),
  port("tower.ratio", "1", "tower acceleration over what wind and speed explain"),
  port(
    "tower.flutter",
    "1",
    "square of its changes between readings, in shares of the usual level",
  ),
  port("tower.evidence", "1", "how surely tower.ratio has shifted up, by hours of it"),
]);

/** What commissioning learns: middle and spread of an output of the healthy machine. */
export const TURBINE_LEARNT: readonly Learnt[] = [
  ...COMPONENTS.map(
    ({ name }): Learnt => ({
      output: `${name}.residual`,
      middle: `${name}.offset`,
      spread: `${name}.sigma`,
      about: "zero",
      credible: [-15, 15],
      drift: 1.25, // of a limit of at least 4 K
      explained: { by: [`${name}.rise`, `${name}.trend`], most: 8 },
      shift: { evidence: `${name}.evidence`, side: 1, floor: 1 },
    }),
  ),
  {
    output: "nacelle.residual",
    middle: "nacelle.offset",
    spread: "nacelle.sigma",
    about: "zero",
    credible: [-12, 12],
    drift: 1.5,
  },
  {
    output: "wind.ratio",
    middle: "wind.ratio",
    spread: "wind.sigma",
    about: "one",
    credible: [0.75, 1.3],
    drift: 0.01, // 3 % of power
    explained: { by: ["rotor.wind"], most: 0.03 },
    shift: { evidence: "rotor.evidence", side: -1, floor: 0.02, large: true },
  },
  {
    output: "tower.ratio",
    middle: "tower.ratio",
    spread: "tower.sigma",
    about: "one",
    credible: [0.1, 10],
    drift: 0.1,
    explained: { by: ["rotor.wind"], most: 0.2 },
    shift: { evidence: "tower.evidence", side: 1, floor: 0.04 },
  },
  {
    output: "tower.flutter",
    middle: "tower.flutter",
    spread: "tower.flutterSigma",
    about: "middle",
    credible: [0, 10],
    drift: 0,
  },
];
