//! Sends what a simulated plant measures to a broker and an OPC UA server, as gateways meet it:
//! turbine scalars as nodes, vibration as binary blocks, the drone's readings as JSON by group.

import { assert } from "../../base/errors.js";
import { encodeBlock } from "../../sensors/block.js";
import { unitIdOf } from "../../sensors/eu.js";
import type { Plant, PlantChannel, PlantOutput } from "../../sensors/plants/plant.js";
import { isUnitFault, parseUnit } from "../../units/parse.js";
import type { OpcuaNode } from "./opcua-server.js";

export type FeedTargets = {
  readonly mqtt: { publish(topic: string, payload: string | Buffer): unknown };
  /** Needed by a turbine only. */
  readonly opcua: { set(nodeId: string, value: number, t_ms: number): void } | null;
  /** Plant time follows it: a clock that runs twice as fast gives twice the speed. */
  readonly now: () => number;
};

export type PlantFeed = { stop(): void };

const TICK_ms = 50;
/** One count of a vibration block: +-163 m/s2 in 16 bits, far above what the plant makes. */
const COUNT_mps2 = 0.005;

/** JSON topic of each drone channel: `plant/qd01/<group>`, one field a channel beside `ts`. */
export const DRONE_GROUPS: Readonly<Record<string, readonly string[]>> = {
  baro: ["pressure", "airTemp"],
  gps: ["altitudeRef", "velocity", "climbRate"],
  imu: ["accelX", "accelY", "accelZ", "roll", "pitch", "vibe", "clipCount"],
  motors: ["throttle", ...[1, 2, 3, 4].flatMap((n) => [`rotorSpeed${n}`, `motorOutput${n}`])],
  esc: [1, 2, 3, 4].flatMap((n) => [`escCurrent${n}`, `escTemp${n}`]),
  battery: ["batteryVoltage", "batteryCurrent", ...[1, 2, 3, 4].map((n) => `cellVoltage${n}`)],
  compass: ["magField"],
};

/** UNECE Recommendation 20 codes of the turbine's units. */
const UNECE: Readonly<Record<string, string>> = {
  "m/s": "MTS",
  "m/s2{rms}": "MSK",
  rpm: "RPM",
  deg: "DD",
  kW: "KWT",
  "kN.m": "B48",
  Cel: "CEL",
  hPa: "A97",
  "%": "P1",
};

/** `plant/wt01/hss/accel` of asset WT01. */
export function blockTopic(asset: string): string {
  return `plant/${asset.toLowerCase()}/hss/accel`;
}

export function groupTopic(asset: string, group: string): string {
  return `plant/${asset.toLowerCase()}/${group}`;
}

/** `ns=1;s=WT01.oilTemp`. */
export function nodeId(asset: string, channel: string): string {
  return `ns=1;s=${asset}.${channel}`;
}

/** The nodes that the demo's OPC UA server needs before a turbine can feed it. */
export function opcuaNodes(plant: Plant): OpcuaNode[] {
  return plant.channels
    .filter((c) => c.shape === "scalar")
    .map(({ name, unit, span, about }) => {
      const code = UNECE[unit];
      return {
        nodeId: nodeId(plant.asset, name),
        name,
        unit:
          code === undefined
            ? null
            : { unitId: unitIdOf(code), displayName: unit, description: about },
        range: span,
      };
    });
}

/** Runs the plant after `now` until stopped. */
export function feedPlant(plant: Plant, targets: FeedTargets): PlantFeed {
  const wire = plant.channels.map(toWire);
  const drone = plant.kind === "quadrotor" ? groupsOf(plant) : null;
  // Readings of one group and one time make one message; a late one makes its own.
  const pending = new Map<string, { topic: string; body: Record<string, number> }>();
  const output: PlantOutput = {
    scalar(index, t_ms, value) {
      const channel = plant.channels[index] as PlantChannel;
      const shown = (wire[index] as (si: number) => number)(value);
      if (drone === null) {
        targets.opcua?.set(nodeId(plant.asset, channel.name), shown, t_ms);
        return;
      }
      const topic = drone[index];
      if (topic === undefined) return;
      const key = `${topic} ${t_ms}`;
      const message = pending.get(key) ?? { topic, body: { ts: t_ms } };
      message.body[channel.name] = shown;
      pending.set(key, message);
    },
    block(_index, block) {
      const { fs_hz, t_ms, speed_radps } = block;
      const rpm = (speed_radps * 60) / (2 * Math.PI);
      const values = Int16Array.from(block.values, (v) =>
        Math.max(-32_768, Math.min(32_767, Math.round(v / COUNT_mps2))),
      );
      const header = { fs_hz, t_ms, scale: COUNT_mps2, rpm, unit: "m/s2" };
      const payload = Buffer.from(encodeBlock(header, values).buffer);
      targets.mqtt.publish(blockTopic(plant.asset), payload);
    },
  };
  const timer = setInterval(() => {
    plant.advance(targets.now(), output);
    for (const { topic, body } of pending.values()) {
      targets.mqtt.publish(topic, JSON.stringify(body));
    }
    pending.clear();
  }, TICK_ms);
  return { stop: () => clearInterval(timer) };
}

function toWire({ name, unit }: PlantChannel): (si: number) => number {
  const parsed = parseUnit(unit);
  assert(!isUnitFault(parsed), `unit of ${name}`);
  const { factor, offset } = parsed;
  // Six decimals: the noise of the instruments lies far above, and JSON stays short.
  return (si) => Math.round(((si - offset) / factor) * 1e6) / 1e6;
}

/** The topic of each channel of a drone, by index. */
function groupsOf(plant: Plant): (string | undefined)[] {
  return plant.channels.map(({ name }) => {
    const group = Object.entries(DRONE_GROUPS).find(([, names]) => names.includes(name));
    return group === undefined ? undefined : groupTopic(plant.asset, group[0]);
  });
}
