//! What the commands say of recordings that are of no use, or of less use than they seem.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { assemble } from "../../agent/assembly.js";
import { sayUnused, Tally } from "../../agent/cli/tally.js";
import { CONFIG_KINDS } from "../../agent/fitting.js";
import { findOrOpen, readRecording } from "../../agent/sensors/recording.js";
import { parseConfig } from "../../config/load.js";
import { sterna } from "../fixtures/agent.js";

const dir = mkdtempSync(join(tmpdir(), "sterna-unused-"));
afterAll(() => rmSync(dir, { recursive: true }));
const write = (name: string, content: string | Uint8Array): string => {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
};

const CONFIG = `gateway: { id: gw-1, site: site }
store: { dir: ${dir}/state }
time: { behindMax: 3650 d }
assets:
  - { id: pump1, channels: { heat: { unit: Cel }, flow: { unit: l/min, max: 100 } } }
  - { id: br1, kind: bearing, channels: { accel: {} } }
`;
const START_ms = 1_700_000_000_000;
const record = (t: number | string, more = '"v":20', c = "heat", a = "pump1"): string =>
  `{"t":${t},"a":"${a}","c":"${c}",${more}}`;
const times = (count: number, step_ms = 1_000): number[] =>
  Array.from({ length: count }, (_, i) => START_ms + i * step_ms);

/** What is said of a recording, and the exit code. */
async function judge(name: string, content: string | Uint8Array) {
  const assembly = assemble(parseConfig(CONFIG, join(dir, "c.yaml"), CONFIG_KINDS, {}));
  const path = write(name, content);
  const tally = new Tally(path, assembly);
  const find = findOrOpen(assembly.find, assembly.level);
  for await (const read of readRecording(path, find, tally.at)) tally.take(read);
  return { said: tally.lines(), useless: tally.useless()?.replace(path, name) ?? null };
}

test.each([
  ["a", record(START_ms, '"v":20', "heta"), /unknown-channel of pump1\/heta.* but heat; mend "c"/],
  ["b", record(START_ms, '"v":20', "heat", "pump2"), /no asset pump2, but pump1, br1; mend "a"/],
  ["c", record(START_ms, '"v":"20,5"'), /v is "20,5"; write 20\.5, without quotes/],
  ["d", record(START_ms, '"v":"20.5"'), /v is the text "20\.5"; write 20\.5, without quotes/],
  ["e", record('"2026-01-01T00:00Z"'), /t is "2026-01-01T00:00Z"; write milliseconds/],
  ["f", record(START_ms, '"v":null'), /v is null; leave the record out, or write "q":"bad"/],
  ["g", record(START_ms, '"v":20,"u":"bar"'), /the channel is in Cel, which "u" does not convert/],
  ["h", record(START_ms, '"v":120', "flow"), /plausible is .* to 100 l\/min; mend the unit/],
  ["i", record(START_ms, '"v":NaN'), /JSON has no NaN/],
  ["j", record(START_ms, '"v":20,5'), /write a decimal point/],
  ["k", record(START_ms).slice(0, -4), /the line is cut off/],
  ["l", `{"a":"pump1","c":"heat","v":1,"r":${START_ms}}`, /write "t" too/],
  ["m", record(START_ms, '"v":1', "accel", "br1"), /accel takes blocks: write "i16" or "f32"/],
])(
  "one record that cannot be used: line, text and what to write (%s)",
  async (name, line, words) => {
    const { said, useless } = await judge(`${name}.ndjson`, `${record(START_ms - 1)}\n\n${line}\n`);
    expect(said).toEqual([expect.stringMatching(words)]);
    expect(said[0]).toMatch(/^not used: 1 record\(s\) .*first in line 3: /);
    expect(useless).toBe(null);
  },
);

test("the same of another channel is said once, and a flood is cut", async () => {
  const text = ["heat", "flow"].map((c) => record(START_ms, '"v":"1"', c)).join("\n");
  expect((await judge("two.ndjson", text)).said[1]).toMatch(
    /pump1\/flow, first in line 2: likewise$/,
  );
  const others = times(30).map((t, i) => record(t, '"v":1', `x${i}`));
  const { said } = await judge("others.ndjson", others.join("\n"));
  expect(said).toEqual([
    expect.stringMatching(/^not used: 30 .*pump1\/x0, .*; likewise x1, x2, .*x8, 21 more$/),
  ]);
  const assets = times(30).map((t, i) => record(t, '"v":1', "heat", `p${i}`));
  const flood = (await judge("flood.ndjson", assets.join("\n"))).said;
  expect([flood.length, flood.at(-1)]).toEqual([21, "not used: 10 more channels, likewise"]);
});

test.each([
  ["seconds", 1e-3, "multiply them by 1000"],
  ["microseconds", 1e3, "divide them by 1000"],
  ["nanoseconds", 1e6, "divide them by 1000000"],
])("times in %s are named, and nothing is judged by them", async (scale, per_ms, mend) => {
  const lines = times(9).map((t) => record(t * per_ms));
  const { said, useless } = await judge(`${scale}.ndjson`, lines.join("\n"));
  expect(said[0]).toContain(`look like ${scale} since 1970, and are to be milliseconds: ${mend}`);
  expect(useless).toBe(`nothing is judged by times in ${scale}`);
});

test("simulated times from 0, and one stray time, are no other scale", async () => {
  const zero = times(9).map((t) => record(t - START_ms));
  expect(await judge("zero.ndjson", zero.join("\n"))).toEqual({ said: [], useless: null });
  const stray = [START_ms / 1000, ...times(9)].map((t) => record(t));
  expect((await judge("stray.ndjson", stray.join("\n"))).useless).toBe(null);
});

test("hostile files are counted within bounds", async () => {
  const lines = Array.from({ length: 3_000 }, (_, i) => record(START_ms, '"v":1', "heat", `p${i}`));
  const { said } = await judge("assets.ndjson", [record(1e300), ...lines].join("\n"));
  expect(said.at(-1)).toBe("not used: 980 more channels, likewise");
  const far = assemble(parseConfig(CONFIG, "c.yaml", CONFIG_KINDS, {}));
  const tally = new Tally("x", far);
  tally.take({ kind: "tick", r_ms: 1e300 });
  expect(tally.span).toContain("+275760");
});

test("lines that are sorted by channel are told", async () => {
  const lines = ["heat", "flow"].flatMap((c) => times(9, 60_000).map((t) => record(t, '"v":1', c)));
  const { said } = await judge("column.ndjson", lines.join("\n"));
  expect(said).toEqual([expect.stringMatching(/go back by more than a minute .*: sort the lines/)]);
});

test.each([
  ["x.gz", record(START_ms), "no gzip; take .gz off its name"],
  ["x.ndjson", gzipSync(record(START_ms)), "gzip; let its name end in .gz"],
  ["utf16.ndjson", Buffer.from(`\uFEFF${record(START_ms)}`, "utf16le"), "UTF-16; save it as UTF-8"],
  ["array.ndjson", `[${record(START_ms)}]`, "a JSON array; write one record a line"],
  ["t.csv", "t,a,c,v\n1,2,3,4", "a table; write a line such as"],
  ["c.yaml", CONFIG, "a config; name the recording first"],
  ["notes.txt", "hello\n", "no line of it is a JSON object"],
])("%s is no recording, and what it is", async (name, content, words) => {
  const { useless } = await judge(name, content);
  expect(useless).toContain(`${name} is no recording: ${words}`);
});

test("blocks that no monitor can judge are told", async () => {
  const block = (samples: number, more: string): string => {
    const i16 = Buffer.alloc(samples * 2).toString("base64");
    return record(START_ms, `"fs":25600,"i16":"${i16}"${more}`, "accel", "br1");
  };
  const { said } = await judge("short.ndjson", block(2048, ',"rpm":1500'));
  expect(said).toEqual([expect.stringMatching(/1 block\(s\) of br1\/accel are too short.*4096/)]);
  const blind = (await judge("blind.ndjson", block(4096, ""))).said;
  expect(blind).toEqual([expect.stringMatching(/no shaft speed: write "rpm".*channel shaftSpeed/)]);
  expect((await judge("good.ndjson", block(4096, ',"rpm":1500'))).said).toEqual([]);
});

test("every command ends with 1 where nothing could be used, without a stack trace", () => {
  const config = write("config.yaml", CONFIG);
  const empty = write("empty.ndjson", "");
  const texts = write(
    "texts.ndjson",
    times(9)
      .map((t) => record(t, '"v":"1"'))
      .join("\n"),
  );
  for (const args of [
    ["replay", empty, "--config", config],
    ["replay", texts, "--config", config],
    ["check", config, "--recording", texts],
    ["commission", texts, "--config", config, "--out", join(dir, "b.json"), "--asset", "pump1"],
  ]) {
    const { code, err } = sterna(...args);
    expect([code, err], args.join(" ")).toEqual([
      1,
      expect.stringContaining(`sterna ${args[0]}: `),
    ]);
    expect(err).not.toContain("    at ");
  }
  expect(
    sayUnused("replay", new Tally(empty, assemble(parseConfig(CONFIG, "c", CONFIG_KINDS, {})))),
  ).toBe(1);
});

test("commission: folder, period and what was lost are told before anything is learnt", () => {
  const config = write("config.yaml", CONFIG);
  const good = write(
    "short.ndjson",
    times(9)
      .map((t) => record(t))
      .join("\n"),
  );
  const mixed = times(9).map((t, i) => record(t, i > 2 ? '"v":"1"' : `"v":${i}`));
  const lost = write("lost.ndjson", mixed.join("\n"));
  const run = (file: string, ...more: string[]) => {
    const { code, out, err } = sterna(
      "commission",
      file,
      "--config",
      config,
      "--asset",
      "pump1",
      ...more,
    );
    expect(`${out}${err}`).not.toContain("    at ");
    return [code, `${out}${err}`];
  };
  const out = ["--out", join(dir, "p.json")];
  expect(run(good, "--out", "/nonexistent/x.json")).toEqual([
    2,
    expect.stringContaining("/nonexistent/x.json cannot be written (ENOENT); mend --out"),
  ]);
  expect(run(good, ...out, "--from", "2026-02-02", "--to", "2026-01-01")).toEqual([
    2,
    expect.stringContaining("--to 2026-01-01 is not after --from 2026-02-02"),
  ]);
  expect(run(good, ...out, "--from", "2026-02-02")).toEqual([
    1,
    expect.stringMatching(/no reading of pump1 lies between .* it spans 2023-11-14T22:13 to 2023-/),
  ]);
  expect(run(lost, ...out)).toEqual([
    1,
    expect.stringMatching(
      /refused: 67 % of the records could not be used[\s\S]*not used: 6 record/,
    ),
  ]);
});
