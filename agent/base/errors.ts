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
  /** The text that was read, such as a condition, and the part of it that is wrong. */
  readonly within?: { readonly text: string; readonly at: number; readonly length: number };
};

/** Columns of a text that are shown around what is wrong in it. */
const SHOWN_CHARS = 90;
const BEFORE_CHARS = 30;

/** Carries every fault of the config at once; main prints them and exits 78. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** `sterna.yaml:12:9: unknown key "chanels"; write "channels"`, and two lines with a caret. */
export function formatFault(fault: Fault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  const said = `${place}: ${fault.what}${fault.instead === "" ? "" : `; ${fault.instead}`}`;
  return fault.within === undefined ? said : `${said}\n${underline(fault.within)}`;
}

/** The line of a text that is wrong, cut to what a terminal shows, and `^` below the part meant. */
function underline({ text, at, length }: NonNullable<Fault["within"]>): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const line =
    text
      .slice(start)
      .split("\n", 1)[0]
      ?.replace(/\p{Cc}/gu, " ") ?? "";
  const from = line.length > SHOWN_CHARS ? Math.max(0, at - start - BEFORE_CHARS) : 0;
  const shown = line.slice(from, from + SHOWN_CHARS);
  const column = at - start - from;
  const carets = "^".repeat(Math.max(1, Math.min(length, shown.length - column)));
  return `    ${shown}\n    ${" ".repeat(column)}${carets}`;
}

/** Ends the process when our own reasoning was wrong; systemd starts us again. */
export function assert(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(`assertion failed: ${message}`);
}
