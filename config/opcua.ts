//! The OPC UA servers of the config, by name. Security is on unless the config says None.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { OpcuaConfig, Path } from "./config.js";
import { checkKeys, isRecord, type Reading } from "./reading.js";
import { duration_ms, OPCUA_KEYS } from "./schema.js";

const SECURITY = ["None", "Sign", "SignAndEncrypt"] as const;
const POLICY = ["None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] as const;
const PUBLISHING = "1 s";

export function readOpcua(
  map: unknown,
  file: string,
  reading: Reading,
): Readonly<Record<string, OpcuaConfig>> {
  if (map === undefined) return {};
  if (!isRecord(map)) {
    reading.fault(["opcua"], "opcua names servers", "write opcua: { plc: { endpoint: ... } }");
    return {};
  }
  const servers: Record<string, OpcuaConfig> = {};
  for (const [name, item] of Object.entries(map)) {
    const path: Path = ["opcua", name];
    if (isRecord(item)) servers[name] = readServer(item, path, file, reading);
    else reading.fault(path, `the server "${name}" is a mapping of keys`);
  }
  return servers;
}

function readServer(
  item: Readonly<Record<string, unknown>>,
  path: Path,
  file: string,
  reading: Reading,
): OpcuaConfig {
  checkKeys(item, OPCUA_KEYS, path, reading);
  const text = (key: string): string | null => {
    const value = item[key] ?? null;
    if (value === null || typeof value === "string") return value;
    reading.fault([...path, key], `"${key}" is a text`);
    return null;
  };
  const choice = <T extends string>(key: string, known: readonly T[], otherwise: T): T => {
    const value = item[key] ?? otherwise;
    const found = known.find((k) => k === value);
    if (found === undefined) {
      reading.fault([...path, key], `no ${key} "${value}"`, `write ${known.join(", ")}`);
    }
    return found ?? otherwise;
  };
  const fileAt = (key: string): string | null => {
    const name = text(key);
    return name === null ? null : resolve(dirname(file), name);
  };
  const endpoint = text("endpoint");
  if (endpoint === null || !/^opc\.tcp:\/\/./.test(endpoint)) {
    reading.fault([...path, "endpoint"], `"${endpoint}" is no server`, "write opc.tcp://host:4840");
  }
  const security = choice("security", SECURITY, "SignAndEncrypt");
  const interval = duration_ms(item["publishingInterval"] ?? PUBLISHING);
  if (typeof interval === "string") reading.fault([...path, "publishingInterval"], interval);
  return {
    endpoint: endpoint ?? "",
    security,
    policy: choice("policy", POLICY, security === "None" ? "None" : "Basic256Sha256"),
    username: text("username"),
    password: secret(fileAt("passwordFile"), [...path, "passwordFile"], reading),
    certificate: fileAt("certificate"),
    privateKey: fileAt("privateKey"),
    publishingInterval_ms: typeof interval === "number" ? interval : 1_000,
  };
}

function secret(file: string | null, path: Path, reading: Reading): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    reading.fault(path, `cannot read "${file}" (${(error as { code?: unknown }).code})`);
    return null;
  }
}
