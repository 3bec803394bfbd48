//! The list items of the config: assets, their channels and rules. Texts of rules are compiled
//! later, against the signals of the asset; here only their shape is checked.
import type { AlarmClass, Severity } from "../agent/base/telemetry.js";
import { parsePath } from "../agent/sensors/decode.js";
import { isUnitFault, parseAmount, parseUnit, type Unit } from "../agent/units/parse.js";
import type {
  AssetConfig,
  ChannelConfig,
  MqttBinding,
  OpcuaBinding,
  Path,
  RuleConfig,
} from "./config.js";
import { checkKeys, isRecord, type Reading } from "./reading.js";
import { ASSET_KEYS, CHANNEL_KEYS, duration_ms, LEVEL, RULE_KEYS } from "./schema.js";

type Row = Readonly<Record<string, unknown>>;
const KINDS = ["generic"];
const SEVERITIES: readonly string[] = ["info", "warning", "critical"];
const CLASSES: readonly string[] = ["machine", "sensor", "process", "agent"];

/** Connections of the config that a channel may name. */
export type Connections = { readonly mqtt: boolean; readonly opcua: readonly string[] };

export function readAssets(
  list: unknown,
  reading: Reading,
  connections: Connections,
): AssetConfig[] {
  if (!Array.isArray(list) || list.length === 0) {
    reading.fault(["assets"], "there is no asset", "write assets: with at least one item");
    return [];
  }
  const ids = new Set<string>();
  return list.flatMap((item: unknown, index): AssetConfig[] => {
    const path: Path = ["assets", index];
    if (!isRecord(item)) {
      reading.fault(path, "an asset is a mapping of keys");
      return [];
    }
    checkKeys(item, ASSET_KEYS, path, reading);
    const id = level(item, "id", path, reading, ids);
    const kind = item["kind"] ?? "generic";
    if (typeof kind !== "string" || !KINDS.includes(kind)) {
      reading.fault([...path, "kind"], `no asset kind "${kind}"`, `write ${KINDS.join(" or ")}`);
    }
    const channels = readChannels(item["channels"], [...path, "channels"], reading, connections);
    const rules = readRules(item["rules"], [...path, "rules"], reading);
    return [
      {
        id,
        kind: String(kind),
        nameplate: {},
        channels,
        rules,
        profiles: [],
        baseline: null,
        disable: [],
        path,
      },
    ];
  });
}

function readChannels(map: unknown, path: Path, reading: Reading, connections: Connections) {
  if (!isRecord(map) || Object.keys(map).length === 0) {
    reading.fault(
      path,
      "an asset has channels",
      "write channels: { name: { mqtt: topic, unit: A } }",
    );
    return [];
  }
  return Object.entries(map).flatMap(([name, item]): ChannelConfig[] => {
    const at: Path = [...path, name];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      reading.fault(at, `"${name}" is no channel name`, "write letters, digits and _");
    }
    if (!isRecord(item)) {
      reading.fault(at, `the channel "${name}" is a mapping of keys`);
      return [];
    }
    checkKeys(item, CHANNEL_KEYS, at, reading);
    const unit = readUnit(item["unit"], [...at, "unit"], reading);
    if (unit === null) return [];
    const bound = (key: "min" | "max", otherwise: number): number => {
      const value = item[key];
      if (value === undefined) return otherwise;
      if (typeof value === "number") return value * unit.factor + unit.offset;
      const amount = parseAmount(String(value));
      if ("fault" in amount) reading.fault([...at, key], amount.fault);
      else if (amount.unit.dim !== unit.dim) {
        reading.fault([...at, key], `${value} is not in ${unit.dim}`, `write it in ${unit.ucum}`);
      } else return amount.value;
      return otherwise;
    };
    const shape = item["shape"] ?? "scalar";
    if (shape !== "scalar" && shape !== "block") {
      reading.fault([...at, "shape"], `no shape "${shape}"`, "write scalar or block");
    }
    return [
      {
        name,
        unit,
        shape: shape === "block" ? "block" : "scalar",
        min: bound("min", Number.NEGATIVE_INFINITY),
        max: bound("max", Number.POSITIVE_INFINITY),
        staleAfter_ms: time(item, "staleAfter", at, reading),
        codes: readCodes(item["codes"], [...at, "codes"], reading),
        binding: readBinding(item, at, reading, connections),
        path: at,
      },
    ];
  });
}

function readUnit(value: unknown, path: Path, reading: Reading): Unit | null {
  if (value === undefined) {
    reading.fault(
      path,
      "a channel needs its unit",
      'write unit: A, or unit: "1" for a bare number',
    );
    return null;
  }
  const unit = parseUnit(String(value));
  if (!isUnitFault(unit)) return unit;
  reading.fault(path, unit.fault);
  return null;
}

function readCodes(value: unknown, path: Path, reading: Reading): Record<string, number> | null {
  if (value === undefined) return null;
  const codes: Record<string, number> = {};
  for (const [text, code] of isRecord(value) ? Object.entries(value) : []) {
    if (typeof code === "number") codes[text] = code;
    else reading.fault([...path, text], `the code of "${text}" is a number`);
  }
  if (!isRecord(value)) reading.fault(path, "codes map texts to numbers", "write { RUN: 2 }");
  return codes;
}

function readBinding(
  item: Row,
  at: Path,
  reading: Reading,
  connections: Connections,
): ChannelConfig["binding"] {
  const topic = item["mqtt"];
  if (item["opcua"] !== undefined) {
    if (topic !== undefined) reading.fault(at, "mqtt and opcua at once", "keep one of them");
    return readOpcuaBinding(item, at, reading, connections);
  }
  if (topic === undefined) return { via: "none" };
  if (typeof topic !== "string" || topic === "" || /#(?!$)|[^/]\+|\+[^/]/.test(topic)) {
    reading.fault([...at, "mqtt"], `"${topic}" is no topic filter`, "write e.g. plant/+/accel");
  }
  if (!connections.mqtt) {
    reading.fault([...at, "mqtt"], "there is no broker to read it from", "add mqtt: { url: ... }");
  }
  const path = (key: "path" | "time" | "unitPath"): string | null => {
    const text = item[key];
    if (text === undefined) return null;
    if (typeof text === "string" && parsePath(text) !== null) return text;
    reading.fault([...at, key], `"${text}" is no JSON path`, "write e.g. $.data[0].value");
    return null;
  };
  const qos = item["qos"] ?? 0;
  if (qos !== 0 && qos !== 1) reading.fault([...at, "qos"], `no QoS ${qos}`, "write 0 or 1");
  const timeUnit = item["timeUnit"] ?? "ms";
  if (timeUnit !== "ms" && timeUnit !== "s" && timeUnit !== "iso") {
    reading.fault([...at, "timeUnit"], `no time unit "${timeUnit}"`, "write ms, s or iso");
  }
  const binding: MqttBinding = {
    via: "mqtt",
    topic: String(topic),
    qos: qos === 1 ? 1 : 0,
    codec: item["path"] === undefined ? "number" : "json",
    path: path("path"),
    time: path("time"),
    unitPath: path("unitPath"),
    timeUnit: timeUnit === "s" || timeUnit === "iso" ? timeUnit : "ms",
  };
  return binding;
}

function readOpcuaBinding(
  item: Row,
  at: Path,
  reading: Reading,
  connections: Connections,
): OpcuaBinding {
  const { opcua: server, node, overrideUnit = false } = item;
  if (!connections.opcua.includes(String(server))) {
    const known = connections.opcua.join(", ");
    const instead = known === "" ? "add opcua: { plc: { endpoint: ... } }" : `there are ${known}`;
    reading.fault([...at, "opcua"], `there is no OPC UA server "${server}"`, instead);
  }
  if (typeof node !== "string" || !/^(ns=\d+;)?[isgb]=.+/.test(node)) {
    reading.fault([...at, "node"], `"${node}" is no node id`, 'write e.g. "ns=2;s=WT07.Power"');
  }
  if (typeof overrideUnit !== "boolean") {
    reading.fault([...at, "overrideUnit"], `no truth "${overrideUnit}"`, "write true or false");
  }
  return {
    via: "opcua",
    server: String(server),
    node: String(node),
    sampling_ms: time(item, "sampling", at, reading) ?? 1_000,
    overrideUnit: overrideUnit === true,
  };
}

function readRules(list: unknown, path: Path, reading: Reading): RuleConfig[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    reading.fault(path, "rules is a list", 'write - { id: over, when: "x > 16 A" }');
    return [];
  }
  const ids = new Set<string>(["stale"]);
  return list.flatMap((item: unknown, index): RuleConfig[] => {
    const at: Path = [...path, index];
    if (!isRecord(item)) {
      reading.fault(at, "a rule is a mapping of keys");
      return [];
    }
    checkKeys(item, RULE_KEYS, at, reading);
    const id = level(item, "id", at, reading, ids);
    const text = (key: string, otherwise: string): string => {
      const value = item[key] ?? otherwise;
      if (typeof value !== "string") reading.fault([...at, key], `"${key}" is a text`);
      return String(value);
    };
    const choice = (key: string, known: readonly string[], otherwise: string): string => {
      const value = item[key] ?? otherwise;
      if (known.includes(String(value))) return String(value);
      reading.fault([...at, key], `no ${key} "${value}"`, `write ${known.join(", ")}`);
      return otherwise;
    };
    if (item["when"] === undefined) {
      reading.fault(at, `the rule "${id}" has no condition`, 'write when: "current > 16 A"');
    }
    return [
      {
        id,
        when: text("when", ""),
        clear: item["clear"] === undefined ? null : text("clear", ""),
        for_ms: time(item, "for", at, reading) ?? 0,
        clearFor_ms: time(item, "clearFor", at, reading) ?? 0,
        severity: choice("severity", SEVERITIES, "warning") as Severity,
        class: choice("class", CLASSES, "process") as AlarmClass,
        text: text("text", id),
        action: text("action", ""),
        source: "config",
        foldedInto: [],
        version: 1,
        path: at,
      },
    ];
  });
}

function time(item: Row, key: string, path: Path, reading: Reading): number | null {
  if (item[key] === undefined) return null;
  const ms = duration_ms(item[key]);
  if (typeof ms === "number") return ms;
  reading.fault([...path, key], ms, "write a time such as 60 s");
  return null;
}

function level(item: Row, key: string, path: Path, reading: Reading, ids: Set<string>): string {
  const id = item[key];
  if (typeof id !== "string" || !LEVEL.test(id)) {
    const instead = "write letters, digits, _ and - only, at most 64";
    reading.fault(
      [...path, key],
      id === undefined ? `"${key}" is missing` : `"${id}" is no id`,
      instead,
    );
  } else if (ids.has(id)) reading.fault([...path, key], `"${id}" is used twice`, "rename one");
  ids.add(String(id));
  return String(id);
}
