//! Every key of a config: scalars (checked by convict) and list items (row tables). What is written
//! here is what `check` accepts and what docs/configuration.md says.
import * as f from "./formats.js";
import { given, optional, required, several } from "./rows.js";
import * as t from "./texts.js";

const SECRET = {
  passwordFile: optional(t.unshown(t.filePath), "File that holds the password, alone"),
  passwordCredential: optional(
    t.unshown(t.level),
    "Name of a systemd credential that holds the password (LoadCredential= of the unit)",
  ),
};

/** Groups of scalars, by their top-level key. */
export const SCALARS = {
  gateway: {
    id: required(t.level, "Name of this gateway, a topic level; no asset may have it"),
    site: required(t.level, "Name of the site, a topic level"),
  },
  mqtt: {
    url: required(t.brokerUrl, "Where the broker is: mqtt, mqtts, ws or wss"),
    version: given(f.choice("3.1.1", "5"), "3.1.1", "MQTT version"),
    clientId: optional(t.level, "Client id; the gateway id where absent"),
    username: optional(t.text, "User name at the broker"),
    ...SECRET,
    ca: optional(t.filePath, "PEM file of the authority that signed the broker's certificate"),
    cert: optional(t.filePath, "PEM file of our certificate"),
    key: optional(t.filePath, "PEM file of our private key"),
    rejectUnauthorized: given(f.flag, true, "Refuse a broker whose certificate is not trusted"),
    keepalive: given(f.time("1 s", "18 h"), "30 s", "Keep-alive period"),
  },
  store: {
    dir: given(t.filePath, "/var/lib/sterna", "Directory of the alarm state and the outbox"),
    outboxBytesMax: given(
      f.size("1 MBy", "1 TBy"),
      "200 MBy",
      "Size at which the outbox drops its least important message",
    ),
    outboxAgeMax: given(f.time("1 min", "3650 d"), "7 d", "Age at which a message is dropped"),
  },
  http: {
    enabled: given(f.flag, true, "Serve the page, /metrics and /healthz"),
    host: given(t.host, "127.0.0.1", "Address to listen on; loopback unless a proxy guards it"),
    port: given(f.whole(0, 65_535), 9470, "Port to listen on; 0 takes a free one"),
  },
  log: {
    level: given(f.choice("debug", "info", "warn", "error"), "info", "Least level that is logged"),
  },
  accel: {
    backend: given(
      t.level,
      "auto",
      "Compute backend by name (`sterna devices`); auto: the fastest; plan: each part of a network " +
        "where measured costs put it (`sterna plan`)",
    ),
    checkShare: given(
      f.share,
      0.001,
      "Share of inferences that are checked against the reference while the agent runs",
    ),
    allow: several(t.level, 16, "Backends that a plan may use; all where absent"),
    exact: given(f.flag, true, "A plan uses only backends that give identical integers"),
    prefer: given(f.choice("latency", "energy"), "latency", "What a plan makes least of"),
    latencyMax: optional(f.time("1 us", "1 h"), "Longest inference that a plan may have"),
    powerMax: optional(f.power("1 mW", "10 kW"), "A plan uses no backend that draws more"),
    power: several(
      f.draw,
      16,
      "What backends draw, for the plan; the processor's is measured where absent",
    ),
    fpgaDevice: given(
      t.fpgaDevice,
      "emulator",
      "What the backend fpga computes on: a board, its emulator, or rtl, the emulator of each clock",
    ),
    fpgaClock: given(f.frequency("10 kHz", "50 MHz"), "6 MHz", "Clock of the SPI bus"),
    fpgaBitstream: optional(t.filePath, "File to configure the FPGA with; the package's if absent"),
    fpgaGpio: optional(
      t.filePath,
      "GPIO chip of the lines below; without it the FPGA is left alone",
    ),
    fpgaReset: optional(f.whole(0, 1_023), "Line of CRESET_B"),
    fpgaSelect: optional(f.whole(0, 1_023), "Line of SPI_SS_B"),
    fpgaDone: optional(f.whole(0, 1_023), "Line of CDONE, where it is wired"),
    tflite: optional(
      t.filePath,
      "Library libtensorflowlite_c for the backend edgetpu, of the version that libedgetpu was built " +
        "for; without it an emulator computes",
    ),
    edgetpu: optional(t.filePath, "Library libedgetpu"),
    edgetpuModels: optional(
      t.filePath,
      "Folder of the compiled models (`sterna convert`), *_edgetpu.tflite",
    ),
    dense: given(
      f.choice("auto", "cpu", "cuda", "webgpu"),
      "auto",
      "What ONNX Runtime computes other models on; auto: cuda where it is, else cpu",
    ),
  },
  intake: {
    ring: given(
      f.whole(1_024, 1 << 22),
      65_536,
      "Samples that may wait for the pipeline; beyond it the oldest is dropped and counted",
    ),
    levelsMax: given(f.whole(1, 65_536), 256, "Levels that one topic pattern may have"),
    blockWorker: given(
      f.flag,
      true,
      "Read vibration blocks in a thread of their own, where there is a second core",
    ),
    memoryNode: given(
      f.whole(-1, 1_023),
      -1,
      "Memory node (NUMA, CXL) for the blocks on their way to it; -1: the nearest",
    ),
  },
  time: {
    aheadMax: given(f.time("0 s", "365 d"), "60 s", "How far a source's clock may be ahead"),
    behindMax: given(f.time("1 s", "3650 d"), "7 d", "How old a sample may be on arrival"),
  },
} as const;

/** Scalars that stand at the top level. */
export const TOP = {
  topicRoot: given(t.topicRoot, "sterna/v1", "First levels of every topic that is published"),
} as const;

export const OPCUA = {
  endpoint: required(t.endpoint, "Where the server is"),
  security: given(
    f.choice("None", "Sign", "SignAndEncrypt"),
    "SignAndEncrypt",
    "Message security; the agent never falls back to less",
  ),
  policy: optional(
    f.choice("None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"),
    "Security policy; Basic256Sha256 where absent (None with security: None)",
  ),
  username: optional(t.text, "User name at the server; anonymous where absent"),
  ...SECRET,
  certificate: optional(t.filePath, "PEM file of the certificate of an X.509 user"),
  privateKey: optional(t.filePath, "PEM file of its private key"),
  publishingInterval: given(f.time("10 ms", "1 h"), "1 s", "How often the server sends changes"),
} as const;

export const CHANNELS = "{ current: { mqtt: plant/line3/current, unit: A } }";
export const RULES = '[{ id: over, when: "current > 16 A", severity: critical }]';
export const INPUTS = "{ x: { channel: current, window: 64, unit: A } }";
export const OUTPUTS = '{ y: { channel: score, unit: "1" } }';

export const ASSET = {
  id: required(t.level, "Name of the asset, a topic level"),
  kind: given(t.text, "generic", "Asset kind: its ports, its monitor and its rules"),
  nameplate: optional(
    f.part("amounts", "{ ratedPower: 5 MW }"),
    "Data of the machine, as the kind asks for them",
  ),
  channels: required(f.part("channels", CHANNELS), "Its channels, by name"),
  rules: optional(f.part("list of rules", RULES), "Rules in addition to those of the kind"),
  profiles: several(t.level, 16, "Rule sets of config/profiles to add"),
  baseline: optional(t.filePath, "File of the commissioning baseline"),
  network: optional(
    t.filePath,
    "ONNX file of a bearing network trained on own blocks (kinds `bearing` and `wind-turbine`)",
  ),
  commission: optional(
    f.part("amount to learn from", "{ days: 14 }"),
    "Learn the normal while running: `{ days: 14 }` of a turbine, `{ flights: 10 }`, " +
      "`{ blocks: 480 }` of a bearing; of a generic asset days, or `{ cycles: 30 }`",
  ),
  adapt: given(f.flag, true, "Follow seasons and ageing slowly and within bounds after that"),
  cycle: optional(t.channelName, "Generic assets: the channel that counts cycles of a unit"),
  settings: several(
    t.channelName,
    32,
    "Generic assets: channels that set the operating point; they are not judged themselves",
  ),
  price: optional(
    f.price,
    "Price of its energy: alarms of a machine that gives less power than expected state their cost",
  ),
  disable: several(t.level, 256, "Ids of rules of the kind or a profile to leave out"),
} as const;

/** `of` says which binding a key belongs to. */
export const CHANNEL = {
  mqtt: optional(
    t.topicFilter,
    "Topic to read; with + or # each matching topic is a channel of its own, `name.level`",
  ),
  qos: optional(f.choice("0", "1"), "MQTT quality of service of the subscription; 0 where absent"),
  codec: optional(
    f.choice("number", "json", "block"),
    "number: plain text; json: by `path`; block: binary samples. Where absent: json with `path`, " +
      "block with `shape: block`, else number",
  ),
  path: optional(
    t.jsonPath,
    "JSON path of the value, `$.v` or `$.samples[*].v`; an array is a batch. The whole payload " +
      "where absent",
  ),
  time: optional(t.jsonPath, "JSON path of the source time; arrival time where absent"),
  period: optional(t.jsonPath, "JSON path of the time between the values of a batch with one time"),
  timeUnit: optional(f.choice("ms", "s", "iso"), "How the time is written; ms where absent"),
  unitPath: optional(t.jsonPath, "JSON path of the unit that the sender states"),
  opcua: optional(t.level, "OPC UA server to read from, by its name under `opcua`"),
  node: optional(t.nodeId, "Node id of the variable"),
  sampling: optional(f.time("0 s", "1 h"), "How often the server samples; 1 s where absent"),
  overrideUnit: optional(f.flag, "Let `unit` win over the server's EngineeringUnits"),
  simulated: optional(t.channelName, "Port of a simulated machine of the asset's kind"),
  unit: optional(
    f.unit,
    "Unit of the values. Where absent: over OPC UA the server's EngineeringUnits, of a simulation, " +
      "a recording or a plain number that of the kind's port",
  ),
  mavlinkUnit: optional(
    f.mavlinkUnit,
    "Unit as the `units` attribute of the MAVLink field spells it: cdeg, degE7, mG",
  ),
  min: optional(f.bound, "Least plausible value; below it a sample is rejected"),
  max: optional(f.bound, "Greatest plausible value"),
  staleAfter: optional(
    f.time("1 ms", "365 d"),
    "Silence after which it is stale; absent: 3 usual gaps, 5 s at least",
  ),
  codes: optional(f.codes, "Numbers of the texts that a status channel sends"),
  shape: optional(f.choice("scalar", "block"), "block: waveforms; scalar where absent"),
} as const;

export const RULE = {
  id: required(t.level, "Name of the alarm, a topic level"),
  when: required(t.condition, "Condition that raises it, units included"),
  clear: optional(t.condition, "Condition that clears it; the opposite of `when` where absent"),
  for: given(f.time("0 s", "365 d"), "0 s", "How long `when` must hold, in source time"),
  clearFor: given(f.time("0 s", "365 d"), "0 s", "How long `clear` must hold"),
  severity: required(f.choice("info", "warning", "critical"), "How bad it is"),
  class: given(
    f.choice("machine", "sensor", "process", "agent"),
    "process",
    "What is wrong: the machine, a sensor, the process, or the agent itself",
  ),
  text: optional(t.text, "What an operator reads; the condition where absent"),
  action: given(t.text, "", "What to do about it"),
  foldedInto: several(
    t.level,
    64,
    "Rules of the same asset that explain this one: while one is active, this is folded into it",
  ),
} as const;

export const MODEL = {
  file: required(t.filePath, "ONNX file"),
  asset: required(t.level, "Asset whose channels it reads and writes"),
  in: required(f.part("inputs", INPUTS), "Its inputs, by tensor name"),
  out: required(
    f.part("outputs", OUTPUTS),
    "Its outputs, by tensor name; several of one tensor as a list",
  ),
} as const;

export const MODEL_INPUT = {
  channel: optional(t.channelName, "Channel that feeds the tensor"),
  channels: optional(f.listOf(t.channelName, 1_024), "Several channels, stacked in this order"),
  window: given(f.whole(1, 65_536), 1, "Latest values of each channel that it sees"),
  bands: given(
    f.flag,
    false,
    "Block channels: loudness of each block in 32 bands, not its samples",
  ),
  unit: required(f.units, "Unit that the model was trained in; a list: one for each channel"),
} as const;

export const MODEL_OUTPUT = {
  channel: required(t.channelName, "Channel to write, which rules can read"),
  index: given(f.whole(0, 1_000_000), 0, "Place in the tensor"),
  unit: required(f.unit, "Unit of the value"),
} as const;

export const PROFILE = {
  about: required(t.text, "What the rule set is for"),
  rules: required(f.part("list of rules", RULES), "Its rules"),
} as const;

/** Top-level keys whose items have tables of their own. */
export const LISTS = { opcua: OPCUA, models: MODEL, assets: ASSET } as const;
