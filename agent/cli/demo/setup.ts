//! The demo's plants and the config by which the agent watches them: the config is text for the
//! same loader as a user's, and every binding in it is one that a gateway would have.
import { packageFile } from "../../base/files.js";
import { createPlant } from "../../sensors/plants/kinds.js";
import type { Injection, Plant, PlantChannel, PlantKind } from "../../sensors/plants/plant.js";
import { blockTopic, DRONE_GROUPS, groupTopic, nodeId } from "./plant-feed.js";

const TURBINE = "wt01";
const DRONE = "qd01";
const PLC = "plc";
/** Wall seconds without a reading; the agent's clock runs with the plants. */
const SILENCE_s = 15;
const BLOCK_EVERY_ms = 2_000;
/** Readings come no faster than this on the wall clock, however fast the plants run. */
const TURBINE_WALL_ms = 50;
const DRONE_WALL_ms = 10;

export const turbinePeriod_ms = (speed: number): number => Math.max(1_000, TURBINE_WALL_ms * speed);
export const dronePeriod_ms = (speed: number): number => Math.max(200, DRONE_WALL_ms * speed);

/** What there is to break. */
export const PLANT_KINDS: readonly PlantKind[] = ["wind-turbine", "quadrotor"];

export type Plants = { readonly turbine: Plant; readonly drone: Plant };

export function createPlants(seed: number, speed: number, start_ms: number): Plants {
  const turbine = createPlant("wind-turbine", {
    asset: TURBINE,
    seed,
    start_ms,
    period_ms: turbinePeriod_ms(speed),
    blockEvery_ms: BLOCK_EVERY_ms * speed,
  });
  const period_ms = dronePeriod_ms(speed);
  const drone = createPlant("quadrotor", { asset: DRONE, seed, start_ms, period_ms });
  return { turbine, drone };
}

/** The command line counts in wall seconds, the plants in their own. */
export function inject({ turbine, drone }: Plants, injection: Injection, speed: number): void {
  const plant = injection.kind === "quadrotor" ? drone : turbine;
  const { at_s, ramp_s } = injection;
  plant.inject({ ...injection, at_s: at_s * speed, ramp_s: ramp_s * speed });
}

export type Peers = {
  readonly broker: string;
  readonly opcua: string;
  readonly stateDir: string;
  readonly speed: number;
};

/** JSON is YAML, so this is a config file. */
export function configText({ turbine, drone }: Plants, peers: Peers): string {
  const staleAfter = `${SILENCE_s * peers.speed} s`;
  const turbineChannel = ({ name, shape, unit }: PlantChannel) => {
    const node = nodeId(turbine.asset, name);
    return shape === "block"
      ? { mqtt: blockTopic(turbine.asset), codec: "block", unit, staleAfter }
      : { opcua: PLC, node, unit, sampling: "100 ms", staleAfter };
  };
  const droneChannel = ({ name, unit }: PlantChannel) => {
    const [group = ""] =
      Object.entries(DRONE_GROUPS).find(([, names]) => names.includes(name)) ?? [];
    const topic = groupTopic(drone.asset, group);
    return { mqtt: topic, path: `$.${name}`, time: "$.ts", unit, staleAfter };
  };
  const channels = (plant: Plant, one: (channel: PlantChannel) => object) =>
    Object.fromEntries(plant.channels.map((channel) => [channel.name, one(channel)]));
  return JSON.stringify({
    gateway: { id: "gw-demo", site: "demo" },
    mqtt: { url: peers.broker },
    opcua: { [PLC]: { endpoint: peers.opcua, security: "None", publishingInterval: "100 ms" } },
    store: { dir: peers.stateDir },
    http: { port: 0 },
    assets: [
      {
        id: turbine.asset,
        kind: turbine.kind,
        baseline: packageFile("config/baselines/demo-wt01.json"),
        nameplate: {
          ratedPower: "5 MW",
          rotorRadius: "63 m",
          gearRatio: "97",
          hssBearing: { rollers: "9", ballDiameter: "7.94 mm", pitchDiameter: "39.04 mm" },
        },
        channels: channels(turbine, turbineChannel),
      },
      {
        id: drone.asset,
        kind: drone.kind,
        baseline: packageFile("config/baselines/demo-qd01.json"),
        nameplate: { mass: "1.5 kg", rotorRadius: "0.127 m", batteryCapacity: "18000 C" },
        channels: channels(drone, droneChannel),
      },
    ],
  });
}
