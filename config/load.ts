//! YAML to Config. Every fault at once, each with its place and what to write instead.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import convict from "convict";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { ConfigError, type Fault } from "../agent/base/errors.js";
import { readAssets } from "./assets.js";
import type { Config, MqttConfig, Path } from "./config.js";
import { NESTING_MAX, tooDeepAt } from "./nesting.js";
import { readOpcua } from "./opcua.js";
import { checkKeys, isRecord, type Reading } from "./reading.js";
import { duration_ms, SCHEMA, size_bytes } from "./schema.js";

const FILE_BYTES_MAX = 1 << 20;

/** Loads and checks a config file; throws ConfigError with every fault. */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const what = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([{ file, line: 0, column: 0, what, instead: "" }]);
  }
  return parseConfig(text, file);
}

export function parseConfig(text: string, file: string): Config {
  const faults: Fault[] = [];
  if (text.length > FILE_BYTES_MAX) {
    throw new ConfigError([{ file, line: 0, column: 0, what: "is over 1 MiB", instead: "" }]);
  }
  const deep = tooDeepAt(text);
  if (deep !== null) {
    const before = text.slice(0, deep).split("\n");
    const [line, column] = [before.length, (before.at(-1) ?? "").length + 1];
    const instead = `nest at most ${NESTING_MAX} levels`;
    throw new ConfigError([{ file, line, column, what: "nested too deeply", instead }]);
  }
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  for (const error of document.errors) {
    const { line, col: column } = counter.linePos(error.pos[0]);
    faults.push({ file, line, column, what: error.message, instead: "" });
  }
  if (faults.length > 0) throw new ConfigError(faults);

  const where = (path: Path): { line: number; column: number } => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (!isNode(node) || !node.range) continue;
      const quoted = isScalar(node) && /^QUOTE/.test(node.type ?? "") ? 1 : 0;
      const { line, col } = counter.linePos(node.range[0] + quoted);
      return { line, column: col };
    }
    return { line: 1, column: 1 };
  };
  const reading: Reading = {
    fault(path, what, instead = "") {
      faults.push({ file, ...where(path), what, instead });
    },
  };
  const root: unknown = isMap(document.contents) ? safeJs(document, reading) : null;
  if (!isRecord(root)) {
    reading.fault([], "a config is a mapping of keys", "see config/examples");
    throw new ConfigError(faults);
  }
  const scalars = readScalars(root, reading);
  const opcua = readOpcua(root["opcua"], file, reading);
  const connections = { mqtt: root["mqtt"] !== undefined, opcua: Object.keys(opcua) };
  const assets = readAssets(root["assets"], reading, connections);
  for (const asset of assets) {
    if (asset.id === scalars.gateway.id) {
      reading.fault([...asset.path, "id"], `"${asset.id}" is also the gateway's id`, "rename one");
    }
  }
  const mqtt = isRecord(root["mqtt"]) ? readMqtt(scalars, file, reading) : null;
  faults.sort((a, b) => a.line - b.line || a.column - b.column);
  if (faults.length > 0) throw new ConfigError(faults);
  const { store, time } = scalars;
  return {
    file,
    gateway: scalars.gateway,
    topicRoot: scalars.topicRoot,
    mqtt,
    opcua,
    store: {
      dir: resolve(dirname(file), store.dir),
      outboxBytes_max: size_bytes(store.outboxBytesMax) as number,
      outboxAge_max_ms: duration_ms(store.outboxAgeMax) as number,
    },
    http: { enabled: false, host: "127.0.0.1", port: 0 },
    log: scalars.log as Config["log"],
    accel: { backend: "auto" },
    intake: { ring: scalars.intake.ring, levels_max: scalars.intake.levelsMax },
    time: {
      ahead_max_ms: duration_ms(time.aheadMax) as number,
      behind_max_ms: duration_ms(time.behindMax) as number,
    },
    models: [],
    assets,
    where,
  };
}

/** yaml's own bound on aliases turns a billion laughs into an error. */
function safeJs(document: ReturnType<typeof parseDocument>, reading: Reading): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    reading.fault([], error instanceof Error ? error.message : String(error));
    return {};
  }
}

function readScalars(root: Readonly<Record<string, unknown>>, reading: Reading) {
  const settings = convict(SCHEMA);
  checkKeys(root, [...Object.keys(SCHEMA), "opcua", "assets"], [], reading);
  for (const [key, shape] of Object.entries(SCHEMA)) {
    const given = root[key];
    if (given === undefined) continue;
    if ("format" in shape) set(settings, key, given, [key], reading);
    else if (!isRecord(given)) reading.fault([key], `"${key}" is a group of keys`);
    else {
      checkKeys(given, Object.keys(shape), [key], reading);
      for (const name of Object.keys(shape)) {
        if (given[name] === undefined) continue;
        set(settings, `${key}.${name}`, given[name], [key, name], reading);
      }
    }
  }
  return settings.getProperties();
}

/** One value through convict, checked by itself so that its fault has its place. */
function set<T>(
  settings: convict.Config<T>,
  name: string,
  value: unknown,
  path: Path,
  reading: Reading,
): void {
  const before = settings.get(name as never);
  try {
    settings.set(name as never, value as never);
    settings.validate({ allowed: "strict" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reading.fault(path, message.split("\n")[0]?.trim() ?? "wrong value");
    settings.set(name as never, before as never);
  }
}

function readMqtt(
  scalars: ReturnType<typeof readScalars>,
  file: string,
  reading: Reading,
): MqttConfig | null {
  const { mqtt } = scalars;
  const url: string | null = mqtt.url;
  if (url === null || !/^(mqtts?|wss?):\/\/./.test(url)) {
    reading.fault(["mqtt", "url"], `"${url}" is no broker`, "write e.g. mqtt://localhost:1883");
    return null;
  }
  const read = (key: "passwordFile" | "ca" | "cert" | "key"): string | null => {
    const path: string | null = mqtt[key];
    if (path === null) return null;
    try {
      return readFileSync(resolve(dirname(file), path), "utf8").trim();
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      reading.fault(["mqtt", key], `cannot read "${path}" (${code})`);
      return null;
    }
  };
  return {
    url,
    protocolVersion: mqtt.version === "5" ? 5 : 4,
    clientId: mqtt.clientId,
    username: mqtt.username,
    password: read("passwordFile"),
    tls: { ca: read("ca"), cert: read("cert"), key: read("key"), rejectUnauthorized: true },
    keepalive_s: Math.round((duration_ms(mqtt.keepalive) as number) / 1_000),
  };
}
