//! The three kinds of error (DESIGN): bad input is a returned literal and never comes here; the
//! world failing is an OperatingError; our own mistake is an assert that ends the process.

/** The world failed (broker, disk, device). `code` is stable, `cause` the original. */
export class OperatingError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "OperatingError";
    this.code = code;
  }
}

/** One fault of a file the user wrote: what is wrong, where, and what to write instead. */
export type Fault = {
  readonly file: string;
  /** 1-based; 0 when the fault has no place (a missing file). */
  readonly line: number;
  readonly column: number;
  readonly what: string;
  readonly instead: string;
  /** Of a condition: its text and the part that is wrong, to be shown with a caret. */
  readonly excerpt?: Excerpt;
};
type Excerpt = { readonly text: string; readonly at: number; readonly length: number };

/** Of a longer line only what stands around the place is shown. */
const EXCERPT_CHARS_MAX = 80;

/** Carries every fault of the config at once; main prints them and exits 78. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** `sterna.yaml:12:9: unknown key "chanels"; write "channels"`; with an excerpt, two lines more. */
export function formatFault(fault: Fault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  const text = `${place}: ${fault.what}${fault.instead === "" ? "" : `; ${fault.instead}`}`;
  return fault.excerpt === undefined ? text : `${text}\n${underlined(fault.excerpt)}`;
}

/** A fault of a part of a text that begins at `start`, and may be written over several lines. */
export function faultWithin(
  text: string,
  start: { readonly file: string; readonly line: number; readonly column: number },
  { fault, at, length }: { readonly fault: string; readonly at: number; readonly length: number },
): Fault {
  const before = text.slice(0, at).split("\n");
  const line = start.line + before.length - 1;
  const column = start.column + (before.at(-1) ?? "").length;
  const { file } = start;
  return { file, line, column, what: fault, instead: "", excerpt: { text, at, length } };
}

function underlined({ text, at, length }: Excerpt): string {
  const lineStart = text.slice(0, at).lastIndexOf("\n") + 1;
  const start = Math.max(lineStart, at - EXCERPT_CHARS_MAX / 2);
  const lineEnd = text.indexOf("\n", at);
  const end = Math.min(lineEnd < 0 ? text.length : lineEnd, start + EXCERPT_CHARS_MAX);
  const carets = "^".repeat(Math.max(1, Math.min(length, end - at)));
  return `  ${text.slice(start, end).replace(/\s/g, " ")}\n  ${" ".repeat(at - start)}${carets}`;
}

/** Ends the process when our own reasoning was wrong; systemd starts us again. */
export function assert(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(`assertion failed: ${message}`);
}
