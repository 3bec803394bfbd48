//! What the gas turbine's monitor says, and what of it commissioning learns.
import type { GasTurbineNode } from "../base/brayton.js";
import { MEASURES, WEAR } from "./gas-turbine-bank.js";
import { GAS_TURBINE_PORTS } from "./gas-turbine-ports.js";
import { machineOutputs, output } from "./monitor-machine.js";
import type { Learnt } from "./setup.js";

export const NODES: readonly { node: GasTurbineNode; channel: string; credible: number }[] = [
  { node: "oil", channel: "oilTemp", credible: 1 },
  { node: "bearing1", channel: "bearingTemp1", credible: 0.8 },
  { node: "bearing2", channel: "bearingTemp2", credible: 0.8 },
];
/** What the temperature of a node is measured against. */
export const REFERENCES = { oil: "inletTemp", bearing1: "oilTemp", bearing2: "oilTemp" } as const;
export const OUTPUTS = machineOutputs(GAS_TURBINE_PORTS, [
  ...WEAR.map((name) => output(`${name}.wear`, "1", "share of the wear that its rule calls full")),
  ...NODES.flatMap(({ node }) => [
    output(`${node}.residual`, "K", "temperature beyond what load and surroundings explain"),
    output(`${node}.limit`, "K", "residual that the commissioned machine never reaches"),
  ]),
  output("rotor.imbalance", "m/s{rms}", "vibration that both ends share beyond the usual; else 0"),
  output("efficiency", "1", "electrical power over the heat of the fuel"),
  ...MEASURES.map((name) =>
    output(`${name}.gap`, "1", "from the healthy cycle: share, or kelvins"),
  ),
  output("vibration1.ratio", "1", "over what speed and load explain"),
  output("vibration2.ratio", "1", "over what speed and load explain"),
]);
export const ratios = ["vibration1.ratio", "vibration2.ratio"];
const row = (name: string, about: Learnt["about"], most: number, drift: number): Learnt => ({
  output: name,
  middle: `${name}.middle`,
  spread: `${name}.sigma`,
  about,
  credible: about === "middle" && name.endsWith(".ratio") ? [1 / most, most] : [-most, most],
  drift,
});
/** Gaps in kelvins; the others are shares. Wear counts as full at some 2 %: a fifth may be ageing. */
const KELVINS = new Set(["dischargeTemp", "exhaustTempA", "exhaustTempB", "exhaustSpread"]);
export const GAS_TURBINE_LEARNT: readonly Learnt[] = [
  ...MEASURES.map((name) => {
    const kelvins = KELVINS.has(name);
    return row(`${name}.gap`, "middle", kelvins ? 60 : 0.5, kelvins ? 1 : 0.003);
  }),
  ...NODES.map(({ node }) => row(`${node}.residual`, "zero", 15, 1.25)),
  ...ratios.map((name) => row(name, "middle", 10, 0.1)),
];
