import type { Config } from "../../config/config.js";
import type { Agent } from "../agent.js";
import { OperatingError } from "../base/errors.js";
import type { Log } from "../base/log.js";

export type Page = { readonly url: string; stop(): Promise<void> };

/**
 * The page of an agent, null where the config wants none. A port that is taken costs the page and
 * nothing else: the machines are watched all the same.
 */
export async function openPage({ http }: Config, agent: Agent, log: Log): Promise<Page | null> {
  if (!http.enabled) return null;
  const { startStatusServer } = await import("../status/server.js");
  try {
    const { port, stop } = await startStatusServer(http, agent, log);
    return { url: `http://${http.host}:${port}/`, stop };
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    log.error({ code: error.code }, error.message);
    return null;
  }
}
