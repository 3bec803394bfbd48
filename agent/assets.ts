//! The kinds of assets: what channels each knows, what watches it, its default rules, and how long
//! and of what it learns its normal. The agent looks a kind up here and knows no machine by name.
import type { Backend } from "./accel/backend.js";
import { packageVersion } from "./base/files.js";
import { BEARING_LEARNT, createBearingMonitor } from "./models/bearing.js";
import { BEARING_PLATE, BEARING_PORTS } from "./models/bearing-ports.js";
import type { PortRow } from "./models/chain/port.js";
import { type Commissioning, learnMiddles } from "./models/commission.js";
import { type Plan, Stage, type Want } from "./models/commission-stage.js";
import { createDroneMonitor } from "./models/drone.js";
import { DRONE_LEARNT } from "./models/drone-outputs.js";
import { DRONE_PLATE, DRONE_PORTS } from "./models/drone-ports.js";
import { createGasTurbineMonitor } from "./models/gas-turbine.js";
import { GAS_TURBINE_LEARNT } from "./models/gas-turbine-outputs.js";
import { GAS_TURBINE_PLATE, GAS_TURBINE_PORTS } from "./models/gas-turbine-ports.js";
import type { GenericUse } from "./models/generic-spec.js";
import { genericPlan } from "./models/generic-spec.js";
import type { Monitor } from "./models/monitor.js";
import {
  changedPlate,
  type Learnt,
  type NameplateRow,
  readBaseline,
  type Setup,
} from "./models/setup.js";
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
import type { RuleRow } from "./rules/rule.js";
import { TURBINE_RULES } from "./rules/turbine.js";
import { nearest } from "./units/nearest.js";
import { type Amount, isUnitFault, parseUnit } from "./units/parse.js";

/** An asset as the config has it; `baseline` is the parsed file, null before commissioning. */
export type AssetSetup = {
  readonly id: string;
  readonly nameplate: Readonly<Record<string, Amount>>;
  readonly baseline: unknown;
  readonly backend: Backend;
  /** Names of the channels that the asset has. */
  readonly channels: ReadonlySet<string>;
  /** How the scalar ones are declared: for units, and for a kind without ports of its own. */
  readonly declared?: readonly DeclaredChannel[];
  /** What is to be learnt while it runs; absent: nothing. */
  readonly want?: Want | null;
  /** False: what was learnt stays as it is. */
  readonly adapts?: boolean;
  readonly generic?: GenericUse;
};

export type DeclaredChannel = {
  readonly name: string;
  readonly unit: string;
  /** It sends codes, not quantities. */
  readonly coded: boolean;
};

/** What is wrong with the setup: `key` of the nameplate, or `baseline`. */
export type SetupFault = {
  readonly key: string;
  readonly what: string;
  readonly instead: string;
};

export type Fitted = {
  readonly monitors: readonly Monitor[];
  /** What is switched off, and the missing port or nameplate value that did it. */
  readonly off: readonly string[];
  readonly faults: readonly SetupFault[];
  /** Learning, learnt or adapting; asked for `commissioned` whenever it matters. */
  readonly stage: Stage;
  /** Rules that only this asset has, by its channels. */
  readonly rules: readonly RuleRow[];
};

export type AssetKind = {
  readonly name: string;
  readonly about: string;
  readonly ports: readonly PortRow[];
  readonly nameplate: readonly NameplateRow[];
  readonly rules: readonly RuleRow[];
  /** What commissioning learns of a healthy machine of this kind. */
  readonly learns: readonly Learnt[];
  /** For how long, cut into what, and what the time must have shown. */
  readonly commissioning: Commissioning;
  monitors(asset: AssetSetup): Fitted;
};

type Row = Omit<AssetKind, "monitors">;
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

/** A kind without ports: its channels are its ports, and without a baseline it has no monitor. */
const generic = (row: Row): AssetKind => ({
  ...row,
  monitors: (asset) => {
    const idle = asset.baseline === null && (asset.want ?? null) === null;
    const channels = idle ? [] : (asset.declared ?? []);
    const plan = genericPlan(row.name, row.commissioning, channels, asset.generic, asset.baseline);
    const judged = plan.learns.length === 0 && channels.length === 0 ? [] : plan.readings;
    const rules = idle
      ? []
      : [
          ...GENERIC_RULES,
          ...sensorRules(
            judged.map((name) => ({ name })),
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
      about: "geared wind turbine with pitch control",
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
          {
            channel: "power",
            key: "ratedPower",
            from: 0.05,
            to: 0.5,
            slices: 6,
            words: "between 5 and 50 % of ratedPower",
          },
          {
            channel: "power",
            key: "ratedPower",
            from: 0.7,
            to: 1.2,
            slices: 6,
            words: "above 70 % of ratedPower",
          },
        ],
      },
    },
    [createTurbineMonitor, createVibrationMonitor],
  ),
  kind(
    {
      name: "gas-turbine",
      about: "single-shaft gas turbine on the grid",
      ports: GAS_TURBINE_PORTS,
      nameplate: GAS_TURBINE_PLATE,
      rules: [...GAS_TURBINE_RULES, ...sensorRules(GAS_TURBINE_PORTS, [])],
      learns: GAS_TURBINE_LEARNT,
      commissioning: {
        per: "days",
        usual: 14,
        least: 3,
        slice: { by: "time", s: HOUR_s },
        memory: MEMORY,
        covers: [
          {
            channel: "power",
            key: "ratedPower",
            from: 0.35,
            to: 1.3,
            slices: 24,
            words: "above 35 % of ratedPower",
          },
        ],
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
        slice: { by: "flight", least_s: 60 },
        memory: 100,
        covers: [],
      },
    },
    [createDroneMonitor],
  ),
  kind(
    {
      name: "bearing",
      about: "rolling bearing with an accelerometer, on a rig or in a machine",
      ports: BEARING_PORTS,
      nameplate: BEARING_PLATE,
      rules: [...BEARING_RULES, ...sensorRules(BEARING_PORTS, [])],
      learns: BEARING_LEARNT,
      commissioning: {
        per: "blocks",
        usual: 480,
        least: 96,
        slice: { by: "blocks", blocks: 8 },
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

function fit(row: Row, plan: Plan, rules: readonly RuleRow[], asset: AssetSetup): Fitted {
  const faults: SetupFault[] = [];
  const nameplate: Record<string, number> = {};
  for (const [key, amount] of Object.entries(asset.nameplate)) {
    const known = row.nameplate.find((plate) => plate.key === key);
    if (known === undefined) {
      const near = nearest(
        key,
        row.nameplate.map((plate) => plate.key),
        (s) => `"${s}"`,
      );
      const instead = near === null ? `a ${row.name} knows none like it` : `write ${near}`;
      faults.push({ key, what: `unknown nameplate key "${key}"`, instead });
      continue;
    }
    const unit = parseUnit(known.unit);
    if (!isUnitFault(unit) && unit.dim !== amount.unit.dim) {
      const what = `${key} is in ${amount.unit.ucum}, which is no ${unit.ucum}`;
      faults.push({ key, what, instead: `write it in ${unit.ucum}` });
      continue;
    }
    nameplate[key] = amount.value;
  }
  const baseline = asset.baseline === null ? null : readBaseline(asset.baseline, row.name);
  if (typeof baseline === "string") {
    const instead = "commission the asset anew, or leave baseline out";
    faults.push({ key: "baseline", what: baseline, instead });
  }
  const own = typeof baseline === "string" ? null : baseline;
  const changed = own === null ? null : changedPlate(own, nameplate);
  if (changed !== null) {
    const what = `the baseline was learnt with another ${changed}`;
    faults.push({ key: "baseline", what, instead: "commission anew, or mend the nameplate" });
  }
  const setup = { id: asset.id, nameplate, baseline: own, backend: asset.backend };
  const stage = new Stage(plan, setup, asset.want ?? null, asset.adapts ?? true, packageVersion());
  const { monitors } = stage;
  const missing = row.ports.filter((port) => !asset.channels.has(port.name));
  const off = [
    ...monitors.flatMap((monitor) => monitor.off),
    ...missing.map((port) => `what needs ${port.name} (${port.about}): no such channel`),
  ];
  return { monitors, off: [...new Set(off)], faults, stage, rules };
}
