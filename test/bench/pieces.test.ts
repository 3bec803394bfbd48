import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runPieces } from "../../bench/pieces.js";

function program(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "sterna-pieces-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "piece.mjs");
  writeFileSync(file, text);
  return file;
}

test("pieces run two at a time and hand back what they send, in their order", async () => {
  // The first ends once the second has begun, which it never would behind it.
  const file = program(`
    import { existsSync, writeFileSync } from "node:fs";
    import { join } from "node:path";
    const from_ms = performance.timeOrigin + performance.now();
    const name = process.argv[2];
    writeFileSync(join(import.meta.dirname, name), "");
    while (name === "a" && !existsSync(join(import.meta.dirname, "b")));
    const to_ms = performance.timeOrigin + performance.now();
    process.send({ name, from_ms, to_ms, value: NaN });
  `);
  const names = ["a", "b", "c", "d"];
  const outcomes = await runPieces(
    names.map((name) => ({ file, args: [name] })),
    2,
  );
  const sent = outcomes.map((one) => one.sent as Record<string, number>);
  expect(sent.map(({ name }) => name)).toEqual(names);
  expect(sent.every(({ value }) => Number.isNaN(value))).toBe(true);
  const running = sent.map(({ from_ms = 0 }) =>
    sent.filter((other) => (other["from_ms"] ?? 0) <= from_ms && (other["to_ms"] ?? 0) > from_ms),
  );
  expect(Math.max(...running.map((all) => all.length))).toBeLessThanOrEqual(2);
});

test("a piece that dies has sent nothing and says how it ended; the others go on", async () => {
  const dies = program("process.exit(3)");
  const killed = program('process.kill(process.pid, "SIGKILL")');
  const good = program("process.send(7)");
  const outcomes = await runPieces([dies, killed, good].map((file) => ({ file, args: [] })));
  expect(outcomes).toEqual([
    { sent: null, ended: "its process ended with 3" },
    { sent: null, ended: "its process ended with SIGKILL" },
    { sent: 7, ended: "its process ended with 0" },
  ]);
});
