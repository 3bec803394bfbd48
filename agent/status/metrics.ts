//! The view of the agent as Prometheus metrics; docs/metrics.md lists them, a test holds it true.
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { View } from "./view.js";

/** What is measured; `labels` in the order in which `fill` gives them. */
const ROWS = {
  sterna_info: ["gauge", "1, with the version and the compute backend", ["version", "backend"]],
  sterna_items_total: ["counter", "Samples and blocks that arrived", []],
  sterna_rejects_total: ["counter", "Inputs that were not used, by reason", ["reason"]],
  sterna_overflow_total: ["counter", "Items lost because the pipeline fell behind", []],
  sterna_ring_items: ["gauge", "Items that wait for the pipeline", []],
  sterna_link_up: ["gauge", "1 while the connection is up", ["link"]],
  sterna_channel_value: [
    "gauge",
    "Latest value in the channel's unit",
    ["asset", "channel", "unit"],
  ],
  sterna_channel_age_seconds: ["gauge", "Since the latest arrival", ["asset", "channel"]],
  sterna_channel_stale: ["gauge", "1 while the channel is stale", ["asset", "channel"]],
  sterna_alarms_active: ["gauge", "Active alarms that no other explains", ["severity"]],
  sterna_alarms_raised_total: ["counter", "Alarms raised", []],
  sterna_alarms_cleared_total: ["counter", "Alarms cleared", []],
  sterna_outbox_messages: ["gauge", "Messages that the broker does not have yet", []],
  sterna_outbox_bytes: ["gauge", "Their size", []],
  sterna_outbox_dropped_total: ["counter", "Messages given up for size or age", []],
  sterna_unstored_messages: ["gauge", "Messages that the disk has not taken yet", []],
  sterna_backend_outages_total: ["counter", "Compute devices taken out of use", []],
  sterna_backend_passed_total: [
    "counter",
    "Networks that the device wanted cannot take: the CPU computes them",
    [],
  ],
  sterna_blocks_unread_total: [
    "counter",
    "Vibration blocks that the agent reads itself: too many for the worker, or it had ended",
    [],
  ],
  sterna_block_worker_restarts_total: ["counter", "Times that the block worker ended", []],
} as const satisfies Readonly<
  Record<string, readonly ["gauge" | "counter", string, readonly string[]]>
>;
type Name = keyof typeof ROWS;

export const METRICS: Readonly<Record<string, readonly [string, string, readonly string[]]>> = ROWS;

export type Metrics = { text(view: View): Promise<string>; readonly contentType: string };

export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const metrics = new Map(
    Object.entries(ROWS).map(([name, [kind, help, labelNames]]) => {
      const options = { name, help, labelNames, registers };
      return [name, kind === "gauge" ? new Gauge(options) : new Counter(options)] as const;
    }),
  );
  const set = (name: Name, value: number, ...labels: readonly string[]): void => {
    const given = Object.fromEntries(ROWS[name][2].map((label, i) => [label, labels[i] ?? ""]));
    // A counter is set by counting from 0: the truth lies in the agent.
    metrics.get(name)?.inc(given, value);
  };
  return {
    contentType: registry.contentType,
    text(view) {
      for (const metric of metrics.values()) metric.reset();
      fill(view, set);
      return registry.metrics();
    },
  };
}

type Set = (name: Name, value: number, ...labels: readonly string[]) => void;

function fill(view: View, set: Set): void {
  const { counters, assets, links, now_ms } = view;
  set("sterna_info", 1, view.version, view.backend);
  set("sterna_items_total", counters.items);
  for (const [reason, count] of Object.entries(counters.rejects)) {
    set("sterna_rejects_total", count, reason);
  }
  set("sterna_overflow_total", counters.overflow);
  set("sterna_ring_items", counters.ringLength);
  for (const { name, up } of links) set("sterna_link_up", up ? 1 : 0, name);
  const active = { critical: 0, warning: 0, info: 0 };
  for (const { id, channels, alarms } of assets) {
    for (const { severity, active: on, suppressedBy } of alarms) {
      if (on && suppressedBy === null) active[severity] += 1;
    }
    for (const { name, unit, value, r_ms, state } of channels) {
      if (value !== null) set("sterna_channel_value", value, id, name, unit);
      if (r_ms !== null) set("sterna_channel_age_seconds", (now_ms - r_ms) / 1_000, id, name);
      set("sterna_channel_stale", state === "stale" ? 1 : 0, id, name);
    }
  }
  for (const [severity, count] of Object.entries(active)) {
    set("sterna_alarms_active", count, severity);
  }
  set("sterna_alarms_raised_total", counters.raised);
  set("sterna_alarms_cleared_total", counters.cleared);
  set("sterna_outbox_messages", counters.outboxRows);
  set("sterna_outbox_bytes", counters.outboxBytes);
  set("sterna_outbox_dropped_total", counters.outboxDropped);
  set("sterna_unstored_messages", counters.unstored);
  set("sterna_backend_outages_total", counters.outages);
  set("sterna_backend_passed_total", counters.passed);
  set("sterna_blocks_unread_total", counters.blocksUnread);
  set("sterna_block_worker_restarts_total", counters.blockRestarts);
}
