//! Channels of an asset: their unit and range against the port of the kind, and their binding.
import { assert } from "../agent/base/errors.js";
import { asDifference, bridge, type Claim, fits } from "../agent/units/bridge.js";
import { isUnitFault, parseUnit, type Unit } from "../agent/units/parse.js";
import type { Binding, ChannelConfig, Kind, Path } from "./config.js";
import { noun } from "./formats.js";
import { isMapping, type Mapping, readItem, suggest, type Values } from "./rows.js";
import { CHANNEL, CHANNELS } from "./schema.js";
import { channelName } from "./texts.js";
import type { Reading } from "./yaml.js";

type Item = Values<typeof CHANNEL>;
type Port = Kind["ports"][number];
/** The connections of the config that a channel can name. */
export type Connections = { readonly mqtt: boolean; readonly opcua: readonly string[] };
/** One channel under reading. `raw` tells an absent key from one that had its fault. */
type One = {
  readonly raw: Mapping;
  readonly item: Item;
  readonly port: Port | null;
  readonly at: Path;
  readonly reading: Reading;
};

const SAMPLING_ms = 1_000;
/** Keys that mean something beside one binding only. */
const BELONGS: Readonly<Record<"mqtt" | "opcua", readonly string[]>> = {
  mqtt: ["qos", "codec", "path", "time", "period", "timeUnit", "unitPath"],
  opcua: ["node", "sampling", "overrideUnit"],
};

export function readChannels(
  map: unknown,
  path: Path,
  reading: Reading,
  kind: Kind,
  connections: Connections,
): readonly ChannelConfig[] {
  if (!isMapping(map) || Object.keys(map).length === 0) {
    reading.fault(path, "there are no channels", `write ${CHANNELS}`);
    return [];
  }
  return Object.entries(map).flatMap(([name, raw]): ChannelConfig[] => {
    const at = [...path, name];
    channelName.read(name, (what, instead) => reading.faultAtKey(at, what, instead));
    const item = readItem(CHANNEL, raw, at, reading, "a channel");
    if (item === null || !isMapping(raw)) return [];
    const port = kind.ports.find((p) => p.name === name) ?? null;
    const meant = port === null ? misspelt(name, kind.ports, map) : null;
    if (meant !== null) {
      const what = `${name} is no port, but ${meant} is: it would not be watched`;
      reading.faultAtKey(at, what, `write ${meant}, or another name for a channel of your own`);
    }
    const one: One = { raw, item, port, at, reading };
    const shape = shapeOf(one);
    const binding = bindingOf(one, shape, connections);
    const said = unitOf(one, name, kind);
    if (said === null) return [];
    const { unit, stated: unitStated } = said;
    const min = boundOf(one, "min", unit) ?? port?.min ?? Number.NEGATIVE_INFINITY;
    const max = boundOf(one, "max", unit) ?? port?.max ?? Number.POSITIVE_INFINITY;
    if (min >= max) {
      const key = item.max === null ? "min" : "max";
      reading.fault([...at, key], "min is not below max", "write a min that is less than max");
    }
    const { staleAfter: staleAfter_ms, codes } = item;
    const difference = port !== null && !port.point;
    const rest = { min, max, staleAfter_ms, codes, binding, path: at };
    return [{ name, unit, unitStated, difference, shape, ...rest }];
  });
}

/** The port that differs from a name only in case and in signs between words; null: none. */
function misspelt(name: string, ports: Kind["ports"], map: Mapping): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, "");
  const found = ports.find((port) => plain(port.name) === plain(name));
  return found === undefined || Object.hasOwn(map, found.name) ? null : found.name;
}

function shapeOf({ item, port, at, reading }: One): "scalar" | "block" {
  const shape = item.shape ?? (item.codec === "block" ? "block" : (port?.shape ?? "scalar"));
  if (port !== null && shape !== port.shape) {
    const key = item.shape === null ? "codec" : "shape";
    reading.fault([...at, key], `the port takes a ${port.shape}, not a ${shape}`, "");
  } else if (item.codec !== null && (item.codec === "block") !== (shape === "block")) {
    const instead = shape === "block" ? "write codec: block" : "write shape: block";
    reading.fault([...at, "codec"], `the codec ${item.codec} gives no ${shape}`, instead);
  }
  return shape;
}

type Said = { readonly unit: Unit; readonly stated: boolean };

/** The unit as written, checked against the port; the port's own where nobody need say more. */
function unitOf(one: One, name: string, kind: Kind): Said | null {
  const { raw, item, port, at, reading } = one;
  if (
    (["unit", "mavlinkUnit"] as const).some((key) => Object.hasOwn(raw, key) && item[key] === null)
  ) {
    return null; // had its fault
  }
  const said = writtenUnit(one);
  if (said === "conflict") return null;
  if (port === null) {
    if (said !== null) return { unit: said.unit, stated: true };
    const ports = kind.ports.map((p) => p.name);
    const near = suggest(name, ports, "");
    const also = near.startsWith("write ") ? `, or is it the port ${near.slice(6)}?` : "";
    return reading.fault(at, "the channel has no unit", `write unit: A, or unit: "1"${also}`);
  }
  const wanted = parseUnit(port.unit);
  assert(!isUnitFault(wanted), `the port ${name} has the unit ${port.unit}`);
  if (said === null) {
    const told = !Object.hasOwn(raw, "mqtt") || (wanted.dim === "1" && wanted.factor === 1);
    if (told) return { unit: wanted, stated: false };
    const instead = `write unit: ${port.unit}, or what the sender means`;
    return reading.fault(at, "nobody states the unit of this channel", instead);
  }
  const { unit, key } = said;
  const place = [...at, key];
  const advice = `write one such as ${port.unit}`;
  if (!fits({ dim: wanted.dim, unitKind: "" }, unit)) {
    const words = `the port ${name} is ${noun(wanted.dim)}, ${unit.text} is ${noun(unit.dim)}`;
    return reading.fault(place, words, advice);
  }
  if (!fits({ dim: wanted.dim, unitKind: wanted.kind }, unit)) {
    const words = `the port ${name} takes {${wanted.kind}}, not {${unit.kind}}`;
    return reading.fault(place, words, advice);
  }
  // The port says whether a reading is a point or a difference: "K" alone does not.
  const { offset } = port.point ? unit : asDifference(unit);
  const kindOf = unit.kind || wanted.kind;
  const taken = { ...unit, dim: wanted.dim, kind: kindOf, offset, affine: port.point };
  return { unit: taken, stated: true };
}

/** What the config writes of the unit; both keys must say the same. */
function writtenUnit({
  raw,
  item,
  at,
  reading,
}: One): { readonly unit: Unit; readonly key: string } | "conflict" | null {
  const { unit, mavlinkUnit } = item;
  if (mavlinkUnit === null) return unit === null ? null : { unit, key: "unit" };
  if (unit === null) return { unit: mavlinkUnit, key: "mavlinkUnit" };
  const claims: Claim[] = [
    { who: "unit says", words: `"${unit.text}"`, unit },
    { who: "mavlinkUnit says", words: `"${raw["mavlinkUnit"]}"`, unit: mavlinkUnit },
  ];
  const found = bridge({ dim: unit.dim, unitKind: unit.kind }, claims, "delete one of the two");
  if (typeof found !== "string") return { unit, key: "unit" };
  reading.fault([...at, "mavlinkUnit"], found, "");
  return "conflict";
}

function boundOf({ item, at, reading }: One, key: "min" | "max", unit: Unit): number | null {
  const bound = item[key];
  if (bound === null) return null;
  if (typeof bound === "number") return bound * unit.factor + unit.offset;
  if (bound.unit.dim === unit.dim) return bound.value;
  const said = `${key} is ${noun(bound.unit.dim)}, the channel ${noun(unit.dim)}`;
  return reading.fault([...at, key], said, `write it in ${unit.text}`);
}

function bindingOf(one: One, shape: "scalar" | "block", connections: Connections): Binding {
  const { raw, item, at, reading } = one;
  const named = (["mqtt", "opcua", "simulated"] as const).filter((k) => Object.hasOwn(raw, k));
  const [via, second] = named;
  if (second !== undefined) {
    const said = `a channel has one source, this one ${named.join(" and ")}`;
    reading.faultAtKey([...at, second], said, "delete the others");
  }
  for (const [owner, keys] of Object.entries(BELONGS)) {
    if (owner === via || second !== undefined) continue;
    for (const key of keys.filter((k) => Object.hasOwn(raw, k))) {
      const instead = `delete it, or write ${owner}: beside it`;
      reading.faultAtKey([...at, key], `${key} belongs to ${owner}`, instead);
    }
  }
  if (via === "mqtt") return mqttOf(one, shape, connections.mqtt);
  if (via === "opcua") return opcuaOf(one, shape, connections.opcua);
  return item.simulated === null ? { via: "none" } : { via: "simulated", port: item.simulated };
}

function mqttOf(one: One, shape: "scalar" | "block", broker: boolean): Binding {
  const { raw, item, at, reading } = one;
  if (!broker) {
    const instead = 'add mqtt: { url: "mqtt://host:1883" } at the top level';
    reading.fault([...at, "mqtt"], "there is no broker to read it from", instead);
  }
  const text = shape === "block" ? "block" : Object.hasOwn(raw, "path") ? "json" : "number";
  const codec = item.codec ?? text;
  for (const key of ["path", "time", "period", "unitPath"]) {
    if (codec === "json" || !Object.hasOwn(raw, key)) continue;
    const instead = key === "path" ? "write codec: json" : "write path: $.value too";
    reading.faultAtKey([...at, key], `${key} is for JSON, the codec is ${codec}`, instead);
  }
  for (const key of ["timeUnit", "period"]) {
    if (!Object.hasOwn(raw, key) || Object.hasOwn(raw, "time")) continue;
    const said = `${key} goes with a time, and there is none`;
    reading.faultAtKey([...at, key], said, "write time: $.ts, or delete it");
  }
  return {
    via: "mqtt",
    topic: item.mqtt ?? "",
    qos: item.qos === "1" ? 1 : 0,
    codec,
    path: item.path,
    time: item.time,
    unitPath: item.unitPath,
    period: item.period,
    timeUnit: item.timeUnit ?? "ms",
  };
}

function opcuaOf(
  { raw, item, at, reading }: One,
  shape: "scalar" | "block",
  servers: readonly string[],
): Binding {
  const { opcua: server, node } = item;
  if (server !== null && !servers.includes(server)) {
    const none = `add opcua: { ${server}: { endpoint: ... } } at the top level`;
    const said = `there is no OPC UA server ${server}`;
    reading.fault([...at, "opcua"], said, suggest(server, servers, none));
  }
  if (!Object.hasOwn(raw, "node")) {
    reading.fault([...at, "opcua"], "the channel has no node", 'write node: "ns=2;s=WT07.Power"');
  }
  if (shape === "block") {
    reading.fault([...at, "opcua"], "blocks come over MQTT only", "write mqtt: topic");
  }
  if (item.overrideUnit === true && item.unit === null && item.mavlinkUnit === null) {
    const instead = "write unit: A, or delete it";
    reading.faultAtKey([...at, "overrideUnit"], "there is no unit to override with", instead);
  }
  return {
    via: "opcua",
    server: server ?? "",
    node: node ?? "",
    sampling_ms: item.sampling ?? SAMPLING_ms,
    overrideUnit: item.overrideUnit ?? false,
  };
}
