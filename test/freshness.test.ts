import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { neverSeen, noteArrival, untimely } from "../agent/freshness.js";
import { sterna } from "./fixtures/agent.js";
import { channelOf, sampleOf } from "./watch-fixture.js";

const START_ms = 1_700_000_000_000;
const HOUR_ms = 3_600_000;
const YEAR_ms = 365 * 24 * HOUR_ms;
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 7 * 24 * HOUR_ms };

test.each([
  ["an hour ahead", HOUR_ms, 7, "time-ahead"],
  ["as far ahead as allowed", 60_000, 7, null],
  ["a year back", -YEAR_ms, 7, "time-behind"],
  ["older than the last one", -1, 7, "out-of-order"],
  ["the same again", 0, 5, "duplicate"],
  ["another value of the same instant", 0, 7, null],
  ["the next one", 1, 5, null],
])("a sample %s", (_, shift_ms, value, reason) => {
  const fresh = neverSeen(channelOf(0), 0);
  noteArrival(fresh, sampleOf(START_ms, 5));
  fresh.last_value = 5;
  const late = { ...sampleOf(START_ms + shift_ms, value), r_ms: START_ms };
  expect(untimely(fresh, late, LIMITS)).toBe(reason);
});

test("what comes at a wrong time raises nothing, is counted by name, and does not hold up the next", () => {
  const dir = mkdtempSync(join(tmpdir(), "sterna-fresh-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const config = join(dir, "c.yaml");
  writeFileSync(
    config,
    `gateway: { id: gw-1, site: s }
assets:
  - id: line3
    channels: { current: { unit: A } }
    rules: [ { id: over, when: "current > 16 A", severity: critical } ]
`,
  );
  const line = (v: number, r_ms: number, t_ms = r_ms): string =>
    JSON.stringify({ t: t_ms, r: r_ms, a: "line3", c: "current", v, u: "A" });
  const at = (s: number): number => START_ms + s * 1_000;
  const recording = join(dir, "r.ndjson");
  const lines = [
    line(5, at(0)),
    line(20, at(1), at(1) + HOUR_ms),
    line(20, at(2), at(2) - YEAR_ms),
    line(20, at(3), at(-1)),
    line(5, at(4), at(0)),
    line(21, at(5)),
  ];
  writeFileSync(recording, lines.join("\n"));
  const { code, out, err } = sterna("replay", recording, "--config", config);
  expect(code).toBe(0);
  const said = out
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).data);
  expect(said).toMatchObject([{ transition: "raise", value: { v: 21, u: "A" } }]);
  expect(said[0].onset).toBe(new Date(at(5)).toISOString());
  const words = err
    .trim()
    .split("\n")
    .map((text) => text.replace(/ \{.*\}:/, ""));
  expect(words).toEqual([
    "not used: 1 record(s) time-ahead of line3/current, first in line 2: t is later than r by more than time.aheadMax of the config",
    "not used: 1 record(s) time-behind of line3/current, first in line 3: t is earlier than r by more than time.behindMax of the config",
    "not used: 1 record(s) out-of-order of line3/current, first in line 4: older than the one before it of this channel; sort the lines by time",
    "not used: 1 record(s) duplicate of line3/current, first in line 5: the time and value of the one before it; leave one out",
  ]);
});
