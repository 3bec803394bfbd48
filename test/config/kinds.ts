//! Asset kinds for tests of the config: the ports of the simulated machines, as kinds have them.
import { QUADROTOR_CHANNELS, TURBINE_CHANNELS } from "../../agent/sensors/plants/channels.js";
import type { PlantChannel } from "../../agent/sensors/plants/plant.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";
import type { Kind, Kinds } from "../../config/config.js";

function ports(channels: readonly PlantChannel[]): Kind["ports"] {
  return channels.map(({ name, unit, shape }) => {
    const parsed = parseUnit(unit);
    const point = !isUnitFault(parsed) && parsed.affine;
    return { name, unit, shape, point, min: -Infinity, max: Infinity };
  });
}

export const KINDS: Kinds = {
  "wind-turbine": {
    ports: ports(TURBINE_CHANNELS),
    nameplate: {
      ratedPower: "W",
      rotorRadius: "m",
      gearRatio: "1",
      "hssBearing.rollers": "1",
      "hssBearing.ballDiameter": "m",
      "hssBearing.pitchDiameter": "m",
      "hssBearing.contactAngle": "deg",
    },
    commission: [{ per: "days", usual: 14, least: 3 }],
  },
  generic: {
    ports: [],
    nameplate: {},
    commission: [
      { per: "days", usual: 14, least: 3 },
      { per: "cycles", usual: 30, least: 20 },
    ],
  },
  quadrotor: { ports: ports(QUADROTOR_CHANNELS), nameplate: { mass: "kg" } },
};
