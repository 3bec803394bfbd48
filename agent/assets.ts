//! The kinds of assets: what channels each knows, what watches it, and its default rules. The
//! agent looks a kind up here and knows no machine by name.
import type { Backend } from "./accel/backend.js";
import { BEARING_LEARNT, createBearingMonitor } from "./models/bearing.js";
import { BEARING_PLATE, BEARING_PORTS } from "./models/bearing-ports.js";
import type { PortRow } from "./models/chain/port.js";
import { createDroneMonitor } from "./models/drone.js";
import { DRONE_LEARNT } from "./models/drone-outputs.js";
import { DRONE_PLATE, DRONE_PORTS } from "./models/drone-ports.js";
import { createGasTurbineMonitor } from "./models/gas-turbine.js";
import { GAS_TURBINE_LEARNT } from "./models/gas-turbine-outputs.js";
import { GAS_TURBINE_PLATE, GAS_TURBINE_PORTS } from "./models/gas-turbine-ports.js";
import type { Monitor } from "./models/monitor.js";
import { type Learnt, type NameplateRow, readBaseline, type Setup } from "./models/setup.js";
import { createTurbineMonitor } from "./models/turbine.js";
import { TURBINE_LEARNT } from "./models/turbine-outputs.js";
import { TURBINE_PLATE, TURBINE_PORTS } from "./models/turbine-ports.js";
import { createVibrationMonitor } from "./models/vibration.js";
import { BEARING_RULES } from "./rules/bearing.js";
import { DRONE_RULES } from "./rules/drone.js";
import { GAS_TURBINE_RULES } from "./rules/gas-turbine.js";
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
  readonly commissioned: boolean;
};

export type AssetKind = {
  readonly name: string;
  readonly about: string;
  readonly ports: readonly PortRow[];
  readonly nameplate: readonly NameplateRow[];
  readonly rules: readonly RuleRow[];
  /** What commissioning learns of a healthy machine of this kind. */
  readonly learns: readonly Learnt[];
  monitors(asset: AssetSetup): Fitted;
};

type Maker = (setup: Setup) => Monitor;

const kind = (row: Omit<AssetKind, "monitors">, makers: readonly Maker[]): AssetKind => ({
  ...row,
  monitors: (asset) => fit(row, makers, asset),
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
    },
    [createBearingMonitor],
  ),
  kind(
    {
      name: "generic",
      about: "any channels with any rules, no model",
      ports: [],
      nameplate: [],
      rules: [],
      learns: [],
    },
    [],
  ),
];

export const KINDS: Readonly<Record<string, AssetKind>> = Object.fromEntries(
  TABLE.map((row) => [row.name, row]),
);

function fit(
  row: Omit<AssetKind, "monitors">,
  makers: readonly Maker[],
  asset: AssetSetup,
): Fitted {
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
  const setup = { id: asset.id, nameplate, baseline: own, backend: asset.backend };
  const monitors = makers.map((make) => make(setup));
  const missing = row.ports.filter((port) => !asset.channels.has(port.name));
  const off = [
    ...monitors.flatMap((monitor) => monitor.off),
    ...missing.map((port) => `what needs ${port.name} (${port.about}): no such channel`),
  ];
  return { monitors, off: [...new Set(off)], faults, commissioned: own !== null };
}
