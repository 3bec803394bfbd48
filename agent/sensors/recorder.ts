//! Writes recordings that replay to the same numbers: values in SI to the last bit, in the order of
//! arrival, each with its arrival time. It never holds the pipeline up: what the disk cannot take
//! in time is dropped and counted.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { OperatingError } from "../base/errors.js";
import type { Channel, Item } from "../base/telemetry.js";
import { radPerSecond } from "./block.js";

const PENDING_CHARS_HIGH = 1_048_576;
const PENDING_CHARS_MAX = 67_108_864;

export type Recorder = {
  /** Takes an item; false: much waits for the disk, so who can wait should, in `drained`. */
  write(item: Item): boolean;
  /** Time passed and nothing arrived: what falls due until then falls due in a replay too. */
  tick(r_ms: number): void;
  drained(): Promise<void>;
  /** Everything written is in the file when it resolves; throws when the disk failed. */
  close(): Promise<void>;
  /** Items lost: the disk was too slow, or failed. */
  readonly dropped: number;
};

/** Starts the file anew; a name that ends in .gz is compressed. */
export async function recordingWriter(
  path: string,
  channelOf: (id: number) => Channel | undefined,
): Promise<Recorder> {
  const unwritable = (error: unknown): OperatingError => {
    const why = error instanceof Error ? error.message : String(error);
    return new OperatingError("recording-unwritable", `${path}: ${why}`, error);
  };
  const file = createWriteStream(path);
  await once(file, "open").catch((error: unknown) => {
    throw unwritable(error);
  });
  const zip = path.endsWith(".gz") ? createGzip({ level: 1 }) : null;
  zip?.pipe(file);
  const sink = zip ?? file;
  const printed = new Map<number, string>();
  let failure: OperatingError | null = null;
  let pending = "";
  let scheduled = false;
  let dropped = 0;
  file.on("error", (error) => {
    failure ??= unwritable(error);
    zip?.destroy(error);
  });
  zip?.on("error", (error) => {
    failure ??= unwritable(error);
  });

  const flush = (): void => {
    scheduled = false;
    if (pending !== "" && failure === null) sink.write(pending);
    pending = "";
  };
  const append = (line: string): boolean => {
    if (failure !== null || pending.length + sink.writableLength > PENDING_CHARS_MAX) {
      dropped += 1;
      return false;
    }
    pending += line;
    if (pending.length > PENDING_CHARS_HIGH) flush();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(flush); // one write a turn of the event loop, however many items
    }
    return pending.length + sink.writableLength < PENDING_CHARS_HIGH;
  };
  const whose = (id: number): string | null => {
    const known = printed.get(id);
    if (known !== undefined) return known;
    const channel = channelOf(id);
    if (channel === undefined) return null;
    const { asset, name, dim } = channel;
    const text = `,${JSON.stringify({ a: asset, c: name, u: dim }).slice(1, -1)}`;
    printed.set(id, text);
    return text;
  };

  return {
    write(item): boolean {
      const channel = whose(item.channel);
      if (channel !== null && Number.isFinite(item.t_ms) && Number.isFinite(item.r_ms)) {
        return append(printItem(item, channel));
      }
      dropped += 1;
      return true;
    },
    tick(r_ms): void {
      if (Number.isFinite(r_ms)) append(`{"r":${r_ms}}\n`);
    },
    async drained(): Promise<void> {
      flush();
      if (failure === null && sink.writableNeedDrain) await once(sink, "drain").catch(() => {});
    },
    async close(): Promise<void> {
      flush();
      sink.end();
      if (failure === null) await finished(file).catch(() => {});
      if (failure !== null) throw failure;
    },
    get dropped(): number {
      return dropped;
    },
  };
}

function printItem(item: Item, channel: string): string {
  const head = `{"t":${item.t_ms}${channel}`;
  const tail = `,"r":${item.r_ms}}\n`;
  if (item.kind === "block") {
    const { buffer, byteOffset, byteLength } = item.values;
    const base64 = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    return `${head},"fs":${item.fs_hz}${printSpeed(item.speed_radps)},"f32":"${base64}"${tail}`;
  }
  const value = Number.isFinite(item.value) ? `,"v":${item.value}` : "";
  const quality = item.quality === "good" ? "" : `,"q":"${item.quality}"`;
  return `${head}${value}${quality}${tail}`;
}

function printSpeed(speed_radps: number | null): string {
  if (speed_radps === null) return "";
  const rpm = (speed_radps * 30) / Math.PI;
  // Not every rad/s is the image of some rpm: what a sensor did not send in rpm is kept as well.
  const exact = radPerSecond(rpm) === speed_radps ? "" : `,"radps":${speed_radps}`;
  return `,"rpm":${rpm}${exact}`;
}
