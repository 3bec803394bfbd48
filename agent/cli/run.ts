import { pino } from "pino";
import { startAgent } from "../agent.js";
import { wallClock } from "../base/clock.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";
import { ended } from "./signals.js";

/** The daemon: runs until SIGTERM or SIGINT, then flushes; the rest stays stored. */
export async function run(args: Arguments): Promise<number> {
  const config = configOf("run", args);
  if (typeof config === "number") return config;
  const log = pino({ level: config.log.level });
  const { recording } = args.values;
  const played = typeof recording === "string" ? { recording } : {};
  const agent = await startAgent(config, { log, clock: wallClock(), ...played });
  log.info({ assets: config.assets.map((a) => a.id), channels: agent.channels }, "watching");
  await ended();
  await agent.stop();
  return EXIT.done;
}
