//! The command table. Each command is one file beside this one, loaded only when it is called.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ConfigError, OperatingError } from "../base/errors.js";
import { packageVersion } from "../base/files.js";

export const EXIT = { done: 0, failed: 1, usage: 2, config: 78 } as const;

export type Arguments = {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
};

type Command = {
  readonly usage: string;
  readonly about: string;
  readonly positionals: number;
  /** Positionals may be left out. */
  readonly optional?: boolean;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  readonly load: () => Promise<(args: Arguments) => Promise<number>>;
};

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: "run --config FILE",
    about: "the daemon: watch until stopped; --recording FILE plays one live instead",
    positionals: 0,
    options: { config: text, recording: text },
    load: async () => (await import("./run.js")).run,
  },
  check: {
    usage: "check FILE",
    about: "every fault of a config file, with line and column",
    positionals: 1,
    options: {},
    load: async () => (await import("./check.js")).check,
  },
  replay: {
    usage: "replay RECORDING --config FILE",
    about: "the transitions a recording gives, one JSON document a line",
    positionals: 1,
    options: { config: text },
    load: async () => (await import("./replay.js")).replay,
  },
  commission: {
    usage: "commission RECORDING --config FILE",
    about: "learn the normal of a healthy period; also --asset, --from, --to, --out; --revert",
    positionals: 1,
    optional: true,
    options: { config: text, asset: text, out: text, from: text, to: text, revert: flag },
    load: async () => (await import("./commission.js")).commission,
  },
  record: {
    usage: "record --config FILE --out FILE",
    about: "what the sources send, to a new file (.gz is compressed); also --duration SECONDS",
    positionals: 0,
    options: { config: text, out: text, duration: text },
    load: async () => (await import("./record.js")).record,
  },
  demo: {
    usage: "demo [--inject FAULT@20s] [--json]",
    about: "a simulated turbine, a broker and the agent; also --speed, --seed, --duration",
    positionals: 0,
    options: {
      inject: { type: "string", multiple: true },
      speed: text,
      seed: text,
      duration: text,
      json: flag,
    },
    load: async () => (await import("./demo.js")).demo,
  },
  devices: {
    usage: "devices",
    about: "the compute backends and why each can or cannot be used here",
    positionals: 0,
    options: {},
    load: async () => (await import("./devices.js")).devices,
  },
};

/** Runs one command line and returns the exit code; prints what a person needs to know. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = argv;
  if (name === "--version") {
    console.log(packageVersion());
    return EXIT.done;
  }
  if (name === "--help" || name === "help") {
    console.log(help());
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    console.error(`sterna: there is no command "${name}"\n\n${help()}`);
    return EXIT.usage;
  }
  const args = readArguments(command, rest);
  if (typeof args === "string") {
    console.error(`sterna ${name}: ${args}\nusage: sterna ${command.usage}`);
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
    const { positionals, values } = parseArgs({
      args: [...rest],
      options: command.options,
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
    "",
    "exit codes: 0 done, 1 failed, 2 wrong command line, 78 faults in the config",
  ].join("\n");
}
