//! The default rules of a wind turbine. Limits learnt in commissioning come as signals (`.limit`);
//! absolute ones are editable defaults, each with its source, and hold before commissioning too.
import { ruleRow } from "./row.js";
import type { RuleRow } from "./rule.js";

const PHYSICS = "physics model and commissioning baseline";
const OWN_LIMIT = "product default, check your copy of the manual";

/** Evidence of a small lasting shift; `npm run eval` shows what other limits give. */
const SURE = 20;
const FADED = 5;
/** Much hotter for minutes, or a little for hours. */
const hotter = (component: string): Pick<RuleRow, "when"> & { readonly clear: string } => {
  const [residual, evidence] = [`${component}.residual`, `${component}.evidence`];
  return {
    when: `${residual} > ${component}.limit || ${evidence} > ${SURE}`,
    clear: `${residual} < ${component}.limit && ${evidence} < ${FADED}`,
  };
};

const hot = (
  id: string,
  channel: string,
  limit: string,
  below: string,
  into: string,
  what: string,
) =>
  ruleRow({
    id,
    when: `${channel} > ${limit} && ${channel}.fault < 1`,
    clear: `${channel} < ${below}`,
    for_min: 1,
    severity: "critical",
    text: `${what} too hot`,
    action: "Reduce load or stop; check cooling and lubrication before restarting",
    source: OWN_LIMIT,
    foldedInto: [into],
  });

export const TURBINE_RULES: readonly RuleRow[] = [
  ruleRow({
    id: "gearbox-hss",
    when: "hssBearing.damage > 8",
    clear: "hssBearing.damage < 2",
    severity: "critical",
    text: "Bearing damage at the gearbox high-speed shaft",
    action: "Inspect the bearing and the oil filter within days; reduce load until then",
    source: "VibNet over several blocks",
  }),
  ruleRow({
    id: "hss-bearing-temp",
    ...hotter("hssBearing"),
    for_min: 15,
    text: "High-speed shaft bearing hotter than its load explains",
    action: "Check lubrication and vibration of the high-speed shaft",
    source: PHYSICS,
    foldedInto: ["gearbox-hss"],
  }),
  ruleRow({
    id: "generator-cooling",
    ...hotter("generator"),
    for_min: 10,
    text: "Generator winding hotter than its load explains",
    action: "Check fans, filters and coolant of the generator",
    source: PHYSICS,
  }),
  ruleRow({
    id: "gearbox-oil",
    ...hotter("gearbox"),
    for_min: 10,
    text: "Gear oil hotter than its load explains: losses in the gearbox or its cooler",
    action: "Check the oil cooler, the oil level and the filter for debris",
    source: PHYSICS,
  }),
  ruleRow({
    id: "main-bearing",
    ...hotter("mainBearing"),
    for_min: 10,
    text: "Main bearing hotter than its load explains",
    action: "Check grease and clearance of the main bearing",
    source: PHYSICS,
  }),
  ruleRow({
    id: "rotor-performance",
    when: `rotor.evidence > ${SURE}`,
    clear: `rotor.evidence < ${FADED}`,
    text: "The rotor takes less power from the wind than it should",
    action: "Look for ice, soiling or erosion of the blades",
    source: PHYSICS,
    foldedInto: ["yaw-misalignment", "pitch-jam"],
  }),
  ruleRow({
    id: "yaw-misalignment",
    when: "abs(yaw.misalignment) > 7 deg",
    clear: "abs(yaw.misalignment) < 5 deg",
    text: "The nacelle stands off the wind, and the power agrees",
    action: "Check the yaw drive and brakes",
    source: PHYSICS,
  }),
  ruleRow({
    id: "pitch-jam",
    when: "abs(pitch.error) > 1 deg || pitch.slip > 0.15 deg",
    clear: "abs(pitch.error) < 1 deg && pitch.slip < 0.03 deg",
    for_min: 0.5,
    severity: "critical",
    text: "The blades stand still away from their demanded angle",
    action: "Stop the turbine; check the pitch drives and their power supply",
    source: PHYSICS,
  }),
  ruleRow({
    id: "rotor-imbalance",
    when: `tower.imbalance > 0.1 m/s2 || (tower.imbalance > 0.01 m/s2 && tower.evidence > ${SURE})`,
    clear: "tower.imbalance < 0.01 m/s2",
    for_min: 1,
    text: "The tower shakes once per turn and with the square of the speed",
    action: "Look for ice on one blade and for a shifted balance weight",
    source: PHYSICS,
  }),
  hot("winding-hot", "windingTemp", "145 Cel", "135 Cel", "generator-cooling", "Generator winding"),
  hot("oil-hot", "oilTemp", "85 Cel", "80 Cel", "gearbox-oil", "Gear oil"),
  hot("hss-bearing-hot", "hssBearingTemp", "105 Cel", "95 Cel", "hss-bearing-temp", "HSS bearing"),
  hot("main-bearing-hot", "mainBearingTemp", "80 Cel", "75 Cel", "main-bearing", "Main bearing"),
  ruleRow({
    id: "thermal-stress",
    when: "thermal.stress > 125 MPa",
    clear: "thermal.stress < 110 MPa",
    for_min: 1,
    text: "Thermal stress of the high-speed bearing seat over half of the allowable",
    action: "Reduce load; check the bearing's lubrication",
    source: "half of 250 MPa, product default",
    foldedInto: ["gearbox-hss", "hss-bearing-temp"],
  }),
  ruleRow({
    id: "gearbox-vibration",
    when: "hssAccel.rms > 12 m/s2 || hssAccel.velocityRms > 5.6 mm/s",
    for_min: 1,
    severity: "critical",
    text: "Gearbox vibration in zone D",
    action: "Stop and inspect the gearbox",
    source: "zone limits after ISO 10816-21, recalled: check your copy",
    foldedInto: ["gearbox-hss", "rotor-imbalance"],
  }),
];
