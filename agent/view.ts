//! Builds what the page and the metrics show from the parts of a running agent. It only reads.
import type { Config } from "../config/config.js";
import type { Alarms } from "./alarms.js";
import type { Applied } from "./alerts/apply.js";
import type { Store } from "./alerts/store.js";
import type { Assembly, Derived, Member } from "./assembly.js";
import { packageVersion } from "./base/files.js";
import type { Ring } from "./base/ring.js";
import type { Block, Item } from "./base/telemetry.js";
import type { PoolCounts } from "./models/features/pool.js";
import type { IntakeCounts } from "./sources.js";
import type { AssetView, ChannelView, Health, TransitionView, View } from "./status/view.js";
import { isUnitFault, parseUnit } from "./units/parse.js";
import type { Watch } from "./watch.js";

const TRANSITIONS_MAX = 100;
/** Ticks come four times a second; this long without one is no pause but a fault. */
const HUNG_ms = 5_000;
const BAND_SIGMA = 3;

/** Recent transitions and how many there were. */
export class History {
  readonly transitions: TransitionView[] = [];
  raised = 0;
  cleared = 0;

  note({ alarm, transition }: Applied): void {
    if (transition === "raise") this.raised += 1;
    if (transition === "clear") this.cleared += 1;
    const { time_ms, asset, rule, text } = alarm;
    this.transitions.push({ time_ms, asset, rule, transition, text });
    if (this.transitions.length > TRANSITIONS_MAX) this.transitions.shift();
  }
}

export type Facts = {
  readonly config: Config;
  readonly assembly: Assembly;
  readonly alarms: Alarms;
  readonly store: Store;
  readonly counts: IntakeCounts;
  /** Null where no worker reads blocks. */
  readonly blocks: PoolCounts | null;
  readonly history: History;
  readonly ring: Ring<Item>;
  readonly started_ms: number;
};

const VERSION = packageVersion();

export function viewOf(facts: Facts, now_ms: number): View {
  const { config, assembly, alarms, store, counts, blocks, history, ring, started_ms } = facts;
  const { backend, skipped, outages, passed } = assembly.backend;
  return {
    gateway: config.gateway.id,
    site: config.gateway.site,
    version: VERSION,
    now_ms,
    started_ms,
    backend: backend.name,
    tier: backend.tier,
    skipped,
    links: [...counts.links].map(([name, link]) => ({ name, ...link })),
    assets: [
      ...assembly.members.map((member) => assetView(member, alarms)),
      ...gatewayView(config.gateway.id, alarms),
    ],
    counters: {
      items: counts.items,
      rejects: Object.fromEntries(counts.rejects),
      overflow: ring.dropped,
      ringLength: ring.length,
      outboxRows: store.waiting(),
      outboxBytes: store.bytes(),
      outboxDropped: store.dropped().reduce((sum, count) => sum + count, 0),
      unstored: store.pending(),
      outages: outages.length,
      passed: passed.length,
      blocksUnread: blocks?.unread ?? 0,
      blockRestarts: blocks?.restarts ?? 0,
      raised: history.raised,
      cleared: history.cleared,
    },
    transitions: history.transitions,
  };
}

/** `idle_ms` is real time since the last tick. */
export function healthOf({ store, counts }: Facts, idle_ms: number): Health {
  const reasons: string[] = [];
  if (idle_ms > HUNG_ms) {
    reasons.push(`no tick of the pipeline for ${Math.round(idle_ms / 1_000)} s`);
  }
  if (store.trouble !== null) reasons.push(store.trouble.message);
  const ok = reasons.length === 0;
  // A lost connection is retried and is not a fault of this process, but who asks wants to know.
  for (const [name, { up, why }] of counts.links) if (!up) reasons.push(`${name}: ${why}`);
  return { ok, reasons };
}

function assetView(member: Member, alarms: Alarms): AssetView {
  const { config, watch, derived, off, commissioned } = member;
  const written = new Set(derived.map(({ index }) => index));
  return {
    id: config.id,
    kind: config.kind,
    commissioned,
    off,
    channels: [...watch.channels()]
      .filter(({ index }) => !written.has(index))
      .map((fresh) => channelView(watch, fresh)),
    derived: derived.map((one) => derivedView(watch, one)),
    alarms: [...alarms.all()].filter((alarm) => alarm.asset === config.id),
    spectra: watch.monitors.flatMap((monitor) => monitor.spectrum() ?? []),
  };
}

/** The gateway itself appears only where it has something to say. */
function gatewayView(id: string, alarms: Alarms): AssetView[] {
  const own = [...alarms.all()].filter((alarm) => alarm.asset === id);
  const nothing = { channels: [], derived: [], off: [], spectra: [] };
  return own.length === 0
    ? []
    : [{ id, kind: "gateway", commissioned: true, alarms: own, ...nothing }];
}

type Fresh = ReturnType<Watch["channels"]> extends Iterable<infer F> ? F : never;

function channelView(watch: Watch, fresh: Fresh): ChannelView {
  const { channel, index, arrivals, stale, quality, block } = fresh;
  const { name, shape, unit, factor, offset, min, max } = channel;
  const si = block === null ? watch.frame[index] : rms(block);
  const inUnit = (value: number | undefined): number | null =>
    value === undefined || !Number.isFinite(value) ? null : (value - offset) / factor;
  const seen = arrivals > 0;
  return {
    name,
    shape,
    unit,
    value: seen && !stale ? inUnit(si) : null,
    t_ms: seen ? fresh.last_t_ms : null,
    r_ms: seen ? fresh.last_r_ms : null,
    state: stale ? "stale" : seen ? quality : "waiting",
    low: shape === "block" ? null : inUnit(min),
    high: shape === "block" ? null : inUnit(max),
  };
}

function derivedView(watch: Watch, { port, index }: Derived): ChannelView {
  const value = watch.frame[index] ?? Number.NaN;
  const parsed = parseUnit(port.unit);
  const { factor, offset } = isUnitFault(parsed) ? { factor: 1, offset: 0 } : parsed;
  const finding = watch.explain(index);
  const known = Number.isFinite(value);
  const bound = (sign: number): number | null =>
    finding === null ? null : finding.expected + sign * BAND_SIGMA * finding.sigma;
  return {
    name: port.name,
    shape: "scalar",
    unit: port.unit,
    value: known ? (value - offset) / factor : null,
    t_ms: null,
    r_ms: null,
    state: known ? "good" : "waiting",
    low: bound(-1),
    high: bound(1),
  };
}

function rms({ values }: Block): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
