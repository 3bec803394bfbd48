//! One occurrence and its place, for the tests of this folder.
import type { Alarm, Occurrence } from "../../agent/alerts/alarm.js";

export const PLACE = { root: "sterna/v1", site: "site-a" };
export const NOW_ms = Date.UTC(2026, 10, 23, 14, 58, 6, 123);

export const HSS: Occurrence = {
  asset: "wt07",
  rule: "gearbox-hss",
  ruleVersion: 3,
  class: "machine",
  severity: "critical",
  text: "High-speed shaft bearing: inner race",
  action: "Inspect the bearing within 7 days",
  quality: "good",
  tier: "exact",
  marks: [],
  value: { v: 11.2000004, u: "m/s2" },
  limit: { v: 9.8, u: "m/s2", source: "profile article" },
  expected: { v: 2.1, sigma: 0.4, u: "m/s2" },
  model: "sha256:0011",
  evidence: ["order 5.43 at 12 times its floor"],
  onset_ms: NOW_ms - 60_000,
  detected_ms: NOW_ms,
  source_ms: NOW_ms - 5,
};

/** Takes the alarm out of an outcome that must not be a refusal. */
export function alarmOf(outcome: { readonly alarm: Alarm } | string): Alarm {
  if (typeof outcome === "string") throw new Error(`refused: ${outcome}`);
  return outcome.alarm;
}
