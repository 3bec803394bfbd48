import { pino } from "pino";
import { loadConfig } from "../../config/load.js";
import { startAgent } from "../agent.js";
import { wallClock } from "../base/clock.js";
import { type Arguments, EXIT } from "./command.js";

/** The daemon: runs until SIGTERM or SIGINT, then flushes; the rest stays stored. */
export async function run({ values }: Arguments): Promise<number> {
  const file = values["config"];
  if (typeof file !== "string") {
    console.error("sterna run: --config FILE is missing");
    return EXIT.usage;
  }
  const config = loadConfig(file);
  const log = pino({ level: config.log.level });
  const agent = await startAgent(config, log, wallClock());
  log.info({ assets: config.assets.map((a) => a.id) }, "watching");
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await agent.stop();
  return EXIT.done;
}
