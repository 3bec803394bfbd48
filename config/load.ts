//! YAML to Config. Every fault at once, each with its place and what to write instead. The
//! environment is an argument; the files of passwords and certificates are read here and only here.
import { readFileSync } from "node:fs";
import { ConfigError, type Fault, formatFault } from "../agent/base/errors.js";
import { readAssets } from "./assets.js";
import type { Connections } from "./channels.js";
import type { AssetConfig, Check, Config, Env, Kinds, MqttConfig, OpcuaConfig } from "./config.js";
import { show } from "./formats.js";
import { readModels } from "./models.js";
import { checkKeys, isMapping, type Mapping, readItem } from "./rows.js";
import { profilePlace } from "./rules.js";
import { readScalars, type Scalars } from "./scalars.js";
import { LISTS, OPCUA, SCALARS, TOP } from "./schema.js";
import { fromConfig, readPassword, readText } from "./secrets.js";
import { level } from "./texts.js";
import { type Reading, readYaml } from "./yaml.js";

const KEYS = [...Object.keys(SCALARS), ...Object.keys(TOP), ...Object.keys(LISTS)];

/** Loads and checks a config file; throws ConfigError with every fault. */
export function loadConfig(file: string, kinds: Kinds, env: Env, check?: Check): Config {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    const instead = "name a config file; config/examples has some";
    const what = `cannot be read (${code})`;
    throw new ConfigError([{ file, line: 0, column: 0, what, instead }]);
  }
  return parseConfig(bytes, file, kinds, env, check);
}

/**
 * The same for a text; `file` names it in faults, and relative paths start from its folder. Where
 * there are faults `check` adds those that it finds in what could be read.
 */
export function parseConfig(
  input: string | Uint8Array,
  file: string,
  kinds: Kinds,
  env: Env,
  check: Check = () => [],
): Config {
  const reading = readYaml(input, file, []);
  const { root } = reading;
  if (!isMapping(root)) {
    const what = root === null ? "the config is empty" : `${show(root)} is no config`;
    reading.fault([], what, "write gateway:, mqtt: and assets:; see config/examples");
    throw new ConfigError(reading.faults);
  }
  checkKeys(root, KEYS, [], reading);
  const scalars = readScalars(root, reading);
  const opcua = readOpcua(root["opcua"], reading, env);
  const servers = isMapping(root["opcua"]) ? Object.keys(root["opcua"]) : [];
  const connections: Connections = { mqtt: root["mqtt"] !== undefined, opcua: servers };
  const gatewayId = gatewayOf(root);
  const { list, all } = readAssets(root["assets"], reading, kinds, connections, gatewayId);
  const before = reading.faults.length;
  const models = readModels(root["models"], reading, list);
  const modelsWhole = reading.faults.length === before;
  const mqtt = root["mqtt"] === undefined ? null : readMqtt(scalars, reading, env);
  const fpga = readFpga(file, scalars.accel, reading);
  const edgetpu = readEdgeTpu(file, scalars.accel, reading);
  const { faults } = reading;
  const { gateway, topicRoot, store, http, log, accel, intake, time } = scalars;
  const config: Config = {
    file,
    gateway,
    topicRoot,
    mqtt,
    opcua,
    store: {
      dir: fromConfig(file, store.dir),
      outboxBytes_max: store.outboxBytesMax,
      outboxAge_max_ms: store.outboxAgeMax,
    },
    http,
    log,
    accel: {
      backend: accel.backend,
      checkShare: accel.checkShare,
      allow: accel.allow.length === 0 ? null : accel.allow,
      exact: accel.exact,
      prefer: accel.prefer,
      latency_max_ms: accel.latencyMax,
      power_max_W: accel.powerMax,
      fpga,
      edgetpu,
      dense: accel.dense,
      power_W: Object.fromEntries(accel.power.map(({ device, power_W }) => [device, power_W])),
    },
    intake: {
      ring: intake.ring,
      levels_max: intake.levelsMax,
      blockWorker: intake.blockWorker,
      memoryNode: intake.memoryNode < 0 ? null : intake.memoryNode,
    },
    time: { ahead_max_ms: time.aheadMax, behind_max_ms: time.behindMax },
    models,
    assets: faults.length === 0 ? list.map(complete) : all.map((one) => open(one, modelsWhole)),
    where: placesOf(input, file, reading),
  };
  if (faults.length > 0) throw new ConfigError(inOrder([...faults, ...check(config)]));
  return config;
}

const complete = (asset: AssetConfig): AssetConfig => ({ ...asset, gaps: null });

/** A model that could not be read may write any channel. */
const open = (asset: AssetConfig, modelsWhole: boolean): AssetConfig =>
  modelsWhole || asset.gaps === null ? asset : { ...asset, gaps: { ...asset.gaps, open: true } };

/** Held weakly: it serves faults alone, and of 1,000 channels the parsed document is 10 MB. */
function placesOf(input: string | Uint8Array, file: string, first: Reading): Config["where"] {
  let held = new WeakRef(first);
  return (path) => {
    const reading = held.deref() ?? readYaml(input, file, []);
    held = new WeakRef(reading);
    return profilePlace(path) ?? reading.where(path);
  };
}

function gatewayOf(root: Mapping): string | null {
  const gateway = root["gateway"];
  return isMapping(gateway) && typeof gateway["id"] === "string" ? gateway["id"] : null;
}

/** As they stand in the file, each once: what an alias repeats is one fault. */
function inOrder(faults: readonly Fault[]): readonly Fault[] {
  const once = new Map(faults.map((fault) => [formatFault(fault), fault]));
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Lines of a board come together: its chip, what resets it, what selects it. */
function readFpga(
  file: string,
  accel: Scalars["accel"],
  reading: Reading,
): Config["accel"]["fpga"] {
  const { fpgaGpio: chip, fpgaReset: reset, fpgaSelect: select, fpgaDone: done } = accel;
  const lines = [chip, reset, select].filter((value) => value !== null).length;
  if (lines !== 0 && lines !== 3) {
    const what = "fpgaGpio, fpgaReset and fpgaSelect belong together";
    reading.faultAtKey(["accel"], what, "write all three or none");
  }
  const bitstream = accel.fpgaBitstream === null ? null : fromConfig(file, accel.fpgaBitstream);
  for (const [key, value] of Object.entries({ fpgaBitstream: bitstream, fpgaDone: done })) {
    if (value === null || lines > 0) continue;
    const what = `${key} without the lines that configure the FPGA`;
    reading.faultAtKey(["accel", key], what, "write fpgaGpio, fpgaReset and fpgaSelect too");
  }
  const whole = chip !== null && reset !== null && select !== null;
  const gpio = whole ? { chip, reset, select, done } : null;
  return { device: accel.fpgaDevice, clock_Hz: accel.fpgaClock, bitstream, gpio };
}

/** Two libraries and the models compiled for them: one is nothing without the others. */
function readEdgeTpu(
  file: string,
  { tflite, edgetpu, edgetpuModels }: Scalars["accel"],
  reading: Reading,
): Config["accel"]["edgetpu"] {
  if (tflite !== null && edgetpu !== null && edgetpuModels !== null) {
    const [library, device, models] = [tflite, edgetpu, edgetpuModels].map((path) =>
      fromConfig(file, path),
    ) as [string, string, string];
    return { tflite: library, edgetpu: device, models };
  }
  if (tflite !== null || edgetpu !== null || edgetpuModels !== null) {
    const what = "tflite, edgetpu and edgetpuModels belong together";
    reading.faultAtKey(["accel"], what, "write all three or none");
  }
  return null;
}

function readMqtt(scalars: Scalars, reading: Reading, env: Env): MqttConfig {
  const { mqtt } = scalars;
  const secure = /^(mqtts|wss):/.test(mqtt.url);
  for (const key of ["ca", "cert", "key"] as const) {
    if (mqtt[key] === null || secure) continue;
    reading.fault(["mqtt", key], `${key} is for mqtts, the url is not`, "write url: mqtts://...");
  }
  if ((mqtt.cert === null) !== (mqtt.key === null)) {
    const [has, lacks] = mqtt.cert === null ? ["key", "cert"] : ["cert", "key"];
    reading.faultAtKey(["mqtt", has as string], `${has} without ${lacks}`, `write ${lacks}: FILE`);
  }
  const read = (key: "ca" | "cert" | "key"): string | null =>
    readText(mqtt[key], ["mqtt", key], reading);
  return {
    url: mqtt.url,
    protocolVersion: mqtt.version === "5" ? 5 : 4,
    clientId: mqtt.clientId,
    username: mqtt.username,
    password: readPassword(mqtt, ["mqtt"], reading, env),
    tls: {
      ca: read("ca"),
      cert: read("cert"),
      key: read("key"),
      rejectUnauthorized: mqtt.rejectUnauthorized,
    },
    keepalive_s: Math.round(mqtt.keepalive / 1_000),
  };
}

function readOpcua(map: unknown, reading: Reading, env: Env): Config["opcua"] {
  if (map === undefined || map === null) return {};
  if (!isMapping(map)) {
    reading.fault(["opcua"], "opcua is a mapping", 'write { plc: { endpoint: "opc.tcp://..." } }');
    return {};
  }
  const entries = Object.entries(map).flatMap(([name, raw]): [string, OpcuaConfig][] => {
    const path = ["opcua", name];
    level.read(name, (what, instead) => reading.faultAtKey(path, what, instead));
    const item = readItem(OPCUA, raw, path, reading, "an OPC UA server");
    if (item === null) return [];
    const { endpoint, security, username, publishingInterval: publishingInterval_ms } = item;
    const policy = item.policy ?? (security === "None" ? "None" : "Basic256Sha256");
    if ((policy === "None") !== (security === "None")) {
      const what = `security ${security} with the policy ${policy}`;
      reading.fault([...path, "policy"], what, "write None for both or for neither");
    }
    const server: OpcuaConfig = {
      endpoint,
      security,
      policy,
      username,
      password: readPassword(item, path, reading, env),
      certificate: readText(item.certificate, [...path, "certificate"], reading),
      privateKey: readText(item.privateKey, [...path, "privateKey"], reading),
      publishingInterval_ms,
    };
    return [[name, server]];
  });
  return Object.fromEntries(entries);
}
