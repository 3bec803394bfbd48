import { loadConfig } from "../../config/load.js";
import { assemble, faultsOf } from "../assembly.js";
import { CONFIG_KINDS } from "../fitting.js";
import { type Arguments, EXIT } from "./command.js";

/** Loads a config, opens its models and compiles its rules; faults arrive as ConfigError. */
export async function check({ positionals }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const config = loadConfig(file, CONFIG_KINDS, process.env, faultsOf);
  const { channels, members } = assemble(config);
  console.log(`${file}: good; ${config.assets.length} asset(s), ${channels.length} channel(s)`);
  for (const { config: asset, off, commissioned } of members) {
    for (const what of off) console.log(`${asset.id}: off: ${what}`);
    if (!commissioned) console.log(`${asset.id}: not commissioned: no baseline`);
  }
  return EXIT.done;
}
