import { loadConfig } from "../../config/load.js";
import { assemble } from "../assembly.js";
import { type Arguments, EXIT } from "./command.js";

/** Loads a config and compiles its rules; faults arrive as ConfigError, printed by the caller. */
export async function check({ positionals }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const config = loadConfig(file);
  const { channels } = assemble(config);
  console.log(`${file}: good; ${config.assets.length} asset(s), ${channels.length} channel(s)`);
  return EXIT.done;
}
