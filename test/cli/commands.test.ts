import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sterna } from "../fixtures/agent.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
};

const CONFIG = `gateway: { id: gw-1, site: site }
assets:
  - id: wt07
    channels:
      oilTemp: { unit: Cel, staleAfter: 30 s }
    rules:
      - { id: oil-hot, when: "oilTemp > 80 Cel", for: 60 s, clear: "oilTemp < 75 Cel", severity: warning, text: Gear oil hot, action: Check the cooler }
`;

/** Ten minutes at 1 Hz: hot from 100 s to 300 s, silent from 400 s to 500 s, one line broken. */
function recording(tick_s: number): string {
  const lines: string[] = [];
  for (let s = 0; s <= 600; s++) {
    const t = 1_700_000_000_000 + s * 1_000;
    if (s % tick_s === 0) lines.push(`{"r":${t}}`);
    if (s === 50) lines.push("{broken");
    if (s > 400 && s < 500) continue;
    const v = s >= 100 && s < 300 ? 85 : 60;
    lines.push(JSON.stringify({ t, a: "wt07", c: "oilTemp", v, u: "Cel" }));
  }
  return lines.join("\n");
}

test("replay prints the transitions, byte for byte the same wherever ticks fall", () => {
  const config = write("good.yaml", CONFIG);
  const plain = sterna("replay", write("a.ndjson", recording(1_000)), "--config", config);
  expect(plain.code).toBe(0);
  expect(plain.err).toBe(
    "not used: 1 record(s) malformed, first in line 52: {broken: " +
      "the line is cut off: the file ends early, or a record has a line break in it\n",
  );
  const said = plain.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(said.map((d) => [d.subject, d.data.transition, d.data.detected])).toEqual([
    ["oil-hot", "raise", "2023-11-14T22:16:00.000Z"],
    ["oil-hot", "clear", "2023-11-14T22:18:20.000Z"],
    ["stale", "raise", "2023-11-14T22:20:30.000Z"],
    ["stale", "clear", "2023-11-14T22:21:40.000Z"],
  ]);
  expect(said[0].data).toMatchObject({
    value: { v: 85, u: "Cel" },
    limit: { v: 80, u: "Cel", source: "config" },
    onset: "2023-11-14T22:15:00.000Z",
    evidence: ["oilTemp > 80 Cel"],
  });
  // A clear states its own value, limit and reason, not those of the raise.
  expect(said[1].data).toMatchObject({
    value: { v: 60, u: "Cel" },
    limit: { v: 75, u: "Cel" },
    sourceTime: "2023-11-14T22:18:20.000Z",
    evidence: ["oilTemp < 75 Cel"],
  });
  expect(said[3].data).toMatchObject({
    value: { v: 0, u: "1" },
    limit: { v: 0, u: "1" },
    evidence: ["no longer: staleChannels > 0"],
  });
  const zipped = write("b.ndjson.gz", gzipSync(recording(7)));
  expect(sterna("replay", zipped, "--config", config).out).toBe(plain.out);
});

test("every fault of a config at once, each with its place", () => {
  const file = write(
    "bad.yaml",
    `gateway: { id: "a b" }
mqtt: { url: localhost, keepalive: 30 m }
assets:
  - id: line3
    chanels: {}
    channels:
      current: { mqtt: plant/x, unit: Amp, qos: 3 }
      oilTemp: { unit: Cel, min: 3 bar }
    rules:
      - { id: over, when: "oilTemp > 80 bar", for: 5 }
`,
  );
  const { code, err, out } = sterna("check", file);
  expect(code).toBe(78);
  expect(out).toBe("");
  expect(err.replaceAll(file, "bad.yaml")).toMatchSnapshot();
});

test("a rule that compares the wrong things is named in its place", () => {
  const file = write("rule.yaml", CONFIG.replace("> 80 Cel", "> 80 bar"));
  const { code, err } = sterna("check", file);
  expect(code).toBe(78);
  expect(err.replace(file, "rule.yaml")).toMatchInlineSnapshot(`
    "rule.yaml:7:31: cannot compare K with Pa
      oilTemp > 80 bar
      ^^^^^^^^^^^^^^^^
    "
  `);
  // Over several lines, as YAML lets one write: line, column and caret are those of the part.
  const lines = write(
    "lines.yaml",
    `gateway: { id: gw, site: s }
assets:
  - id: a
    channels: { oilTemp: { unit: Cel } }
    rules:
      - id: hot
        severity: info
        when: |
          oilTemp > 80 Cel &&
            oilTemp < 90 kρ
`,
  );
  expect(sterna("check", lines).err.replace(lines, "lines.yaml")).toMatchInlineSnapshot(`
    "lines.yaml:10:27: unexpected U+03C1 in a unit; write "p"
        oilTemp < 90 kρ
                      ^
    "
  `);
});

test("check, version, help and a wrong command", () => {
  expect(sterna("check", write("good.yaml", CONFIG))).toMatchObject({ code: 0 });
  expect(sterna("check", join(dir, "absent.yaml"))).toMatchObject({ code: 78 });
  expect(sterna("--version").out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(sterna("--help")).toMatchObject({ code: 0 });
  const wrong = sterna("comission");
  expect([wrong.code, wrong.err]).toEqual([
    2,
    expect.stringContaining('write "sterna commission"'),
  ]);
  expect(sterna("devices").out).toContain("reference");
  expect(sterna("replay", "x")).toMatchObject({ code: 2 });
  expect(sterna("replay", join(dir, "absent"), "--config", join(dir, "good.yaml")).code).toBe(1);
});

test("a file of which no line is a record is no recording", () => {
  const good = write("good.yaml", CONFIG);
  const { code, out, err } = sterna("replay", write("notes.txt", "a\nb\n"), "--config", good);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("notes.txt is no recording");
});
