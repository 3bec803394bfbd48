//! `hss_bearing@20s`: which fault, when, how hard. One text for the command line, tests and docs.

import { BEARING_CHANNELS } from "./bearing-channels.js";
import { QUADROTOR_CHANNELS, TURBINE_CHANNELS } from "./channels.js";
import { FAULTS } from "./faults.js";
import { GAS_TURBINE_CHANNELS } from "./gas-turbine-channels.js";
import {
  type Injection,
  type PlantChannel,
  type PlantKind,
  SENSOR_FAULTS,
  type SensorFault,
  type SensorFaultMode,
} from "./plant.js";

export type { Injection } from "./plant.js";

const CHANNELS: Readonly<Record<PlantKind, readonly PlantChannel[]>> = {
  "wind-turbine": TURBINE_CHANNELS,
  quadrotor: QUADROTOR_CHANNELS,
  "gas-turbine": GAS_TURBINE_CHANNELS,
  bearing: BEARING_CHANNELS,
};
const KINDS: readonly PlantKind[] = ["wind-turbine", "quadrotor", "gas-turbine", "bearing"];
const FORM = /^([\w:-]+?)(?:\*([\d.]+))?(?:@([\d.]+)(ms|s|min|h))?(?:\+([\d.]+)(ms|s|min|h))?$/;
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600 };

/**
 * Reads `NAME[*SEVERITY][@TIME][+RAMP]`, NAME a fault or `[KIND:]sensor:CHANNEL:MODE[:CHANNEL]`:
 * `blade*0.5@2min+10min`, `sensor:oilTemp:stuck@20s`, `sensor:oilTemp:swap:nacelleTemp`.
 * `kinds`: of the plants that there are; a fault of another is none.
 */
export function parseInjection(
  text: string,
  kinds: readonly PlantKind[] = KINDS,
): Injection | { readonly fault: string } {
  const match = FORM.exec(text.trim());
  if (match === null) {
    return { fault: `"${text}" is no injection; write NAME@20s, NAME*0.5@20s or NAME@20s+60s` };
  }
  const [, name = "", strength = "1", at = "0", atUnit = "s", ramp = "0", rampUnit = "s"] = match;
  const severity = Number(strength);
  if (!(severity > 0 && severity <= 1)) {
    return { fault: `the severity of "${text}" is ${strength}; write a number above 0, at most 1` };
  }
  const at_s = Number(at) * (SECONDS[atUnit] ?? 1);
  const ramp_s = Number(ramp) * (SECONDS[rampUnit] ?? 1);
  if (!(at_s >= 0 && ramp_s >= 0)) return { fault: `the time of "${text}" is no number` };
  const found = name.includes(":") ? findSensor(name, kinds) : findMachine(name, kinds);
  return "fault" in found ? found : { ...found, name, at_s, ramp_s, severity };
}

type Found = { readonly kind: PlantKind; readonly sensor: SensorFault | null };

function findMachine(
  name: string,
  among: readonly PlantKind[],
): Found | { readonly fault: string } {
  const row = FAULTS.find((r) => r.name === name && among.includes(r.kind));
  if (row !== undefined) return { kind: row.kind, sensor: null };
  const names = among.map(
    (kind) =>
      `${kind}: ${FAULTS.filter((r) => r.kind === kind)
        .map((r) => r.name)
        .join(" ")}`,
  );
  return {
    fault:
      `there is no fault "${name}"; there are, for a ${names.join("; for a ")}; ` +
      `and for any channel sensor:CHANNEL:MODE, MODE one of ${SENSOR_FAULTS.join(" ")}`,
  };
}

function findSensor(name: string, among: readonly PlantKind[]): Found | { readonly fault: string } {
  const parts = name.split(":");
  const named = among.filter((kind) => kind === parts[0]);
  if (named.length > 0) parts.shift();
  const kinds = named.length > 0 ? named : among;
  const [prefix, channelName = "", modeName = "", otherName] = parts;
  if (prefix !== "sensor") return findMachine(name, among);
  const mode = SENSOR_FAULTS.find((m) => m === modeName);
  if (mode === undefined) {
    return {
      fault: `"${modeName}" is no sensor fault; write one of ${SENSOR_FAULTS.join(" ")}`,
    };
  }
  for (const kind of kinds) {
    const channel = scalarIndex(kind, channelName);
    if (channel >= 0) return withOther(kind, channel, mode, otherName);
  }
  const names = kinds.map(
    (kind) =>
      `${kind}: ${CHANNELS[kind]
        .filter((c) => c.shape === "scalar")
        .map((c) => c.name)
        .join(" ")}`,
  );
  return { fault: `there is no scalar channel "${channelName}"; there are, ${names.join("; ")}` };
}

function withOther(
  kind: PlantKind,
  channel: number,
  mode: SensorFaultMode,
  otherName: string | undefined,
): Found | { readonly fault: string } {
  if (mode !== "swap") {
    if (otherName === undefined) return { kind, sensor: { channel, mode, other: -1 } };
    return { fault: `only swap takes a second channel; leave out ":${otherName}"` };
  }
  const other = scalarIndex(kind, otherName ?? "");
  if (other >= 0 && other !== channel) return { kind, sensor: { channel, mode, other } };
  return { fault: `swap needs another scalar channel of the ${kind}: sensor:A:swap:B` };
}

function scalarIndex(kind: PlantKind, name: string): number {
  return CHANNELS[kind].findIndex((c) => c.name === name && c.shape === "scalar");
}
