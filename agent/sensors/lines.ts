//! The lines of a text file, plain or .gz, a chunk at a time: an await for each would cost
//! more than reading the line. Lines are bounded; a damaged archive ends them, not the reader.
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { constants, createGunzip } from "node:zlib";
import { OperatingError } from "../base/errors.js";
import type { Reject } from "../base/telemetry.js";

/** One line, or why there is none in its place. */
export type Line = string | { readonly reason: Reject };

export const LINE_CHARS_MAX = 16_777_216;
const CHUNK_BYTES = 262_144;

export async function* readLines(path: string): AsyncGenerator<readonly Line[]> {
  const splitter = new Splitter();
  const text = new TextDecoder();
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const bytes = path.endsWith(".gz") ? gunzipped(file) : file;
  try {
    for await (const chunk of bytes) {
      yield splitter.split(text.decode(chunk as Uint8Array, { stream: true }));
    }
    yield splitter.end(text.decode());
  } catch (error) {
    if (!isArchiveError(error)) {
      const why = error instanceof Error ? error.message : String(error);
      throw new OperatingError("recording-unreadable", `${path}: ${why}`, error);
    }
    yield [...splitter.end(""), { reason: "malformed" }];
  } finally {
    bytes.destroy();
    file.destroy();
  }
}

/** A recorder that was killed leaves an archive without its end: what is there is still read. */
function gunzipped(file: Readable): Readable {
  const gunzip = createGunzip({
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: CHUNK_BYTES,
  });
  file.on("error", (error) => gunzip.destroy(error)); // pipe does not pass errors on
  return file.pipe(gunzip);
}

function isArchiveError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

/** Cuts text at its newlines and holds what has none yet, up to the bound. */
class Splitter {
  #held: string[] = [];
  #chars = 0;

  split(text: string): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      lines.push(this.#take(text.slice(from, end)));
      from = end + 1;
    }
    this.#hold(text.slice(from));
    return lines;
  }

  end(text: string): Line[] {
    const lines = this.split(text);
    if (this.#chars > 0) lines.push(this.#take(""));
    return lines;
  }

  #hold(text: string): void {
    if (text === "") return;
    this.#chars += text.length;
    if (this.#chars > LINE_CHARS_MAX) this.#held = [];
    else this.#held.push(text);
  }

  #take(last: string): Line {
    if (this.#chars === 0) return last;
    this.#hold(last);
    const line = this.#chars > LINE_CHARS_MAX ? null : this.#held.join("");
    this.#held = [];
    this.#chars = 0;
    return line ?? { reason: "too-long" };
  }
}
