//! The units that a config declares, held against physics: what `check --recording` prints and what
//! commissioning asks before it learns. It names a suspect and changes nothing.
import type { AssetConfig } from "../config/config.js";
import type { Assembly } from "./assembly.js";
import { KINDS } from "./assets.js";
import type { Channel, Item } from "./base/telemetry.js";
import type { Reach } from "./models/generic-foretell.js";
import { reachesIn } from "./models/generic-judge.js";
import { slipsAmong } from "./models/generic-slips.js";
import type { Baseline } from "./models/setup.js";
import { type Declared, type Suspect, suspects, testable } from "./models/suspect.js";
import { UNIT_LAWS } from "./models/unit-laws.js";
import { UnitSample } from "./models/unit-sample.js";
import { type At, type Find, type Read, readRecording } from "./sensors/recording.js";

export type Judged = {
  readonly asset: string;
  readonly kind: string;
  readonly suspects: readonly Suspect[];
  /** Channels whose unit some law could test, and those that none could. */
  readonly tested: readonly string[];
  readonly untested: readonly string[];
  /** Its readings come too seldom for what its kind watches, in words; null: they do not. */
  readonly slow: string | null;
};

type Beside = { readonly baseline?: Baseline | null; readonly period_ms?: number };

/** Judges one asset; `channels` are its readings in SI under the units as declared. */
export function judgeUnits(
  asset: AssetConfig,
  channels: readonly Declared[],
  { baseline = null, period_ms = Number.NaN }: Beside = {},
): Judged {
  const laws = UNIT_LAWS.get(asset.kind) ?? [];
  const plate = plateOf(asset);
  const reaches = baseline === null ? new Map<string, Reach>() : reachesIn(baseline);
  const found = [...suspects(channels, laws, plate), ...slipsAmong(channels, reaches)];
  const read = new Set([...testable(channels, laws, plate), ...reaches.keys()]);
  const of = (tested: boolean): string[] =>
    asset.channels.map(({ name }) => name).filter((name) => read.has(name) === tested);
  const { id, kind } = asset;
  const slow = slowText(kind, period_ms);
  return { asset: id, kind, suspects: found, tested: of(true), untested: of(false), slow };
}

function slowText(kind: string, period_ms: number): string | null {
  const { slowest_s = Number.POSITIVE_INFINITY } = KINDS[kind] ?? {};
  if (!(period_ms > 1000 * slowest_s)) return null;
  const every = `readings come every ${Math.round(period_ms / 1000)} s`;
  const wants = `kind ${kind} wants them at least every ${slowest_s / 60} minutes`;
  return `${every}; ${wants}. For such records write kind: generic, which learns any machine`;
}

/** SI values of the nameplate, with the defaults of the kind. */
function plateOf({ kind, nameplate }: AssetConfig): ReadonlyMap<string, number> {
  const rows = KINDS[kind]?.nameplate ?? [];
  return new Map(
    rows.flatMap(({ key, otherwise }): [string, number][] => {
      const value = nameplate[key]?.value ?? otherwise;
      return value === null ? [] : [[key, value]];
    }),
  );
}

/**
 * The channel without its plausible range: a wrong unit puts readings outside it, and a reading that
 * was thrown away tells nothing.
 */
export function boundless(channel: Channel): Channel {
  return { ...channel, min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
}

/** Collects the readings of every asset; `find` is for reading recordings into it. */
export function unitSamples(assembly: Assembly): {
  readonly find: Find;
  take(item: Item): void;
  judge(): Judged[];
  /** Of assets whose readings come too seldom, in words. */
  slow(): string[];
} {
  const samples = new Map(
    assembly.members.map(({ config }) => {
      const own = assembly.channels.filter(({ asset, pattern }) => asset === config.id && !pattern);
      return [config.id, new UnitSample(own)];
    }),
  );
  return {
    find(asset, name) {
      // Of a level of a pattern no unit is tested, but it is none that the config does not know.
      const template = assembly.find(asset, name.split(".")[0] ?? "");
      const channel = assembly.find(asset, name) ?? (template?.pattern === true ? template : null);
      return channel === null ? null : boundless(channel);
    },
    take(item) {
      const asset = assembly.channels[item.channel]?.asset ?? "";
      samples.get(asset)?.take(item);
    },
    slow: () =>
      assembly.members.flatMap(({ config: { id, kind } }) => {
        const text = slowText(kind, samples.get(id)?.period_ms ?? Number.NaN);
        return text === null ? [] : [`${id}: ${text}`];
      }),
    judge: () =>
      assembly.members.map(({ config, stage }) => {
        const sample = samples.get(config.id);
        const { baseline } = stage;
        const beside = { baseline, period_ms: sample?.period_ms ?? Number.NaN };
        return judgeUnits(config, sample?.declared() ?? [], beside);
      }),
  };
}

/**
 * Judges every asset by a recording; of records that came outside of the span nothing is used.
 * `hear` is told all of them, in the order of the file, which `at` follows.
 */
export async function judgeRecording(
  assembly: Assembly,
  path: string,
  span: { readonly from_ms: number; readonly to_ms: number } | null,
  { hear, at }: { hear(read: Read): void; readonly at?: At } = { hear: () => {} },
): Promise<Judged[]> {
  const samples = unitSamples(assembly);
  for await (const read of readRecording(path, samples.find, at)) {
    hear(read);
    if (read.kind !== "reject" && read.kind !== "tick") {
      const inside = span === null || (read.r_ms >= span.from_ms && read.r_ms <= span.to_ms);
      if (inside) samples.take(read);
    }
  }
  return samples.judge();
}
