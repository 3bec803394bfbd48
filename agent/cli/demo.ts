//! The main job without a plant at hand: an embedded broker, a simulated wind turbine that sends its
//! readings over MQTT, and the agent watching it through the same code as in production.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { parseConfig } from "../../config/load.js";
import { startAgent } from "../agent.js";
import { wallClock } from "../base/clock.js";
import { OperatingError } from "../base/errors.js";
import { silentLog } from "../base/log.js";
import { type Injection, parseInjection } from "../sensors/plants/injection.js";
import type { Plant } from "../sensors/plants/plant.js";
import { createWindTurbine } from "../sensors/plants/wind-turbine.js";
import { valueIn } from "../units/format.js";
import { type Arguments, EXIT } from "./command.js";

const ASSET = "wt01";
const FEED_ms = 200;
/** Near rated wind, where a lost cooler or a worn bearing shows in the temperatures. */
const WIND_mps = 12;

/** Temperature rises over what cools the part: twice to three times the noise above full load. */
const RULES = [
  ["hss-bearing", "hssBearingTemp - oilTemp > 18 K", "critical", "Plan a bearing inspection"],
  ["generator-cooling", "windingTemp - nacelleTemp > 75 K", "warning", "Check fan and filters"],
  ["gear-loss", "oilTemp - nacelleTemp > 45 K", "warning", "Take an oil sample"],
  ["main-bearing", "mainBearingTemp - nacelleTemp > 30 K", "warning", "Check the grease"],
  ["pitch-stuck", "abs(pitch - pitchDemand) > 2 deg", "critical", "Check the pitch drives"],
] as const;
const HOLD = "3 s";

type Options = {
  readonly injection: Injection | null;
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
  const { port, close } = await startBroker();
  const url = `mqtt://127.0.0.1:${port}`;
  const state = mkdtempSync(join(tmpdir(), "sterna-demo-"));
  const plant = createWindTurbine({ asset: ASSET, seed: options.seed, wind_mps: WIND_mps });
  if (options.injection !== null) plant.inject(options.injection);
  const peer = await mqtt.connectAsync(url);
  await peer.subscribeAsync("sterna/v1/demo/+/alarm/+/event", { qos: 1 });
  peer.on("message", (_, payload) => console.log(options.json ? `${payload}` : line(payload)));
  const agent = await startAgent(
    parseConfig(configText(plant, url, state), "demo"),
    silentLog,
    wallClock(),
  );
  if (!options.json) announce(plant, url, options);
  const feed = startFeed(plant, options.speed, (topic, text) => peer.publish(topic, text));
  await finished(options.duration_s);
  feed.stop();
  await agent.stop();
  await peer.endAsync();
  await close();
  rmSync(state, { recursive: true });
  return EXIT.done;
}

function readOptions(values: Arguments["values"]): Options | string {
  const number = (key: string, otherwise: number): number => {
    const value = values[key];
    return value === undefined ? otherwise : Number(value);
  };
  const [speed, seed] = [number("speed", 60), number("seed", 1)];
  const duration_s = number("duration", Number.POSITIVE_INFINITY);
  if (!(speed > 0 && speed <= 3_600)) return "--speed is a factor from 1 to 3600";
  if (!Number.isInteger(seed)) return "--seed is a whole number";
  if (!(duration_s > 0)) return "--duration is a number of seconds";
  const text = values["inject"];
  if (typeof text !== "string") {
    return { injection: null, speed, seed, duration_s, json: values["json"] === true };
  }
  const found = parseInjection(text);
  if ("fault" in found) return found.fault;
  if (found.kind !== "wind-turbine")
    return `"${text}" is a fault of a ${found.kind}; not shown yet`;
  // The command line counts in wall seconds, the plant in its own.
  const injection = { ...found, at_s: found.at_s * speed, ramp_s: found.ramp_s * speed };
  return { injection, speed, seed, duration_s, json: values["json"] === true };
}

/** JSON is YAML: the demo's config goes through the same loader as a user's. */
function configText(plant: Plant, url: string, dir: string): string {
  const scalars = plant.channels.filter((c) => c.shape === "scalar");
  const channels = scalars.map(({ name, unit }) => [
    name,
    { mqtt: `plant/${ASSET}/${name}`, unit, staleAfter: "10 s" },
  ]);
  const rules = RULES.map(([id, when, severity, action]) => ({
    id,
    when,
    severity,
    action,
    for: HOLD,
    class: "machine",
    text: id,
  }));
  return JSON.stringify({
    gateway: { id: "gw-demo", site: "demo" },
    mqtt: { url },
    store: { dir },
    assets: [{ id: ASSET, channels: Object.fromEntries(channels), rules }],
  });
}

async function startBroker(): Promise<{ port: number; close: () => Promise<void> }> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new OperatingError("demo-port", "no free loopback port for the demo's broker");
  }
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port: address.port, close };
}

/** Runs the plant against the wall clock and sends the newest value of each channel. */
function startFeed(
  plant: Plant,
  speed: number,
  send: (topic: string, payload: string) => void,
): { stop: () => void } {
  const clock = wallClock();
  const start_ms = clock.now();
  const latest = new Map<number, number>();
  const output = {
    scalar: (channel: number, _: number, value: number) => void latest.set(channel, value),
    block() {},
  };
  const timer = setInterval(() => {
    plant.advance((clock.now() - start_ms) * speed, output);
    for (const [index, value] of latest) {
      const channel = plant.channels[index];
      if (channel === undefined) continue;
      send(`plant/${ASSET}/${channel.name}`, String(valueIn(value, channel.unit)));
    }
    latest.clear();
  }, FEED_ms);
  return { stop: () => clearInterval(timer) };
}

function finished(duration_s: number): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    if (Number.isFinite(duration_s)) setTimeout(resolve, duration_s * 1_000);
  });
}

function announce(plant: Plant, url: string, options: Options): void {
  const scalars = plant.channels.filter((c) => c.shape === "scalar");
  console.log(`broker    ${url}`);
  console.log(`watching  ${ASSET}, a simulated 5 MW wind turbine: ${scalars.length} channels`);
  for (const [id, when] of RULES) console.log(`rule      ${id}: ${when} for ${HOLD}`);
  console.log(`time      runs ${options.speed} times as fast as the wall clock`);
  const { injection } = options;
  if (injection === null) console.log("fault     none; try -- --inject hss_bearing@5s");
  else console.log(`fault     ${injection.name} after ${injection.at_s / options.speed} s`);
}

/** One alarm as one readable line: time, asset, class, severity, value against limit, why. */
function line(payload: Buffer): string {
  const { subject, source, data } = JSON.parse(payload.toString());
  const value = data.value === null ? "" : `${data.value.v} ${data.value.u}`;
  const limit = data.limit === null ? "" : ` (limit ${data.limit.v} ${data.limit.u})`;
  const what = `${data.transition.padEnd(5)} ${source.split("/").at(-1)} ${subject}`;
  const action = data.transition === "raise" ? `; ${data.action}` : "";
  return `${data.detected} ${what}: ${data.class} ${data.severity}, ${value}${limit}${action}`;
}
