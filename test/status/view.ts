//! A view as a running agent gives it, for tests of the page.
import type { Alarm } from "../../agent/alerts/alarm.js";
import type { AssetView, ChannelView, View } from "../../agent/status/view.js";

export const NOW_ms = 1_795_500_000_000;

export function channel(name: string, more: Partial<ChannelView> = {}): ChannelView {
  const fixed = { shape: "scalar", unit: "Cel", value: 62.5, low: 20, high: 80 } as const;
  return { name, ...fixed, t_ms: NOW_ms - 400, r_ms: NOW_ms - 300, state: "good", ...more };
}

export const ALARM: Alarm = {
  asset: "wt07",
  rule: "gearbox-hss",
  ruleVersion: 1,
  class: "machine",
  severity: "critical",
  text: "Bearing damage",
  action: "Inspect the bearing",
  quality: "good",
  tier: "exact",
  marks: [],
  value: { v: 9.123456, u: "m/s2{peak}" },
  limit: { v: 8, u: "m/s2{peak}", source: "config" },
  expected: { v: 1, u: "m/s2{peak}", sigma: 0.5 },
  model: null,
  evidence: ["outer race at order 3.58"],
  onset_ms: NOW_ms - 60_000,
  detected_ms: NOW_ms - 50_000,
  source_ms: NOW_ms - 50_000,
  id: "01",
  seq: 1,
  active: true,
  acked: false,
  shelvedUntil_ms: null,
  suppressedBy: null,
  outOfService: false,
  time_ms: NOW_ms - 50_000,
};

export const FOLDED: Alarm = {
  ...ALARM,
  id: "02",
  rule: "hss-bearing-temp",
  severity: "warning",
  text: "Bearing warm",
  suppressedBy: "gearbox-hss",
};

export const HOSTILE = "<img src=x onerror=alert(1)>";

export function view(alarms: readonly Alarm[] = []): View {
  const asset: AssetView = {
    id: "wt07",
    kind: "wind-turbine",
    commissioned: false,
    off: ["thrust: no nameplate mass"],
    channels: [
      channel("oilTemp"),
      channel("windingTemp", { value: null, state: "stale" }),
      channel("power", { unit: "kW", value: 95, low: 0, high: 90 }),
      channel("pitch", { value: null, state: "waiting", t_ms: null, r_ms: null }),
      channel(HOSTILE, { unit: HOSTILE }),
    ],
    derived: [channel("gearbox.residual", { unit: "K", value: 0.5, low: -4, high: 4 })],
    alarms,
    spectra: [
      {
        t_ms: NOW_ms,
        channel: "hssAccel",
        orderStep: 0.05,
        values: Float32Array.from({ length: 512 }, (_, k) => (k === 72 ? 1 : 0.01)),
        unit: "m/s2",
        markers: [{ order: 3.58, label: "outer" }],
      },
    ],
  };
  return {
    gateway: "gw-1",
    site: "north",
    version: "0.1.0",
    now_ms: NOW_ms,
    started_ms: NOW_ms - 3_600_000,
    backend: "reference",
    tier: "exact",
    skipped: ["native: no compiler"],
    links: [
      { name: "mqtt", up: true, why: "", since_ms: NOW_ms - 3_000_000 },
      { name: "plc", up: false, why: "connection refused", since_ms: NOW_ms - 1_000 },
    ],
    assets: [asset],
    counters: {
      items: 1234,
      rejects: { malformed: 3, duplicate: 2 },
      overflow: 0,
      ringLength: 0,
      outboxRows: 4,
      outboxBytes: 4_000,
      outboxDropped: 0,
      unstored: 0,
      outages: 0,
      passed: 0,
      blocksUnread: 0,
      blockRestarts: 0,
      raised: alarms.length,
      cleared: 0,
    },
    transitions: alarms.map(({ asset: id, rule, text, time_ms }) => {
      return { time_ms, asset: id, rule, transition: "raise", text };
    }),
  };
}
