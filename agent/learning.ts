//! What assets learn while the agent runs, kept in its state directory: progress, baseline, how far
//! that has moved since, and the life of units. A disk that refuses costs progress, never the watch.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "./assembly.js";
import type { Log } from "./base/log.js";
import type { Kept, Stage } from "./models/commission-stage.js";

const FOLDER = "commission";
const PARTS = ["progress", "baseline", "adapted", "memory"] as const;
const EVERY_ms = 60_000;
/** Between two writings of progress: a restart costs at most so much of it. */
const KEEP_ms = 3_600_000;
const FILE_BYTES_MAX = 64 << 20;

type Part = (typeof PARTS)[number];

const fileOf = (dir: string, asset: string, part: Part): string =>
  join(dir, FOLDER, `${asset}.${part}.json`);

/** Deletes what adaptation has moved; a running agent takes it back within a minute. */
export function revertAdaptation(dir: string, asset: string): boolean {
  const file = fileOf(dir, asset, "adapted");
  const there = existsSync(file);
  rmSync(file, { force: true });
  return there;
}

export class Learning {
  readonly #members: readonly Member[];
  readonly #dir: string;
  readonly #log: Log;
  /** `changes` of each stage when it was last written. */
  readonly #written = new Map<string, { changes: number; commissioned: boolean; at_ms: number }>();
  readonly #adapted = new Set<string>();
  #next_ms = Number.NEGATIVE_INFINITY;
  #refused = false;

  /** Takes up what the last run kept. */
  constructor(members: readonly Member[], dir: string, log: Log) {
    this.#members = members;
    this.#dir = dir;
    this.#log = log;
    for (const { config, stage } of members) {
      const [progress, baseline, adapted, memory] = PARTS.map((part) =>
        this.#read(config.id, part),
      );
      stage.restore({ progress, baseline, adapted, memory });
      if (adapted !== null) this.#adapted.add(config.id);
      const { changes, commissioned } = stage;
      this.#written.set(config.id, { changes, commissioned, at_ms: Number.NEGATIVE_INFINITY });
      this.#say(config.id, stage);
    }
  }

  /** Cheap to call each tick; `alarmed`: an alarm of this asset is active. */
  tick(now_ms: number, alarmed: (asset: string) => boolean): void {
    if (now_ms < this.#next_ms && now_ms > this.#next_ms - 2 * EVERY_ms) return;
    this.#next_ms = now_ms + EVERY_ms;
    for (const { config, stage } of this.#members) {
      if (alarmed(config.id)) stage.hold();
      this.#followRevert(config.id, stage);
      this.#keep(config.id, stage, now_ms);
      this.#say(config.id, stage);
    }
  }

  close(): void {
    const ever_ms = Number.POSITIVE_INFINITY;
    for (const { config, stage } of this.#members) {
      this.#followRevert(config.id, stage);
      this.#keep(config.id, stage, ever_ms);
    }
  }

  #followRevert(asset: string, stage: Stage): void {
    if (!this.#adapted.has(asset) || existsSync(this.#file(asset, "adapted"))) return;
    this.#adapted.delete(asset);
    stage.revert();
    this.#log.info({ asset }, "adaptation reverted to the baseline");
  }

  #keep(asset: string, stage: Stage, now_ms: number): void {
    const { changes, commissioned } = stage;
    const last = this.#written.get(asset);
    if (last?.changes === changes && !stage.remembers) return;
    const soon = now_ms - (last?.at_ms ?? now_ms) < KEEP_ms;
    if (soon && last?.commissioned === commissioned) return;
    this.#written.set(asset, { changes, commissioned, at_ms: now_ms });
    const kept = stage.save();
    try {
      mkdirSync(join(this.#dir, FOLDER), { recursive: true });
      for (const part of PARTS) this.#write(asset, part, kept[part]);
      this.#refused = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#refused) this.#log.error({ asset, why }, "what was learnt cannot be written");
      this.#refused = true;
    }
  }

  #write(asset: string, part: Part, value: Kept[Part]): void {
    const file = this.#file(asset, part);
    if (value === null || (Array.isArray(value) && value.every((one) => one === null))) {
      // A baseline may be the very file that the config names by now.
      if (part !== "baseline") rmSync(file, { force: true });
      return;
    }
    // A power cut must leave the old file or the new one.
    writeFileSync(`${file}.new`, `${JSON.stringify(value)}\n`);
    renameSync(`${file}.new`, file);
    if (part === "adapted") this.#adapted.add(asset);
  }

  #read(asset: string, part: Part): unknown {
    const file = this.#file(asset, part);
    if (!existsSync(file)) return null;
    try {
      const bytes = readFileSync(file);
      if (bytes.length > FILE_BYTES_MAX) throw new Error("too large");
      return JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.warn({ asset, file, why }, "what was learnt cannot be read: it is not used");
      return null;
    }
  }

  #file(asset: string, part: Part): string {
    return fileOf(this.#dir, asset, part);
  }

  #say(asset: string, stage: Stage): void {
    for (const { level, text } of stage.events()) this.#log[level]({ asset }, text);
  }
}
