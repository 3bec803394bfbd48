import type { Config } from "../../config/config.js";
import type { Agent } from "../agent.js";
import type { Log } from "../base/log.js";

export type Page = { readonly url: string; stop(): Promise<void> };

/** The page of an agent, null where the config wants none; loaded only then. */
export async function openPage({ http }: Config, agent: Agent, log: Log): Promise<Page | null> {
  if (!http.enabled) return null;
  const { startStatusServer } = await import("../status/server.js");
  const { port, stop } = await startStatusServer(http, agent, log);
  return { url: `http://${http.host}:${port}/`, stop };
}
