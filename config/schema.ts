//! The scalars of the config (convict) and the keys of its list items (tables). What is written
//! here is what `check` accepts.
import convict from "convict";
import { parseAmount } from "../agent/units/parse.js";

/** Topic levels, asset ids and rule ids: nats-server and Sparkplug hosts refuse more. */
export const LEVEL = /^[A-Za-z0-9_-]{1,64}$/;

/** An amount of one dimension as a number: ms for times, bytes for sizes, SI for the rest. */
export function amountOf(value: unknown, dim: string, per: number): number | string {
  if (typeof value !== "string") return 'write a number with its unit, e.g. "60 s"';
  const amount = parseAmount(value);
  if ("fault" in amount) return amount.fault;
  if (amount.unit.dim !== dim) return `${value} is in ${amount.unit.dim}, not in ${dim}`;
  return amount.value / per;
}

export const duration_ms = (value: unknown): number | string => {
  const ms = amountOf(value, "s", 1e-3);
  return typeof ms === "number" && ms < 0 ? "a time cannot be negative" : ms;
};
export const size_bytes = (value: unknown): number | string => amountOf(value, "bit", 8);

const check =
  (read: (value: unknown) => number | string) =>
  (value: unknown): void => {
    const found = read(value);
    if (typeof found === "string") throw new Error(found);
  };

convict.addFormat({ name: "duration", validate: check(duration_ms), coerce: (v: unknown) => v });
convict.addFormat({ name: "bytes", validate: check(size_bytes), coerce: (v: unknown) => v });
convict.addFormat({
  name: "level",
  validate: (value: unknown) => {
    if (typeof value !== "string" || !LEVEL.test(value)) {
      throw new Error("write letters, digits, _ and - only, at most 64");
    }
  },
  coerce: (v: unknown) => v,
});
convict.addFormat({
  name: "text",
  validate: (value: unknown) => {
    if (value !== null && typeof value !== "string") throw new Error("write a text");
  },
  coerce: (v: unknown) => v,
});

const text = (doc: string, value: string | null = null) => ({
  doc,
  format: "text",
  default: value,
});

export const SCHEMA = {
  gateway: {
    id: { doc: "Name of this gateway, a topic level", format: "level", default: "gateway" },
    site: { doc: "Name of the site, a topic level", format: "level", default: "site" },
  },
  topicRoot: text("First levels of every topic", "sterna/v1"),
  mqtt: {
    url: text("mqtt://host:1883 or mqtts://host:8883"),
    version: { doc: "MQTT version: 3.1.1 or 5", format: ["3.1.1", "5"], default: "3.1.1" },
    clientId: text("Client id; default the gateway id"),
    username: text("User name at the broker"),
    passwordFile: text("File that holds the password"),
    ca: text("PEM file of the authority that signed the broker's certificate"),
    cert: text("PEM file of our certificate"),
    key: text("PEM file of our key"),
    keepalive: { doc: "Keep-alive period", format: "duration", default: "30 s" },
  },
  store: {
    dir: text("Directory of the alarm state and the outbox", "/var/lib/sterna"),
    outboxBytesMax: { doc: "Size at which the outbox drops", format: "bytes", default: "200 MBy" },
    outboxAgeMax: { doc: "Age at which the outbox drops", format: "duration", default: "7 d" },
  },
  log: {
    level: { doc: "Least level", format: ["debug", "info", "warn", "error"], default: "info" },
  },
  intake: {
    ring: { doc: "Samples that may wait for the pipeline", format: "nat", default: 65_536 },
    levelsMax: { doc: "Levels of one topic pattern at most", format: "nat", default: 256 },
  },
  time: {
    aheadMax: { doc: "How far a source's clock may be ahead", format: "duration", default: "60 s" },
    behindMax: { doc: "How old a sample may be on arrival", format: "duration", default: "7 d" },
  },
};

export const ASSET_KEYS = ["id", "kind", "channels", "rules"] as const;
export const CHANNEL_KEYS = [
  "mqtt",
  "qos",
  "path",
  "time",
  "timeUnit",
  "unitPath",
  "unit",
  "min",
  "max",
  "staleAfter",
  "codes",
  "shape",
  "opcua",
  "node",
  "sampling",
  "overrideUnit",
] as const;
export const OPCUA_KEYS = [
  "endpoint",
  "security",
  "policy",
  "username",
  "passwordFile",
  "certificate",
  "privateKey",
  "publishingInterval",
] as const;
export const RULE_KEYS = [
  "id",
  "when",
  "clear",
  "for",
  "clearFor",
  "severity",
  "class",
  "text",
  "action",
] as const;
