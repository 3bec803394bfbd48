//! The log contract. pino is made in main; every folder takes a Log and knows no more.

export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Drops everything: for tests and for `replay`. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
