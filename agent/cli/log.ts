//! The log of the commands that go on: JSON lines for a journal, plain lines on a terminal.
import { pino } from "pino";
import type { Log } from "../base/log.js";

export function openLog(level: string, stream: NodeJS.WriteStream & { readonly fd: number }): Log {
  const plain = { write: (line: string): void => void stream.write(terminalLine(line)) };
  return pino({ level }, stream.isTTY ? plain : pino.destination(stream.fd));
}

/** Time, level, message and the fields, from one JSON line of pino. */
export function terminalLine(line: string): string {
  const { level, time, pid: _pid, hostname: _hostname, msg, ...fields } = JSON.parse(line);
  const rest = Object.entries(fields).map(([key, value]) => {
    return `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  const label = (pino.levels.labels[level] ?? String(level)).padEnd(5);
  return `${[new Date(time).toISOString(), label, msg, ...rest].join(" ")}\n`;
}
