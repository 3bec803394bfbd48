//! What the demo prints for people: what is watched at the start, then a line for each alarm.

import type { View } from "../../status/view.js";
import { readable } from "../../units/format.js";
import { parseUnit } from "../../units/parse.js";
import type { DemoOptions } from "../demo.js";
import type { Peers } from "./setup.js";

const WHAT: Readonly<Record<string, string>> = {
  "wind-turbine": "a simulated 5 MW wind turbine: OPC UA, vibration blocks over MQTT",
  quadrotor: "a simulated quadrotor: JSON over MQTT",
};

export function welcome(view: View, peers: Peers, page: string, options: DemoOptions): string[] {
  const { injections, speed } = options;
  return [
    `page      ${page}`,
    `broker    ${peers.broker}   (subscribe to sterna/v1/demo/#)`,
    `OPC UA    ${peers.opcua}`,
    ...view.assets.map(({ id, kind, channels }) => {
      return `watching  ${id}, ${WHAT[kind] ?? kind} (${channels.length} channels)`;
    }),
    `models    on ${view.backend}, ${view.tier}`,
    `time      runs ${speed} times as fast as the wall clock, on the page and in the alarms too`,
    ...injections.map(({ name, at_s }) => `fault     ${name} after ${at_s} s`),
    ...(injections.length > 0
      ? []
      : ["fault     none; try: npm start -- --inject hss_bearing@20s"]),
  ];
}

type Value = { readonly v: number; readonly u: string };

/** Time, asset, class, severity, value with unit, limit, why. */
export function alarmLine(payload: Buffer): string {
  const { subject, source, time, data } = JSON.parse(payload.toString());
  const asset = String(source).split("/").at(-1);
  const value = data.value === null ? "" : ` ${shown(data.value)}`;
  const limit = data.limit === null ? "" : ` (limit ${shown(data.limit)})`;
  const head = `${time} ${data.transition.padEnd(6)} ${asset} ${subject}`;
  const what = `${data.class} ${data.severity}${value}${limit}`;
  if (data.suppressedBy !== null) return `${head}: ${what}, folded into ${data.suppressedBy}`;
  if (data.transition === "clear") return `${head}: ${what}: ${data.evidence.join("; ")}`;
  if (data.transition !== "raise") return `${head}: ${what}`;
  return `${head}: ${what}: ${data.text}. ${why(data.evidence)}${data.action}`;
}

/** The page has all of it; a line has no room for what holds. */
const ELSEWHERE = /^(balances|channels|other explanation)\b/;

function why(evidence: readonly string[]): string {
  const told = evidence.filter((text) => !ELSEWHERE.test(text));
  return told.length === 0 ? "" : `Because ${told.join("; ")}. `;
}

function shown({ v, u }: Value): string {
  const unit = parseUnit(u);
  return "fault" in unit ? `${v} ${u}` : readable(v * unit.factor + unit.offset, u);
}
