//! The command table. Each command is one file beside this one, loaded only when it is called.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ConfigError, OperatingError } from "../base/errors.js";
import { packageVersion } from "../base/files.js";
import { nearest } from "../units/nearest.js";

export const EXIT = { done: 0, failed: 1, usage: 2, config: 78 } as const;

export type Arguments = {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
};

type Option = {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  /** What stands for the value in the help; "" for a flag. */
  readonly value: string;
  readonly about: string;
};
type Command = {
  readonly usage: string;
  readonly about: string;
  readonly positionals: number;
  /** Positionals may be left out. */
  readonly optional?: boolean;
  readonly options: Readonly<Record<string, Option>>;
  /** Exit codes other than 0 and 2, which every command has. */
  readonly codes: readonly (1 | 78)[];
  /** What 1 means beyond "failed". */
  readonly failed?: string;
  readonly load: () => Promise<(args: Arguments) => Promise<number>>;
};

const text = (value: string, about: string): Option => ({ type: "string", value, about });
const flag = (about: string): Option => ({ type: "boolean", value: "", about });
const UNUSABLE = "failed, or nothing of the recording could be used";
const CONFIG = text("FILE", "the config; config/examples has some");
const SECONDS = "wall seconds after which it ends; without it at Ctrl-C";

export const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: "run --config FILE",
    about: "the daemon: watch until stopped; --recording FILE plays one live to its end",
    positionals: 0,
    options: {
      config: CONFIG,
      recording: text("FILE", "play this recording live in place of the config's sources"),
    },
    codes: [1, 78],
    load: async () => (await import("./run.js")).run,
  },
  check: {
    usage: "check FILE [--recording FILE]",
    about:
      "every fault of a config file; with a recording, units that physics contradicts (exit 1)",
    positionals: 1,
    options: { recording: text("FILE", "a recording; its values are held against the units") },
    codes: [1, 78],
    failed: `${UNUSABLE}, or a unit is suspect`,
    load: async () => (await import("./check.js")).check,
  },
  replay: {
    usage: "replay RECORDING --config FILE",
    about: "the transitions a recording gives, one JSON document a line",
    positionals: 1,
    options: { config: CONFIG },
    codes: [1, 78],
    failed: UNUSABLE,
    load: async () => (await import("./replay.js")).replay,
  },
  commission: {
    usage: "commission RECORDING --config FILE",
    about: "learn the normal of a healthy period; also --asset, --from, --to, --out; --revert",
    positionals: 1,
    optional: true,
    options: {
      config: CONFIG,
      asset: text("ID", "only this asset"),
      out: text("FILE", "where the baseline goes; else ASSET.baseline.json in this folder"),
      from: text("TIME", "begin of the healthy period, such as 2026-11-01T00:00:00Z"),
      to: text("TIME", "its end"),
      revert: flag("forget what was adapted since commissioning; takes no recording"),
    },
    codes: [1, 78],
    failed: `${UNUSABLE}, or it is no normal`,
    load: async () => (await import("./commission.js")).commission,
  },
  record: {
    usage: "record --config FILE --out FILE",
    about: "what the sources send, to a new file (.gz is compressed); also --duration SECONDS",
    positionals: 0,
    options: {
      config: CONFIG,
      out: text("FILE", "where to write; must not exist yet; compressed where it ends in .gz"),
      duration: text("SECONDS", SECONDS),
    },
    codes: [1, 78],
    load: async () => (await import("./record.js")).record,
  },
  demo: {
    usage: "demo [--inject FAULT@20s] [--json]",
    about: "a simulated turbine, a broker and the agent; also --speed, --seed, --duration",
    positionals: 0,
    options: {
      inject: {
        ...text("FAULT@20s", "break something after so many wall seconds; may come several times"),
        multiple: true,
      },
      speed: text("FACTOR", "how much faster than the wall clock the plants run; 60 where absent"),
      seed: text("NUMBER", "of the plants' random numbers; 1 where absent"),
      duration: text("SECONDS", SECONDS),
      json: flag("print the transition documents as `replay` does, and nothing else"),
    },
    codes: [1],
    load: async () => (await import("./demo.js")).demo,
  },
  bench: {
    usage: "bench MODEL [--backend NAME]",
    about: "how fast a model file runs on each backend, and in ONNX Runtime",
    positionals: 1,
    options: {
      backend: text("NAME", "this backend alone"),
      runs: text("NUMBER", "samples of the clock a row; 2000 where absent"),
      json: flag("print one JSON document"),
    },
    codes: [1],
    load: async () => (await import("./bench.js")).bench,
  },
  plan: {
    usage: "plan MODEL [--config FILE]",
    about: "where each part of a model would run, measured here, and why",
    positionals: 1,
    options: { config: text("FILE", "take the limits of accel from this config") },
    codes: [1, 78],
    load: async () => (await import("./plan.js")).plan,
  },
  convert: {
    usage: "convert MODEL --target TARGET [--rows FILE]",
    about:
      "a float32 model with int8 or ternary weights for the kernels; or a file for an Edge TPU",
    positionals: 1,
    options: {
      target: text("TARGET", "int8, ternary, or edgetpu for the compiler of that device"),
      rows: text("FILE", "a CSV of inputs of the model, one row a line; int8 and ternary need it"),
      out: text("FILE", "where to write; beside the model where absent"),
    },
    codes: [1],
    load: async () => (await import("./convert.js")).convert,
  },
  devices: {
    usage: "devices [--config FILE]",
    about: "the compute backends and why each can or cannot be used here",
    positionals: 0,
    options: { config: text("FILE", "devices as this config names them") },
    codes: [78],
    load: async () => (await import("./devices.js")).devices,
  },
};

const CODES = {
  0: "done",
  1: "failed",
  2: "wrong command line",
  78: "faults in the config, each printed with its place",
} as const;

/** Runs one command line and returns the exit code; prints what a person needs to know. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = argv;
  if (name === "--version") {
    console.log(packageVersion());
    return EXIT.done;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(help());
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const near = nearest(name, Object.keys(COMMANDS), (known) => `; write "sterna ${known}"`);
    console.error(`sterna: there is no command "${name}"${near ?? ""}\n\n${help()}`);
    return EXIT.usage;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    console.log(helpOf(command));
    return EXIT.done;
  }
  const args = readArguments(command, rest);
  if (typeof args === "string") {
    const more = `sterna ${name} --help says more`;
    console.error(`sterna ${name}: ${args}\nusage: sterna ${command.usage}; ${more}`);
    return EXIT.usage;
  }
  try {
    return await (await command.load())(args);
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message);
      return EXIT.config;
    }
    if (error instanceof OperatingError) {
      console.error(`sterna ${name}: ${error.message} (${error.code})`);
      return EXIT.failed;
    }
    throw error;
  }
}

function readArguments(command: Command, rest: readonly string[]): Arguments | string {
  try {
    const options: ParseArgsConfig["options"] = {};
    for (const [key, { type, multiple = false }] of Object.entries(command.options)) {
      options[key] = { type, multiple };
    }
    const { positionals, values } = parseArgs({
      args: [...rest],
      options,
      allowPositionals: true,
    });
    const left = command.optional === true && positionals.length === 0;
    if (positionals.length !== command.positionals && !left) {
      return `takes ${command.positionals} file name(s), not ${positionals.length}`;
    }
    return { positionals, values: values as Arguments["values"] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function help(): string {
  const rows = Object.values(COMMANDS).map((c) => `  sterna ${c.usage.padEnd(34)} ${c.about}`);
  return [
    `sterna ${packageVersion()}: watches machines and raises alarms that obey physics`,
    "",
    ...rows,
    "  sterna --help | --version",
    "  sterna COMMAND --help",
    "",
    "exit codes: 0 done, 1 failed, 2 wrong command line, 78 faults in the config",
  ].join("\n");
}

function helpOf({ usage, about, options, codes, failed = CODES[1] }: Command): string {
  const rows = Object.entries(options).map(([key, option]): [string, string] => [
    `--${key} ${option.value}`.trimEnd(),
    option.about,
  ]);
  const wide = Math.max(...[...rows, ["--help"]].map(([left = ""]) => left.length));
  const lines = [...rows, ["--help", "this text"]].map(
    ([left = "", right = ""]) => `  ${left.padEnd(wide)}  ${right}`,
  );
  const words = { ...CODES, 1: failed };
  const ends = ([0, 1, 2, 78] as const).filter(
    (code) => code === 0 || code === 2 || codes.includes(code),
  );
  return [
    `usage: sterna ${usage}`,
    "",
    about,
    "",
    ...lines,
    "",
    `exit codes: ${ends.map((code) => `${code} ${words[code]}`).join(", ")}`,
  ].join("\n");
}
