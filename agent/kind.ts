//! What a kind of asset is, and how its monitors are fitted to one asset: nameplate and baseline
//! checked, what is missing said.
import type { Backend } from "./accel/backend.js";
import { packageVersion } from "./base/files.js";
import { geometryFaults } from "./models/bearing-ports.js";
import type { PortRow } from "./models/chain/port.js";
import type { Commissioning } from "./models/commission.js";
import { type Plan, Stage, type Want } from "./models/commission-stage.js";
import type { GenericUse } from "./models/generic-spec.js";
import type { Monitor } from "./models/monitor.js";
import { changedPlate, type Learnt, type NameplateRow, readBaseline } from "./models/setup.js";
import { bearingNetwork } from "./models/vibration-block.js";
import { needsOf } from "./rules/needs.js";
import type { RuleRow } from "./rules/rule.js";
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
  /** Bytes of a network in the place of the shipped one. */
  readonly network?: Uint8Array | null;
};

export type DeclaredChannel = {
  readonly name: string;
  readonly unit: string;
  /** A reading is a point (an oil temperature), not a difference. */
  readonly point: boolean;
  /** It sends codes, not quantities. */
  readonly coded: boolean;
};

/** What is wrong with the setup: `key` of the nameplate, `baseline` or `network`. */
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
  /** Signal of the power that it should give, for the cost of alarms, where not `expectedPower`. */
  readonly expectedPower?: string;
  /** Longest time between readings that its equations are made for; absent: no limit. */
  readonly slowest_s?: number;
  /** Judges bearings by a network, which the user may replace. */
  readonly listens?: boolean;
  monitors(asset: AssetSetup): Fitted;
};

/** A kind as the table has it. */
export type Row = Omit<AssetKind, "monitors">;

export function fit(row: Row, plan: Plan, rules: readonly RuleRow[], asset: AssetSetup): Fitted {
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
  const network = asset.network ?? null;
  if (network !== null) {
    const what = row.listens
      ? bearingNetwork(network, asset.backend)
      : `a ${row.name} has no network of its kind to replace`;
    const instead = row.listens ? "name a file that train:blocks wrote" : "bind it under models:";
    if (typeof what === "string") faults.push({ key: "network", what, instead });
  }
  const setup = { id: asset.id, nameplate, baseline: own, backend: asset.backend, network };
  const unlike = own === null || changed !== null ? null : (plan.unlike?.(setup) ?? null);
  if (unlike !== null) {
    faults.push({ key: "baseline", what: unlike, instead: "commission anew, or mend the config" });
  }
  faults.push(...geometryFaults(nameplate));
  const stage = new Stage(plan, setup, asset.want ?? null, asset.adapts ?? true, packageVersion());
  const { monitors } = stage;
  const missing = row.ports.filter(
    ({ name, insteadOf = "" }) => !asset.channels.has(name) && !asset.channels.has(insteadOf),
  );
  const absent = missing.map(({ name, about }) => {
    const lost = needsOf(row.name, name);
    const what = lost.length === 0 ? "checks of channels against one another" : lost.join(", ");
    return `${what}: no channel ${name} (${about})`;
  });
  return {
    monitors,
    // Asked anew: commissioning switches on what was off without it.
    get off() {
      return [...new Set([...monitors.flatMap((monitor) => monitor.off), ...absent])];
    },
    faults,
    stage,
    rules,
  };
}
