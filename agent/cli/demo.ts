//! The main job without a machine at hand: an embedded broker and OPC UA server, a simulated wind
//! turbine and quadrotor, and the agent watching both through the same code as in production.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { parseConfig } from "../../config/load.js";
import { startAgent } from "../agent.js";
import { type Clock, wallClock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import { CONFIG_KINDS } from "../fitting.js";
import { type Injection, parseInjection } from "../sensors/plants/injection.js";
import { type Arguments, EXIT } from "./command.js";
import { startBroker } from "./demo/broker.js";
import { startOpcuaServer } from "./demo/opcua-server.js";
import { feedPlant, opcuaNodes } from "./demo/plant-feed.js";
import { alarmLine, welcome } from "./demo/say.js";
import { configText, createPlants, inject } from "./demo/setup.js";
import { openPage } from "./page.js";
import { ended } from "./signals.js";

/** What goes wrong is said beside the alarms, and nothing else is. */
const TROUBLE: Log = {
  debug() {},
  info() {},
  warn: (fields, message) => console.error(`${message} ${JSON.stringify(fields)}`),
  error: (fields, message) => console.error(`${message} ${JSON.stringify(fields)}`),
};
const SPEED = 60;
const SPEED_MAX = 3_600;

export type DemoOptions = {
  readonly injections: readonly Injection[];
  readonly speed: number;
  readonly seed: number;
  readonly duration_s: number;
  readonly json: boolean;
};

export async function demo({ values }: Arguments): Promise<number> {
  const options = readOptions(values);
  if (typeof options === "string") {
    console.error(`sterna demo: ${options}`);
    return EXIT.usage;
  }
  const { speed, seed, injections, json } = options;
  const clock = fastClock(speed);
  const stateDir = mkdtempSync(join(tmpdir(), "sterna-demo-"));
  const plants = createPlants(seed, speed, clock.now());
  for (const injection of injections) inject(plants, injection, speed);
  const broker = await startBroker();
  const nodes = opcuaNodes(plants.turbine);
  const server = await startOpcuaServer({ port: 0, stateDir, nodes });
  const peer = await mqtt.connectAsync(broker.url);
  await peer.subscribeAsync("sterna/v1/demo/+/alarm/+/event", { qos: 1 });
  peer.on("message", (_, payload) => console.log(json ? `${payload}` : alarmLine(payload)));
  const peers = { broker: broker.url, opcua: server.endpoint, stateDir, speed };
  const config = parseConfig(configText(plants, peers), "demo", CONFIG_KINDS, {});
  const agent = await startAgent(config, { log: TROUBLE, clock });
  const now = (): number => clock.now();
  const feeds = [
    feedPlant(plants.turbine, { mqtt: peer, opcua: server, now }),
    feedPlant(plants.drone, { mqtt: peer, opcua: null, now }),
  ];
  const page = await openPage(config, agent, TROUBLE);
  if (!json) {
    for (const line of welcome(agent.view(), peers, page?.url ?? "", options)) console.log(line);
  }
  await ended(options.duration_s);
  for (const feed of feeds) feed.stop();
  await page?.stop();
  await agent.stop();
  await peer.endAsync();
  await server.stop();
  await broker.stop();
  rmSync(stateDir, { recursive: true });
  return EXIT.done;
}

/** The agent lives in the time of the plants, else their stamps would run away from it. */
function fastClock(speed: number): Clock {
  const wall = wallClock();
  const start_ms = wall.now();
  return { now: () => start_ms + (wall.now() - start_ms) * speed };
}

function readOptions(values: Arguments["values"]): DemoOptions | string {
  const number = (key: string, otherwise: number): number => {
    const value = values[key];
    return value === undefined ? otherwise : Number(value);
  };
  const [speed, seed] = [number("speed", SPEED), number("seed", 1)];
  const duration_s = number("duration", Number.POSITIVE_INFINITY);
  if (!(speed >= 1 && speed <= SPEED_MAX)) return `--speed is a factor from 1 to ${SPEED_MAX}`;
  if (!Number.isSafeInteger(seed)) return "--seed is a whole number";
  if (!(duration_s > 0)) return "--duration is a number of seconds";
  const json = values["json"] === true;
  const injections: Injection[] = [];
  for (const text of [values["inject"] ?? []].flat()) {
    const injection = parseInjection(String(text));
    if ("fault" in injection) return injection.fault;
    injections.push(injection);
  }
  return { injections, speed, seed, duration_s, json };
}
