import { startAgent } from "../agent.js";
import { wallClock } from "../base/clock.js";
import type { OperatingError } from "../base/errors.js";
import { openNotify } from "../base/notify.js";
import { loadLightly } from "../base/workers.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";
import { openLog } from "./log.js";
import { openPage } from "./page.js";
import { ended } from "./signals.js";

/**
 * The daemon: runs until SIGTERM, SIGINT or the end of the recording that it plays, then flushes;
 * the rest stays stored. Past its end a recording's channels would all be silent: false alarms.
 */
export async function run(args: Arguments): Promise<number> {
  const loaded = loadLightly();
  const config = configOf("run", args);
  if (typeof config === "number") return config;
  const log = openLog(config.log.level, process.stdout);
  const end = ended(); // from now on: a stop during the start is a stop, too
  const { recording } = args.values;
  const played = Promise.withResolvers<OperatingError | null>();
  const source =
    typeof recording === "string" ? { recording: { path: recording, ended: played.resolve } } : {};
  const notify = await openNotify(process.env, log);
  // Fed by completed ticks and by nothing else: a pipeline that stands still is restarted.
  const progress = (): void => notify?.watchdog();
  const agent = await startAgent(config, { log, clock: wallClock(), progress, ...source });
  const page = await openPage(config, agent, log);
  loaded();
  if (page !== null) log.info({ page: page.url }, "the page is up");
  log.info({ assets: config.assets.map((a) => a.id), channels: agent.channels }, "watching");
  notify?.status(`watching ${config.assets.length} asset(s), ${agent.channels} channel(s)`);
  notify?.ready();
  const failure = await Promise.race([end.then(() => null), played.promise]);
  notify?.stopping();
  await page?.stop();
  await agent.stop();
  return failure === null ? EXIT.done : EXIT.failed;
}
