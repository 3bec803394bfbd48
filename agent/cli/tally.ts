//! What of a recording could not be used, and why, in the same words for `replay`, `check` and
//! `commission`: what, where, and what to write instead.
import { closeSync, openSync, readSync } from "node:fs";
import type { Assembly } from "../assembly.js";
import { KINDS } from "../assets.js";
import type { Block, Channel, Item, Reject } from "../base/telemetry.js";
import { BLOCK_SAMPLES_MIN } from "../models/features/analyser.js";
import type { At, Read, Tick } from "../sensors/recording.js";
import { adviceFor } from "./advice.js";
import { EXIT } from "./command.js";

const GROUPS_MAX = 20;
/** Beyond these nothing is counted: a file may name any number of assets. */
const GROUPS_KEPT = 1_000;
const NAMES_MAX = 8;
/** What a Date can hold. */
const DATE_ms_max = 8.64e15;
const TEXT_CHARS_MAX = 100;
/** Times that a machine of today can have; what lies outside is of another scale, or simulated. */
const FROM_ms = Date.UTC(2000, 0);
const TO_ms = Date.UTC(2200, 0);
const SCALES = [
  { name: "seconds", ms: 1e3, mend: "multiply them by 1000" },
  { name: "microseconds", ms: 1e-3, mend: "divide them by 1000" },
  { name: "nanoseconds", ms: 1e-6, mend: "divide them by 1000000" },
] as const;
/** Records of one file may be this much out of order: messages overtake one another. */
const BACK_ms = 60_000;
/** Speed of the shaft where blocks do not say it, by kind. */
const SPEED_PORTS: Readonly<Record<string, string>> = {
  bearing: "shaftSpeed",
  "wind-turbine": "generatorSpeed",
};

/** What the config does not ask for, and what is there already. */
const UNMISSED: ReadonlySet<Reject> = new Set(["unknown-channel", "duplicate"]);

type Group = {
  count: number;
  readonly reason: Reject;
  /** Asset, "" where the line names none. */
  readonly of: string;
  readonly where: string;
  /** Further channels of the asset that the config has not. */
  readonly others: Set<string>;
};
type Blocks = { short: number; samples: number; blind: number };

export class Tally {
  readonly at: At = { line: 0, text: "" };
  /** Records that were used, those outside of the period asked for, and all. */
  used = 0;
  outside = 0;
  records = 0;
  readonly #path: string;
  readonly #assembly: Assembly;
  readonly #groups = new Map<string, Group>();
  readonly #advised = new Set<string>();
  /** By asset: records used, and those that could have been. */
  readonly #usedOf = new Map<string, number>();
  readonly #readOf = new Map<string, number>();
  readonly #scales = SCALES.map(() => 0);
  readonly #blocks = new Map<number, Blocks>();
  #back = 0;
  #first_ms = Number.POSITIVE_INFINITY;
  #last_ms = Number.NEGATIVE_INFINITY;

  constructor(path: string, assembly: Assembly) {
    this.#path = path;
    this.#assembly = assembly;
  }

  /** One of what `readRecording` gives; `reason`: why it was not used after all. */
  take(read: Read, reason: Reject | null = null): void {
    this.records += 1;
    if (read.kind === "reject") {
      this.#reject(read.reason, read.asset ?? "", read.channel ?? "");
      return;
    }
    this.#keepTime(read.r_ms);
    if (read.kind === "tick") {
      this.used += 1;
      return;
    }
    const channel = this.#assembly.channels[read.channel];
    if (reason !== null) this.#reject(reason, channel?.asset ?? "", channel?.name ?? "");
    else this.#use(read, channel);
  }

  /** A record outside of the period that was asked for. */
  leave(read: Tick | Item): void {
    this.records += 1;
    this.outside += 1;
    this.#keepTime(read.r_ms);
    if (read.kind !== "tick") this.#count(this.#readOf, read.channel);
  }

  usedOf(asset: string): number {
    return this.#usedOf.get(asset) ?? 0;
  }

  /** `2026-03-01T06:00 to 2026-03-02T07:10 UTC`, "" where nothing has a time. */
  get span(): string {
    const bound = (t_ms: number): number => Math.max(-DATE_ms_max, Math.min(DATE_ms_max, t_ms));
    const time = (t_ms: number): string => new Date(bound(t_ms)).toISOString().slice(0, 16);
    return this.#first_ms <= this.#last_ms
      ? `${time(this.#first_ms)} to ${time(this.#last_ms)} UTC`
      : "";
  }

  /** One line each; none where all was used and can be judged. */
  lines(): string[] {
    const groups = [...this.#groups.values()];
    const more = groups.length - GROUPS_MAX;
    return [
      ...groups
        .slice(0, GROUPS_MAX)
        .map(({ count, where, others }) => `not used: ${count} record(s) ${where}${also(others)}`),
      ...(more > 0 ? [`not used: ${more} more channels, likewise`] : []),
      ...this.#timeLines(),
      ...[...this.#blocks].flatMap(([id, blocks]) => this.#blockLines(id, blocks)),
    ];
  }

  /** Why the recording is of no use; null: it is of some. */
  useless(): string | null {
    const scale = this.#scale();
    if (scale !== null) return `nothing is judged by times in ${scale.name}`;
    if (this.used + this.outside > 0) return null;
    if (this.records === 0) return `${this.#path} is empty`;
    const malformed = [...this.#groups.values()].filter(({ reason }) => reason === "malformed");
    if (malformed.reduce((sum, { count }) => sum + count, 0) < this.records) {
      return `nothing in ${this.#path} could be used`;
    }
    return `${this.#path} is no recording: ${looksLike(this.#path)}; see docs/recording-format.md`;
  }

  /** Share of the records of an asset that were lost, but for those that nobody misses. */
  lostOf(asset: string): number {
    const lost = [...this.#groups.values()]
      .filter(({ reason, of }) => !UNMISSED.has(reason) && (of === asset || of === ""))
      .reduce((sum, { count }) => sum + count, 0);
    return lost === 0 ? 0 : lost / (lost + (this.#readOf.get(asset) ?? 0));
  }

  #reject(reason: Reject, asset: string, channel: string): void {
    // What the config does not have is one line an asset, however many channels it is.
    const key = `${reason}/${asset}/${reason === "unknown-channel" ? "" : channel}`;
    const known = this.#groups.get(key);
    if (known !== undefined) {
      known.count += 1;
      const news = known.others.size < GROUPS_KEPT && !known.where.includes(`${asset}/${channel},`);
      if (news) known.others.add(channel);
      return;
    }
    if (this.#groups.size >= GROUPS_KEPT) return;
    const { line, text } = this.at;
    const name = asset === "" && channel === "" ? "" : ` of ${asset}/${channel}`;
    const advice = adviceFor(reason, { asset, channel, text }, this.#assembly);
    // The same of another channel needs no second explanation.
    const alike = `${reason} ${advice.replace(/[\d.,-]+/g, "")}`;
    const rest = this.#advised.has(alike) ? "likewise" : `${shown(text)}${advice}`;
    this.#advised.add(alike);
    const where = `${reason}${name}, first in line ${line}: ${rest}`;
    this.#groups.set(key, { count: 1, reason, of: asset, where, others: new Set() });
  }

  #keepTime(r_ms: number): void {
    if (r_ms < this.#last_ms - BACK_ms) this.#back += 1;
    this.#first_ms = Math.min(this.#first_ms, r_ms);
    this.#last_ms = Math.max(this.#last_ms, r_ms);
    if (r_ms >= FROM_ms && r_ms < TO_ms) return;
    SCALES.forEach(({ ms }, i) => {
      if (r_ms * ms >= FROM_ms && r_ms * ms < TO_ms) (this.#scales[i] as number) += 1;
    });
  }

  #use(item: Item, channel: Channel | undefined): void {
    this.used += 1;
    this.#count(this.#usedOf, item.channel);
    this.#count(this.#readOf, item.channel);
    if (item.kind === "block") this.#hear(item, channel?.asset ?? "");
  }

  #count(of: Map<string, number>, channel: number): void {
    const asset = this.#assembly.channels[channel]?.asset ?? "";
    of.set(asset, (of.get(asset) ?? 0) + 1);
  }

  /** Blocks that no monitor of bearings can judge. */
  #hear(block: Block, asset: string): void {
    const member = this.#assembly.memberOf(asset);
    if (member === undefined || KINDS[member.config.kind]?.listens !== true) return;
    const found = this.#blocks.get(block.channel) ?? { short: 0, samples: 0, blind: 0 };
    this.#blocks.set(block.channel, found);
    const speed = SPEED_PORTS[member.config.kind];
    const told = member.config.channels.some(({ name }) => name === speed);
    if (block.values.length < BLOCK_SAMPLES_MIN) {
      found.short += 1;
      found.samples = block.values.length;
    } else if (block.speed_radps === null && !told) found.blind += 1;
  }

  #blockLines(id: number, { short, samples, blind }: Blocks): string[] {
    const channel = this.#assembly.channels[id];
    const name = `${channel?.asset}/${channel?.name}`;
    const kind = this.#assembly.memberOf(channel?.asset ?? "")?.config.kind ?? "";
    return [
      ...(short === 0
        ? []
        : [
            `not judged: ${short} block(s) of ${name} are too short, such as ${samples} samples: ` +
              `write ${BLOCK_SAMPLES_MIN} or more a block`,
          ]),
      ...(blind === 0
        ? []
        : [
            `not judged: ${blind} block(s) of ${name} say no shaft speed: ` +
              `write "rpm" in each, or record the channel ${SPEED_PORTS[kind]}`,
          ]),
    ];
  }

  #scale(): (typeof SCALES)[number] | null {
    const i = this.#scales.findIndex((count) => count > this.records / 2);
    return SCALES[i] ?? null;
  }

  #timeLines(): string[] {
    const scale = this.#scale();
    if (scale !== null) {
      const what = `the times look like ${scale.name} since 1970, and are to be milliseconds`;
      return [`${what}: ${scale.mend}`];
    }
    if (this.#back === 0) return [];
    const what = `the times go back by more than a minute at ${this.#back} record(s)`;
    return [`${what}: sort the lines by r, or by t where there is none, all channels together`];
  }
}

/** Names of further channels, as many as one reads. */
function also(others: ReadonlySet<string>): string {
  const names = [...others];
  const rest = names.length > NAMES_MAX ? `, ${names.length - NAMES_MAX} more` : "";
  return names.length === 0 ? "" : `; likewise ${names.slice(0, NAMES_MAX).join(", ")}${rest}`;
}

/** The begin of a line; nothing of what is no text. */
function shown(text: string): string {
  if (text === "" || /[\p{Cc}\uFFFD]/u.test(text.slice(0, TEXT_CHARS_MAX).trim())) return "";
  return `${text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text}: `;
}

/** Prints what was not used; the exit code is 1 where nothing could be. */
export function sayUnused(command: string, tally: Tally): number {
  for (const line of tally.lines()) console.error(line);
  const useless = tally.useless();
  if (useless === null) return EXIT.done;
  console.error(`sterna ${command}: ${useless}`);
  return EXIT.failed;
}

/** What a file seems to be in the place of a recording, and what to do with it. */
function looksLike(path: string): string {
  const bytes = new Uint8Array(512);
  const file = openSync(path, "r");
  const count = readSync(file, bytes);
  closeSync(file);
  const [a, b] = bytes;
  const zipped = a === 0x1f && b === 0x8b;
  if (zipped) return path.endsWith(".gz") ? "a damaged archive" : "gzip; let its name end in .gz";
  if (path.endsWith(".gz")) return "no gzip; take .gz off its name";
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return "UTF-16; save it as UTF-8";
  const text = new TextDecoder().decode(bytes.subarray(0, count)).trimStart();
  if (text.startsWith("[")) return "a JSON array; write one record a line, without brackets";
  if (/^(gateway|assets|mqtt|store):/m.test(text)) return "a config; name the recording first";
  const head = text.split("\n")[0] ?? "";
  if (/[,;\t]/.test(head) && !head.startsWith("{")) {
    return 'a table; write a line such as {"t":1700000000000,"a":"wt07","c":"power","v":1} a value';
  }
  return "no line of it is a JSON object";
}
