//! The kinds of assets: what channels each knows, what watches it, its default rules, and how long
//! and of what it learns its normal. The agent looks a kind up here and knows no machine by name.
import { type AssetKind, fit, type Row } from "./kind.js";
import { BEARING_LEARNT, createBearingMonitor } from "./models/bearing.js";
import { BEARING_PLATE, BEARING_PORTS, FIGURES } from "./models/bearing-ports.js";
import { learnMiddles } from "./models/commission.js";
import type { Plan } from "./models/commission-stage.js";
import { createDroneMonitor } from "./models/drone.js";
import { DRONE_LEARNT } from "./models/drone-outputs.js";
import { DRONE_PLATE, DRONE_PORTS } from "./models/drone-ports.js";
import { createGasTurbineMonitor } from "./models/gas-turbine.js";
import { GAS_TURBINE_LEARNT } from "./models/gas-turbine-outputs.js";
import { GAS_TURBINE_PLATE, GAS_TURBINE_PORTS } from "./models/gas-turbine-ports.js";
import { genericPlan } from "./models/generic-spec.js";
import type { Monitor } from "./models/monitor.js";
import type { Setup } from "./models/setup.js";
import { createTurbineMonitor } from "./models/turbine.js";
import { TURBINE_LEARNT } from "./models/turbine-outputs.js";
import { TURBINE_PLATE, TURBINE_PORTS } from "./models/turbine-ports.js";
import { UNIT_LAWS } from "./models/unit-laws.js";
import { createVibrationMonitor } from "./models/vibration.js";
import { BEARING_RULES } from "./rules/bearing.js";
import { DRONE_RULES } from "./rules/drone.js";
import { GAS_TURBINE_RULES } from "./rules/gas-turbine.js";
import { GENERIC_RULES } from "./rules/generic.js";
import { sensorRules } from "./rules/row.js";
import { TURBINE_RULES } from "./rules/turbine.js";

export type { AssetKind, AssetSetup, DeclaredChannel, Fitted, SetupFault } from "./kind.js";

type Maker = (setup: Setup) => Monitor;

const kind = (row: Row, makers: readonly Maker[]): AssetKind => ({
  ...row,
  monitors: (asset) => {
    const plan: Plan = {
      kind: row.name,
      learns: row.learns,
      commissioning: row.commissioning,
      laws: UNIT_LAWS.get(row.name) ?? [],
      finish: learnMiddles(row.learns),
      make: (setup) => makers.map((make) => make(setup)),
      channels: asset.declared ?? [],
    };
    return fit(row, plan, [], asset);
  },
});

const HOUR_s = 3600;
/** Fifteen days of hours: faster than a season, slower than a fault that matters. */
const MEMORY = 360;

/** So many hours with its power between two shares of the rated one. */
const loaded = (from: number, to: number, slices: number, words: string) =>
  ({ channel: "power", key: "ratedPower", from, to, slices, words }) as const;

/** A kind without ports: its channels are its ports, and without a baseline it has no monitor. */
const generic = (row: Row): AssetKind => ({
  ...row,
  monitors: (asset) => {
    const idle = asset.baseline === null && (asset.want ?? null) === null;
    const channels = idle ? [] : (asset.declared ?? []);
    const plan = genericPlan(row.name, row.commissioning, channels, asset.generic, asset.baseline);
    const doubted = plan.learns.length === 0 && channels.length === 0 ? [] : plan.doubted;
    const rules = idle
      ? []
      : [
          ...GENERIC_RULES,
          ...sensorRules(
            doubted.map((name) => ({ name })),
            [],
          ),
        ];
    return fit(row, plan, rules, asset);
  },
});

const TABLE: readonly AssetKind[] = [
  kind(
    {
      name: "wind-turbine",
      listens: true,
      about: "geared wind turbine with pitch control",
      slowest_s: 180, // means of ten minutes move in steps, and have no noise
      ports: TURBINE_PORTS,
      nameplate: TURBINE_PLATE,
      rules: [...TURBINE_RULES, ...sensorRules(TURBINE_PORTS, [])],
      learns: TURBINE_LEARNT,
      commissioning: {
        per: "days",
        usual: 14,
        least: 3,
        slice: { by: "time", s: HOUR_s },
        memory: MEMORY,
        covers: [
          loaded(0.05, 0.5, 6, "between 5 and 50 % of ratedPower"),
          loaded(0.7, 1.2, 6, "above 70 % of ratedPower"),
        ],
      },
    },
    [createTurbineMonitor, createVibrationMonitor],
  ),
  kind(
    {
      name: "gas-turbine",
      about: "single-shaft gas turbine on the grid",
      slowest_s: 600, // a longer silence ends a slice
      ports: GAS_TURBINE_PORTS,
      nameplate: GAS_TURBINE_PLATE,
      rules: [...GAS_TURBINE_RULES, ...sensorRules(GAS_TURBINE_PORTS, [])],
      learns: GAS_TURBINE_LEARNT,
      expectedPower: "loadDemand", // it falls short of its reference at a limit only
      commissioning: {
        per: "days",
        usual: 14,
        least: 3,
        slice: { by: "time", s: HOUR_s },
        memory: MEMORY,
        covers: [loaded(0.35, 1.3, 24, "above 35 % of ratedPower")],
      },
    },
    [createGasTurbineMonitor],
  ),
  kind(
    {
      name: "quadrotor",
      about: "four-rotor drone with electronic speed controllers",
      ports: DRONE_PORTS,
      nameplate: DRONE_PLATE,
      rules: [...DRONE_RULES, ...sensorRules(DRONE_PORTS, ["imu-clipping", "motor-loss"])],
      learns: DRONE_LEARNT,
      commissioning: {
        per: "flights",
        usual: 10,
        least: 3,
        slice: { by: "flight", least_s: 5, all_s: 30 },
        memory: 100,
        covers: [],
      },
    },
    [createDroneMonitor],
  ),
  kind(
    {
      name: "bearing",
      listens: true,
      about: "rolling bearing with an accelerometer, on a rig or in a machine",
      ports: BEARING_PORTS,
      nameplate: BEARING_PLATE,
      rules: [...BEARING_RULES, ...sensorRules(BEARING_PORTS, [])],
      learns: BEARING_LEARNT,
      commissioning: {
        per: "blocks",
        usual: 480,
        least: 96,
        slice: { by: "blocks", blocks: 8, records: FIGURES },
        memory: 2700, // fifteen days of a block a minute
        covers: [],
      },
    },
    [createBearingMonitor],
  ),
  generic({
    name: "generic",
    about: "any channels with any rules; a learnt normal once commissioned",
    ports: [],
    nameplate: [],
    rules: [],
    learns: [],
    commissioning: {
      per: "days",
      usual: 14,
      least: 3,
      slice: { by: "itself" },
      memory: 6 * MEMORY, // slices of ten minutes
      covers: [],
    },
  }),
];

export const KINDS: Readonly<Record<string, AssetKind>> = Object.fromEntries(
  TABLE.map((row) => [row.name, row]),
);
