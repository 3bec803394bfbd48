//! What a loaded config is. Times are ms, bytes are bytes, every unit string has been parsed once.
//! load.ts builds it; agent.ts hands each folder the part it needs.
import type { Fault } from "../agent/base/errors.js";
import type { RuleRow } from "../agent/rules/rule.js";
import type { Amount, Unit } from "../agent/units/parse.js";
import type { Price } from "../agent/units/price.js";

export type Tls = {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly rejectUnauthorized: boolean;
};

export type MqttConfig = {
  readonly url: string;
  /** 4 is MQTT 3.1.1, 5 is MQTT 5. */
  readonly protocolVersion: 4 | 5;
  readonly clientId: string | null;
  readonly username: string | null;
  /** Read from passwordFile or a systemd credential; never printed. */
  readonly password: string | null;
  readonly tls: Tls;
  readonly keepalive_s: number;
};

export type OpcuaConfig = {
  readonly endpoint: string;
  readonly security: "None" | "Sign" | "SignAndEncrypt";
  readonly policy: "None" | "Basic256Sha256" | "Aes128_Sha256_RsaOaep" | "Aes256_Sha256_RsaPss";
  readonly username: string | null;
  readonly password: string | null;
  readonly certificate: string | null;
  readonly privateKey: string | null;
  readonly publishingInterval_ms: number;
};

export type MqttBinding = {
  readonly via: "mqtt";
  /** May hold `+` and `#`: then the channel is a pattern and each match a level. */
  readonly topic: string;
  readonly qos: 0 | 1;
  /** `number` plain text, `json` by paths, `block` the binary header + samples. */
  readonly codec: "number" | "json" | "block";
  /** JSON paths ($.v, $.data[*].x): value, source time, unit. Arrays of both are a batch. */
  readonly path: string | null;
  readonly time: string | null;
  readonly unitPath: string | null;
  /** Time between the values of a batch that states only its start, in timeUnit. */
  readonly period: string | null;
  readonly timeUnit: "ms" | "s" | "iso";
};

export type OpcuaBinding = {
  readonly via: "opcua";
  readonly server: string;
  readonly node: string;
  readonly sampling_ms: number;
  /** The config's unit wins over EUInformation only when this is true. */
  readonly overrideUnit: boolean;
};

export type SimulatedBinding = { readonly via: "simulated"; readonly port: string };
/** Fed by recordings or by a model only. */
export type NoBinding = { readonly via: "none" };
export type Binding = MqttBinding | OpcuaBinding | SimulatedBinding | NoBinding;

export type ChannelConfig = {
  readonly name: string;
  readonly unit: Unit;
  /** False: `unit` is the port's, because the config gives none. */
  readonly unitStated: boolean;
  /** The port takes differences, not points. */
  readonly difference: boolean;
  readonly shape: "scalar" | "block";
  /** In SI; infinite where the config and the kind say nothing. */
  readonly min: number;
  readonly max: number;
  readonly staleAfter_ms: number | null;
  readonly codes: Readonly<Record<string, number>> | null;
  readonly binding: Binding;
  readonly path: Path;
};

export type AssetConfig = {
  readonly id: string;
  readonly kind: string;
  readonly nameplate: Nameplate;
  readonly channels: readonly ChannelConfig[];
  readonly rules: readonly RuleConfig[];
  /** Named rule sets of config/profiles, in addition to the kind's own: `article`. */
  readonly profiles: readonly string[];
  /** File of the commissioning baseline, null before commissioning. */
  readonly baseline: string | null;
  /** ONNX file of a bearing network of one's own, null for the one that ships. */
  readonly network: string | null;
  /** Learn the normal while running, from so much of it; null: do not. */
  readonly commission: { readonly per: string; readonly amount: number } | null;
  /** Follow seasons and ageing after that, within bounds. */
  readonly adapt: boolean;
  /** Generic assets: the channel that counts cycles, and those that set the operating point. */
  readonly cycle: string | null;
  readonly settings: readonly string[];
  /** Of the energy that an alarm loses; null: alarms say no cost. */
  readonly price: Price | null;
  /** Rules of the kind that are switched off by id. */
  readonly disable: readonly string[];
  /** Only in a config with faults, which is checked further but never used. */
  readonly gaps: Gaps | null;
  readonly path: Path;
};

/** What could not be read of an asset: nothing that rests on it may be called a fault. */
export type Gaps = {
  /** Channels by name. */
  readonly channels: ReadonlySet<string>;
  /** Other names may be missing too: all channels, the kind, outputs of models. */
  readonly open: boolean;
  /** Conditions of rules that have another fault: to be compiled all the same. */
  readonly rules: readonly RuleConfig[];
};

/** Checks what needs the whole config: conditions against channels, models against their files. */
export type Check = (config: Config) => readonly Fault[];

/** Nested amounts of a nameplate, as written: `hssBearing.rollers` -> amount in SI. */
export type Nameplate = { readonly [key: string]: Amount };

export type RuleConfig = RuleRow & { readonly path: Path };

export type ModelConfig = {
  readonly name: string;
  readonly file: string;
  readonly asset: string;
  readonly in: readonly ModelInput[];
  readonly out: readonly ModelOutput[];
  readonly path: Path;
};
export type ModelInput = {
  readonly tensor: string;
  /** One channel, or several stacked in this order. */
  readonly channels: readonly string[];
  readonly window: number;
  /** 32 bands of each block in the place of samples. */
  readonly bands: boolean;
  /** One for each channel. */
  readonly units: readonly Unit[];
};
export type ModelOutput = {
  readonly tensor: string;
  readonly index: number;
  readonly channel: string;
  readonly unit: Unit;
};

export type AccelConfig = {
  readonly backend: string;
  readonly checkShare: number;
  /** Null: all. */
  readonly allow: readonly string[] | null;
  readonly exact: boolean;
  readonly prefer: "latency" | "energy";
  readonly latency_max_ms: number | null;
  readonly power_max_W: number | null;
  /** W by the name of the backend. */
  readonly power_W: Readonly<Record<string, number>>;
  readonly fpga: {
    readonly device: string;
    readonly clock_Hz: number;
    readonly bitstream: string | null;
    readonly gpio: {
      readonly chip: string;
      readonly reset: number;
      readonly select: number;
      readonly done: number | null;
    } | null;
  };
  /** Null: the emulator. */
  readonly edgetpu: {
    readonly tflite: string;
    readonly edgetpu: string;
    readonly models: string;
  } | null;
  readonly dense: "auto" | "cpu" | "cuda" | "webgpu";
};

export type Config = {
  readonly file: string;
  readonly gateway: { readonly id: string; readonly site: string };
  readonly topicRoot: string;
  readonly mqtt: MqttConfig | null;
  readonly opcua: Readonly<Record<string, OpcuaConfig>>;
  readonly store: {
    readonly dir: string;
    readonly outboxBytes_max: number;
    readonly outboxAge_max_ms: number;
  };
  readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number };
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
  readonly accel: AccelConfig;
  readonly intake: {
    readonly ring: number;
    readonly levels_max: number;
    readonly blockWorker: boolean;
    readonly memoryNode: number | null;
  };
  readonly time: { readonly ahead_max_ms: number; readonly behind_max_ms: number };
  readonly models: readonly ModelConfig[];
  readonly assets: readonly AssetConfig[];
  /**
   * The place of a value, for faults found after loading: its first character of content, so that
   * an offset within a rule text adds to the column. A rule of a profile stands in another file.
   */
  readonly where: (path: Path) => Place;
};

export type Place = { readonly file: string; readonly line: number; readonly column: number };

/** What the config must know of an asset kind; assets.ts has the rest. `min`, `max` are SI. */
export type Kind = {
  readonly ports: readonly {
    readonly name: string;
    readonly unit: string;
    readonly point: boolean;
    readonly shape: "scalar" | "block";
    readonly min: number;
    readonly max: number;
  }[];
  /** The same with the ranges of a machine of this size; absent: size does not matter. */
  readonly portsOf?: (nameplate: Nameplate) => Kind["ports"];
  /** Keys as in `hssBearing.rollers`, each with its unit. */
  readonly nameplate: Readonly<Record<string, string>>;
  /** In what commissioning counts, how much is usual, and least; absent: nothing is learnt. */
  readonly commission?: readonly CommissionUnit[];
};
export type CommissionUnit = {
  readonly per: string;
  readonly usual: number;
  readonly least: number;
};
export type Kinds = Readonly<Record<string, Kind>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** Keys and indexes from the root: ["assets", 0, "rules", 1, "when"]. */
export type Path = readonly (string | number)[];
