//! The main job without a machine at hand: an embedded broker and OPC UA server, a simulated wind
//! turbine and quadrotor, and the agent watching both through the same code as in production.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { parseConfig } from "../../config/load.js";
import { startAgent } from "../agent.js";
import type { Log } from "../base/log.js";
import { CONFIG_KINDS } from "../fitting.js";
import { type Injection, parseInjection } from "../sensors/plants/injection.js";
import { type Arguments, EXIT } from "./command.js";
import { startBroker } from "./demo/broker.js";
import { lagsBehind, type WorldClock, worldClock } from "./demo/clock.js";
import { type RunningOpcuaServer, startOpcuaServer } from "./demo/opcua-server.js";
import { feedPlant, opcuaNodes } from "./demo/plant-feed.js";
import { alarmLine, welcome } from "./demo/say.js";
import {
  configText,
  createPlants,
  inject,
  type Peers,
  PLANT_KINDS,
  type Plants,
} from "./demo/setup.js";
import { openPage } from "./page.js";
import { ended, secondsOf } from "./signals.js";

/** What goes wrong is said beside the alarms, and nothing else is. */
const TROUBLE: Log = {
  debug() {},
  info() {},
  warn: (fields, message) => console.error(`${message} ${JSON.stringify(fields)}`),
  error: (fields, message) => console.error(`${message} ${JSON.stringify(fields)}`),
};
const SPEED = 60;
const SPEED_MAX = 3_600;
const LOOK_ms = 50;

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
  const { speed, seed, injections } = options;
  const end = ended(); // from now on: the OPC UA server listens to signals too, so none ends us
  const clock = worldClock(speed);
  const stateDir = mkdtempSync(join(tmpdir(), "sterna-demo-"));
  const plants = createPlants(seed, speed, clock.now());
  for (const injection of injections) inject(plants, injection, speed);
  const broker = await startBroker();
  const nodes = opcuaNodes(plants.turbine);
  const server = await startOpcuaServer({ port: 0, stateDir, nodes });
  try {
    const peers = { broker: broker.url, opcua: server.endpoint, stateDir, speed };
    await watch({ plants, peers, server, clock, options, end });
  } finally {
    await server.stop();
    await broker.stop();
    rmSync(stateDir, { recursive: true });
  }
  return EXIT.done;
}

type World = {
  readonly plants: Plants;
  readonly peers: Peers;
  readonly server: RunningOpcuaServer;
  readonly clock: WorldClock;
  readonly options: DemoOptions;
  readonly end: Promise<unknown>;
};

async function watch({ plants, peers, server, clock, options, end }: World): Promise<void> {
  const { json, speed } = options;
  const config = parseConfig(configText(plants, peers), "demo", CONFIG_KINDS, {});
  const peer = await mqtt.connectAsync(peers.broker);
  await peer.subscribeAsync("sterna/v1/demo/+/alarm/+/event", { qos: 1 });
  const seen = new Set<string>();
  peer.on("message", (_, payload) => {
    const { id } = JSON.parse(payload.toString());
    if (seen.has(id)) return; // a lost connection repeats what was not acknowledged
    seen.add(id);
    console.log(json ? `${payload}` : alarmLine(payload));
  });
  try {
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
    clock.start(() => lagsBehind(agent.view(), speed));
    await Promise.race([end, over(clock, options.duration_s)]);
    clock.stop();
    for (const feed of feeds) feed.stop();
    await page?.stop();
    await agent.stop();
  } finally {
    await peer.endAsync();
  }
}

/** In the time of the world: on a machine that cannot keep up the same happens, only later. */
async function over(clock: WorldClock, duration_s: number): Promise<void> {
  // Unreferenced: after a signal the clock stands still, and this must not keep the process alive.
  while (clock.elapsed_ms() < duration_s * 1_000) await sleep(LOOK_ms, undefined, { ref: false });
}

function readOptions(values: Arguments["values"]): DemoOptions | string {
  const number = (key: string, otherwise: number): number => {
    const value = values[key];
    return value === undefined ? otherwise : Number(value);
  };
  const [speed, seed] = [number("speed", SPEED), number("seed", 1)];
  const duration_s = secondsOf(values["duration"]);
  if (!(speed >= 1 && speed <= SPEED_MAX)) return `--speed is a factor from 1 to ${SPEED_MAX}`;
  if (!Number.isSafeInteger(seed)) return "--seed is a whole number";
  if (!(duration_s > 0)) return "--duration is a number of seconds, such as 60 or 60s";
  const json = values["json"] === true;
  const injections: Injection[] = [];
  for (const text of [values["inject"] ?? []].flat()) {
    const injection = parseInjection(String(text), PLANT_KINDS);
    if ("fault" in injection) return injection.fault;
    injections.push(injection);
  }
  return { injections, speed, seed, duration_s, json };
}
