//! The assets of a config: what they are, their channels and what watches them.
import type { Amount } from "../agent/units/parse.js";
import { isUnitFault, parseUnit } from "../agent/units/parse.js";
import { type Connections, readChannels } from "./channels.js";
import type {
  AssetConfig,
  ChannelConfig,
  Gaps,
  Kind,
  Kinds,
  Nameplate,
  Path,
  RuleConfig,
} from "./config.js";
import { amount, noun, show } from "./formats.js";
import {
  COMMA,
  checkUnique,
  isAfterComma,
  isMapping,
  own,
  readItem,
  refuseAt,
  suggest,
} from "./rows.js";
import { openProfiles, readRules } from "./rules.js";
import { ASSET, CHANNELS } from "./schema.js";
import { fromConfig } from "./secrets.js";
import type { Reading } from "./yaml.js";

/** Any channels, any rules, no model. */
const GENERIC: Kind = { ports: [], nameplate: {} };
const NAMEPLATE_DEPTH_MAX = 4;
const AMOUNT_MAX = 100_000;

export type Assets = {
  readonly list: readonly AssetConfig[];
  /** Those that cannot be used too, for further checks. */
  readonly all: readonly AssetConfig[];
};

export function readAssets(
  list: unknown,
  reading: Reading,
  kinds: Kinds,
  connections: Connections,
  gateway: string | null,
): Assets {
  const profiles = openProfiles(reading);
  if (!Array.isArray(list) || list.length === 0) {
    const what = list === undefined ? "there are no assets" : "assets is a list of at least one";
    reading.fault(["assets"], what, `write assets: [{ id: line3, channels: ${CHANNELS} }]`);
    return { list: [], all: [] };
  }
  checkUnique(list, ["assets"], reading);
  const known: Kinds = { generic: GENERIC, ...kinds };
  const unusable = new Set<AssetConfig>();
  const all = list.flatMap((raw: unknown, index): AssetConfig[] => {
    const path: Path = ["assets", index];
    if (gateway !== null && isMapping(raw) && raw["id"] === gateway) {
      const what = `the gateway has the id ${gateway} already`;
      reading.fault([...path, "id"], what, "rename the asset or the gateway");
    }
    const item = readItem(ASSET, raw, path, reading, "an asset");
    if (!isMapping(raw)) return [];
    // Its parts are checked even where its id is wrong.
    const name = raw["kind"] ?? "generic";
    const kind = typeof name === "string" ? own(known, name) : undefined;
    if (kind === undefined && typeof name === "string") {
      const instead = suggest(name, Object.keys(known), "");
      reading.fault([...path, "kind"], `there is no asset kind ${show(name)}`, instead);
    }
    const plate = raw["nameplate"] ?? null;
    const nameplate = readNameplate(plate, [...path, "nameplate"], reading, kind ?? null);
    const sized = { ...(kind ?? GENERIC), ports: kind?.portsOf?.(nameplate) ?? kind?.ports ?? [] };
    const at = [...path, "channels"];
    const channels = Object.hasOwn(raw, "channels")
      ? readChannels(raw["channels"], at, reading, sized, connections)
      : [];
    const listed = raw["rules"] ?? null;
    const { whole: rules, rest } = readRules(listed, [...path, "rules"], reading, "config");
    const commission = readCommission(raw["commission"] ?? null, path, reading, kind ?? null);
    const gaps = gapsOf(raw["channels"], channels, rest, kind !== undefined);
    if (item === null) {
      const nothing = {
        ...{ id: "", profiles: [], price: null, baseline: null, network: null },
        ...{ commission, adapt: true, cycle: null, settings: [], disable: [] },
      };
      const known = kind === undefined ? "generic" : String(name);
      const part = { ...nothing, kind: known, nameplate, channels, rules, gaps, path };
      unusable.add(part);
      return [part];
    }
    const { id, disable, baseline, network, adapt, cycle, settings } = item;
    checkLearning(item, kind !== undefined, commission !== null, { channels, gaps }, path, reading);
    const added = item.profiles.flatMap((profile, i) => {
      return profiles.rulesOf(profile, [...path, "profiles", i]);
    });
    checkClash(rules, added, disable, reading);
    return [
      {
        id,
        kind: kind === undefined ? "generic" : item.kind,
        nameplate,
        channels,
        rules: [...rules, ...added].filter((rule) => !disable.includes(rule.id)),
        profiles: item.profiles,
        price: item.price,
        baseline: baseline === null ? null : fromConfig(reading.file, baseline),
        network: network === null ? null : fromConfig(reading.file, network),
        commission,
        adapt,
        cycle,
        settings,
        disable,
        gaps,
        path,
      },
    ];
  });
  return { list: all.filter((asset) => !unusable.has(asset)), all };
}

/** What of an asset could not be read. */
function gapsOf(
  map: unknown,
  read: readonly ChannelConfig[],
  rules: readonly RuleConfig[],
  kindKnown: boolean,
): Gaps {
  const names = isMapping(map) ? Object.keys(map) : [];
  const channels = names.filter((name) => !read.some((channel) => channel.name === name));
  return { channels: new Set(channels), open: !isMapping(map) || !kindKnown, rules };
}

/** Two rules of one id would be one alarm; of a profile's, the user says which one counts. */
function checkClash(
  rules: readonly RuleConfig[],
  added: readonly RuleConfig[],
  disable: readonly string[],
  reading: Reading,
): void {
  for (const { id, path } of rules) {
    const other = added.find((rule) => rule.id === id);
    if (disable.includes(id)) {
      const instead = "delete the rule, or its id under disable";
      reading.fault([...path, "id"], `the rule ${id} is under disable`, instead);
    } else if (other !== undefined) {
      reading.fault([...path, "id"], `the ${other.source} has a rule ${id} too`, "rename this one");
    }
  }
}

/** `{ days: 14 }`, in what the kind counts, and not less than it needs. */
function readCommission(
  value: unknown,
  asset: Path,
  reading: Reading,
  kind: Kind | null,
): AssetConfig["commission"] {
  if (value === null || kind === null) return null;
  const path: Path = [...asset, "commission"];
  const units = kind.commission ?? [];
  const wanted = units.map(({ per, usual }) => `{ ${per}: ${usual} }`).join(" or ");
  const instead = units.length === 0 ? "delete it: this kind learns nothing" : `write ${wanted}`;
  const [entry, ...more] = isMapping(value) ? Object.entries(value) : [];
  if (entry === undefined || more.length > 0) {
    reading.fault(path, "commission says how much to learn from", instead);
    return null;
  }
  const [per, amount] = entry;
  const unit = units.find((row) => row.per === per);
  if (unit === undefined) {
    reading.faultAtKey([...path, per], `this kind does not learn by ${show(per)}`, instead);
    return null;
  }
  if (typeof amount !== "number" || !(amount >= unit.least) || amount > AMOUNT_MAX) {
    const what = `${show(amount)} is no amount to learn from`;
    reading.fault([...path, per], what, `write a number from ${unit.least} to ${AMOUNT_MAX}`);
    return null;
  }
  return { per, amount };
}

type Learning = {
  readonly kind: string;
  readonly baseline: string | null;
  readonly cycle: string | null;
  readonly settings: readonly string[];
};

function checkLearning(
  { kind, baseline, cycle, settings }: Learning,
  kindKnown: boolean,
  commission: boolean,
  { channels, gaps }: { readonly channels: readonly ChannelConfig[]; readonly gaps: Gaps },
  path: Path,
  reading: Reading,
): void {
  if (baseline !== null && commission) {
    const instead = "delete commission to use the baseline, or baseline to learn anew";
    reading.fault([...path, "commission"], "the asset has a baseline already", instead);
  }
  const names = channels.flatMap(({ name, shape }) => (shape === "scalar" ? [name] : []));
  const check = (name: string, at: Path, key: string): void => {
    if (!kindKnown || gaps.channels.has(name)) return; // had its fault
    if (kind !== "generic") {
      reading.fault(at, `a ${kind} takes no ${key}`, "delete it: only a generic asset has it");
    } else if (!names.includes(name)) {
      const instead = suggest(name, names, "name a scalar channel of the asset");
      reading.fault(at, `no channel ${show(name)}`, instead);
    }
  };
  if (cycle !== null) check(cycle, [...path, "cycle"], "cycle");
  for (const [i, name] of settings.entries()) check(name, [...path, "settings", i], "settings");
}

/** Nested amounts as `hssBearing.rollers`, each of the dimension that the kind asks for. */
function readNameplate(value: unknown, path: Path, reading: Reading, kind: Kind | null): Nameplate {
  const found: Record<string, Amount> = {};
  const read = (part: unknown, at: Path, prefix: string): void => {
    if (!isMapping(part)) {
      reading.fault(at, "a nameplate is a mapping of amounts", "write { ratedPower: 5 MW }");
      return;
    }
    const entries = Object.entries(part);
    for (const [i, [name, inner]] of entries.entries()) {
      const key = `${prefix}${name}`;
      const place = [...at, name];
      if (isAfterComma(name, inner)) {
        reading.faultAtKey(place, ...COMMA);
        continue;
      }
      const keys = kind === null ? null : Object.keys(kind.nameplate);
      const nests = keys === null || keys.some((k) => k.startsWith(`${key}.`));
      if (isMapping(inner) && nests && place.length - path.length < NAMEPLATE_DEPTH_MAX) {
        read(inner, place, `${key}.`);
        continue;
      }
      const wanted = kind === null ? null : own(kind.nameplate, key);
      if (wanted === undefined) {
        const advice = suggest(key, keys ?? [], "delete it: this kind has no nameplate");
        reading.faultAtKey(place, `no nameplate entry ${JSON.stringify(key)}`, advice);
        continue;
      }
      const given = amount.read(inner, refuseAt(reading, place));
      if (given === null) continue;
      const dim = dimOf(wanted);
      const cut = isAfterComma(...(entries[i + 1] ?? ["", 0]));
      if (dim === null || dim === given.unit.dim) found[key] = given;
      else if (!cut) {
        const what = `${key} is ${noun(dim)}, this is ${noun(given.unit.dim)}`;
        reading.fault(place, what, `write it in ${wanted === "1" ? "no unit" : wanted}`);
      }
    }
  };
  if (value !== null) read(value, path, "");
  return found;
}

function dimOf(text: string | null): string | null {
  const unit = text === null ? null : parseUnit(text);
  return unit === null || isUnitFault(unit) ? null : unit.dim;
}
