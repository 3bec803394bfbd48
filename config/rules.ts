//! Rules as rows of the config and of profiles. Their texts are compiled later, against the signals
//! of their asset: here only their shape is checked.
import { readdirSync, readFileSync } from "node:fs";
import type { Fault } from "../agent/base/errors.js";
import { packageFile } from "../agent/base/files.js";
import type { Path, Place, RuleConfig } from "./config.js";
import { show } from "./formats.js";
import { checkUnique, isMapping, type Mapping, readItem, suggest } from "./rows.js";
import { PROFILE, RULE, RULES } from "./schema.js";
import { type Reading, readYaml } from "./yaml.js";

const FOLDER = "config/profiles";
/** Rules that every asset has (assembly.ts). */
const BUILT_IN = ["stale"];

/** The rules, and what is left of those with a fault that makes them none: their conditions. */
export type Rules = { readonly whole: readonly RuleConfig[]; readonly rest: readonly RuleConfig[] };

export function readRules(list: unknown, path: Path, reading: Reading, source: string): Rules {
  const rest: RuleConfig[] = [];
  if (list === null) return { whole: [], rest };
  if (!Array.isArray(list)) {
    reading.fault(path, "rules is a list", `write ${RULES}`);
    return { whole: [], rest };
  }
  checkUnique(list, path, reading);
  const whole = list.flatMap((raw: unknown, index): RuleConfig[] => {
    const at = [...path, index];
    const item = readItem(RULE, raw, at, reading, "a rule");
    if (item === null) {
      if (isMapping(raw)) rest.push(conditionsOf(raw, at));
      return [];
    }
    const { id, when, clear, for: for_ms, clearFor: clearFor_ms, severity, foldedInto } = item;
    if (BUILT_IN.includes(id)) {
      reading.fault([...at, "id"], `every asset has a rule ${id} already`, "rename this one");
    }
    if (foldedInto.includes(id)) {
      reading.fault([...at, "foldedInto"], "a rule cannot explain itself", "name another rule");
    }
    return [
      {
        id,
        when,
        clear,
        for_ms,
        clearFor_ms,
        severity,
        class: item.class,
        text: item.text ?? when,
        action: item.action,
        source,
        foldedInto,
        version: 1,
        path: at,
      },
    ];
  });
  return { whole, rest };
}

/** A rule of the conditions alone; one that is no text has had its fault. */
function conditionsOf(raw: Mapping, path: Path): RuleConfig {
  const read = (key: "when" | "clear") => RULE[key].format.read(raw[key] ?? null, () => null);
  return {
    id: "",
    when: String(read("when") ?? "true"),
    clear: raw["clear"] === undefined ? null : String(read("clear") ?? "true"),
    for_ms: 0,
    clearFor_ms: 0,
    severity: "info",
    class: "process",
    text: "",
    action: "",
    source: "",
    foldedInto: [],
    version: 1,
    path,
  };
}

/** The profiles of one config; each file is read once. */
export type Profiles = { rulesOf(name: string, path: Path): readonly RuleConfig[] };

const readProfile = (name: string, faults: Fault[]): Reading => {
  const file = packageFile(`${FOLDER}/${name}.yaml`);
  return readYaml(readFileSync(file), file, faults);
};

/** The place of a path into a profile; null where it leads into none. */
export function profilePlace([root, name, ...rest]: Path): Place | null {
  return root === "profiles" ? readProfile(String(name), []).where(rest) : null;
}

export function openProfiles(reading: Reading): Profiles {
  const opened = new Map<string, readonly RuleConfig[]>();
  return {
    rulesOf(name, path) {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const shipped = readdirSync(packageFile(FOLDER)).map((file) => file.replace(/\.yaml$/, ""));
      if (!shipped.includes(name)) {
        const instead = suggest(name, shipped, "delete it");
        reading.fault(path, `there is no profile ${show(name)}`, instead);
        return [];
      }
      const file = readProfile(name, reading.faults);
      const item = readItem(PROFILE, file.root, [], file, "a profile");
      const found = readRules(item?.rules ?? null, ["rules"], file, `profile ${name}`);
      const rules = found.whole.map((r) => ({ ...r, path: ["profiles", name, ...r.path] }));
      opened.set(name, rules);
      return rules;
    },
  };
}
