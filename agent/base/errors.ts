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
};

/** Carries every fault of the config at once; main prints them and exits 78. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** `sterna.yaml:12:9: unknown key "chanels"; write "channels"`. */
export function formatFault(fault: Fault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  return `${place}: ${fault.what}${fault.instead === "" ? "" : `; ${fault.instead}`}`;
}

/** Ends the process when our own reasoning was wrong; systemd starts us again. */
export function assert(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(`assertion failed: ${message}`);
}
