//! The rules of one asset: those of its config, of its kind, and the one on silence; and of a pattern
//! channel an instance for each level that is heard. Faults have their place in the config file.
import type { AssetConfig, ChannelConfig, Config, Gaps } from "../config/config.js";
import { assert, type Fault, faultWithin } from "./base/errors.js";
import type { Channel } from "./base/telemetry.js";
import { faultAt } from "./fitting.js";
import { STALE_SIGNAL } from "./freshness.js";
import { compileRules } from "./rules/compile.js";
import type { Rule, RuleFault, RuleRow, Signal } from "./rules/rule.js";
import type { Watch } from "./watch.js";

/** The rule every asset has: silence is a fault of the sensor, said once an asset. */
export const STALE_RULE: RuleRow = {
  id: "stale",
  when: `${STALE_SIGNAL} > 0`,
  clear: null,
  for_ms: 0,
  clearFor_ms: 0,
  severity: "warning",
  class: "sensor",
  text: "A channel stopped sending",
  action: "Check the sensor, its wiring and the connection named in the evidence",
  source: "built in",
  foldedInto: [],
  version: 1,
};

/** Monitors say of readings that come after all that they are late: silence waits for those. */
export const WATCHED_STALE_RULE: RuleRow = { ...STALE_RULE, for_ms: 10_000 };

/** What rules are added to. */
export type Ruled = {
  readonly config: AssetConfig;
  readonly watch: Watch;
  readonly signals: Map<string, Signal>;
  /** Rules over a pattern channel, by its name: one instance a level. */
  readonly templates: Map<string, RuleRow[]>;
};

export const isPattern = ({ binding }: ChannelConfig): boolean =>
  binding.via === "mqtt" && /[+#]/.test(binding.topic);

/** Rules of the config see what the asset has (`own`); those of its kind all that it might. */
export function addRules(
  config: Config,
  { config: asset, watch, signals, templates }: Ruled,
  builtIn: readonly RuleRow[],
  own: ReadonlyMap<string, Signal>,
  faults: Fault[],
): void {
  const rows = [...asset.rules, ...(asset.gaps?.rules ?? [])];
  const written = compileRules(rows, asset.id, own);
  for (const { row, fault } of written.faults) {
    const rule = rows[row];
    if (rule === undefined || followsFrom(asset.gaps, fault, rule, own)) continue;
    const place = config.where([...rule.path, fault.field]);
    faults.push(faultWithin(rule[fault.field] ?? "", place, fault));
  }
  const kinds = compileRules(builtIn, asset.id, signals);
  assert(kinds.faults.length === 0, `rules of ${asset.kind}: ${JSON.stringify(kinds.faults)}`);
  const patterns = new Map(
    asset.channels.filter(isPattern).map((c) => [indexOf(signals, c.name), c.name]),
  );
  const plain = (rule: Rule): boolean => {
    const name = rule.on.reads.map((i) => patterns.get(i)).find((n) => n !== undefined);
    if (name === undefined) return true;
    templates.set(name, [...(templates.get(name) ?? []), rule]);
    return false;
  };
  watch.addRules([...written.rules, ...kinds.rules].filter(plain));
  for (const { id, path } of asset.rules) {
    const other = [...templates.values()].flat().find((rule) => id.startsWith(`${rule.id}-`));
    if (other === undefined) continue;
    const what = `an alarm of a level of "${other.id}" may have the name ${id}, too`;
    faults.push(faultAt(config, [...path, "id"], what, "rename one of the two"));
  }
}

/** Whether a condition only fails for what could not be read. */
function followsFrom(
  gaps: Gaps | null,
  { field, at, length }: RuleFault,
  rule: RuleRow,
  own: ReadonlyMap<string, Signal>,
): boolean {
  const name = (rule[field] ?? "").slice(at, at + length);
  if (gaps === null || own.has(name)) return false;
  return gaps.channels.has(name) || (gaps.open && /^[A-Za-z_][\w.-]*$/.test(name));
}

/** `signal` is the level's, which its rules read in the place of the pattern. */
export function addRulesOfLevel(
  { watch, signals, templates }: Ruled,
  template: Channel,
  level: string,
  signal: Signal,
): void {
  const overlay = new Map(signals).set(template.name, signal);
  const rows = (templates.get(template.name) ?? []).map((row) => ({
    ...row,
    id: `${row.id}-${level}`,
  }));
  watch.addRules(compileRules(rows, template.asset, overlay).rules);
}

export function indexOf(signals: ReadonlyMap<string, Signal>, name: string): number {
  return signals.get(name)?.index ?? -1;
}
