//! `sterna commission` over a recording, and what it wrote at work; learning live in a state directory.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assemble } from "../../agent/assembly.js";
import type { Log } from "../../agent/base/log.js";
import { prng } from "../../agent/base/prng.js";
import { CONFIG_KINDS } from "../../agent/fitting.js";
import { Learning, revertAdaptation } from "../../agent/learning.js";
import { parseConfig } from "../../config/load.js";
import { sterna } from "../fixtures/agent.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-commission-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const START_ms = 1_700_000_000_000;
const STEP_ms = 300_000;

const config = (more: string): string => `gateway: { id: gw-1, site: site }
store: { dir: ${dir}/state }
time: { behindMax: 3650 d }
assets:
  - id: pump1
    settings: [load]
    ${more}
    channels: { load: { unit: "%" }, flow: { unit: l/min }, heat: { unit: Cel } }
`;

/** Days of a pump; from \`broken\` on it is warmer and gives less. */
function readings(days: number, broken = Number.POSITIVE_INFINITY) {
  const chance = prng(4, "pump");
  return Array.from({ length: (days * 86_400_000) / STEP_ms }, (_, k) => {
    const day = (k * STEP_ms) / 86_400_000;
    const load = [30, 80][Math.floor(day * 4) % 2] ?? 0;
    const off = day > broken ? 1 : 0;
    const flow = 2 * load + chance.normal() - 12 * off;
    const values = {
      load: load + 0.05 * chance.normal(),
      flow,
      heat: 40 + chance.normal() + 12 * off,
    };
    return { t_ms: START_ms + k * STEP_ms, values };
  });
}

function write(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

const recording = (days: number, broken?: number): string =>
  readings(days, broken)
    .flatMap(({ t_ms, values }) =>
      Object.entries(values).map(([c, v]) => JSON.stringify({ t: t_ms, a: "pump1", c, v })),
    )
    .join("\n");

test("a baseline from a recording, with where it comes from, and its alarm in a replay", () => {
  const yaml = write("plain.yaml", config(""));
  const healthy = write("healthy.ndjson", recording(5));
  const out = join(dir, "pump1.json");
  const done = sterna("commission", healthy, "--config", yaml, "--out", out);
  expect(done.err).toBe("");
  expect(done.code).toBe(0);
  expect(done.out).toContain("pump1: generic, 4.9 days from 2023-11-14T22:13");
  expect(done.out).toContain(`put "baseline: ${out}" under the asset`);
  const { provenance } = JSON.parse(readFileSync(out, "utf8"));
  expect(provenance).toMatchObject({ recording: "healthy.ndjson", suspects: [], notLearnt: [] });
  expect(provenance.hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  const again = sterna("commission", healthy, "--config", yaml, "--out", out);
  expect([again.code, again.err]).toEqual([2, expect.stringContaining("exists")]);
  const watched = write("watched.yaml", config(`baseline: ${out}`));
  const said = sterna("replay", write("broken.ndjson", recording(7, 6)), "--config", watched);
  const alarms = said.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(alarms.map((d) => [d.subject, d.data.transition])).toEqual([["unusual", "raise"]]);
  expect(alarms[0].data.evidence.join()).toMatch(/flow is .* spreads below its normal/);
  expect(alarms[0].data.marks).toEqual([]);
});

test("a short period is refused in words; wrong command lines are told", () => {
  const yaml = write("plain.yaml", config(""));
  const short = write("short.ndjson", recording(2));
  const refused = sterna("commission", short, "--config", yaml, "--out", join(dir, "no.json"));
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/^pump1: refused: too short: 1.9 of at least 3 days/);
  expect(existsSync(join(dir, "no.json"))).toBe(false);
  for (const args of [
    ["commission", "--config", yaml],
    ["commission", short, "--revert", "--config", yaml],
    ["commission", short, "--config", yaml, "--asset", "pump2"],
    ["commission", short, "--config", yaml, "--from", "yesterday"],
  ]) {
    expect(sterna(...args).code, args.join(" ")).toBe(2);
  }
});

test("live: progress, baseline and adaptation outlive restarts; deleting one file reverts", () => {
  const parsed = parseConfig(config("commission: { days: 3 }"), "x.yaml", CONFIG_KINDS, {});
  const lines: string[] = [];
  const note = (_: unknown, text: string) => void lines.push(text);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const state = parsed.store.dir;
  const all = readings(8);
  /** One life of the agent, over these days. */
  const live = (from: number, to: number) => {
    const assembly = assemble(parsed);
    const learning = new Learning(assembly.members, state, log);
    const [watch] = assembly.watches;
    const limits = { ahead_max_ms: 1e12, behind_max_ms: 1e12 };
    for (const { t_ms, values } of all) {
      const day = (t_ms - START_ms) / 86_400_000;
      if (day < from || day >= to) continue;
      for (const [name, value] of Object.entries(values)) {
        const channel = assembly.find("pump1", name)?.id ?? -1;
        const sample = { kind: "sample", channel, t_ms, r_ms: t_ms, quality: "good" } as const;
        // Cel and % as a source would bring them: in SI.
        const { factor = 1, offset = 0 } = assembly.find("pump1", name) ?? {};
        watch?.accept({ ...sample, value: value * factor + offset }, limits, []);
      }
      learning.tick(t_ms, () => false);
    }
    learning.close();
    return { learning, member: assembly.memberOf("pump1") };
  };
  expect(live(0, 1.5).member?.commissioned).toBe(false);
  const files = () => readdirSync(join(state, "commission")).sort();
  expect(files()).toEqual(["pump1.progress.json"]);
  expect(live(1.5, 2.5).member?.commissioned).toBe(false);
  expect(
    lines.filter((line) => line.startsWith("commissioning goes on: 1.4 of 3 days")),
  ).toHaveLength(1);
  expect(live(2.5, 5).member?.commissioned).toBe(true);
  expect(lines.some((line) => line.startsWith("commissioned: live: 3 days"))).toBe(true);
  expect(files()).toEqual(["pump1.adapted.json", "pump1.baseline.json", "pump1.memory.json"]);
  const { learning, member } = live(5, 8);
  expect(member?.commissioned).toBe(true);
  const moved = member?.stage.save().adapted?.moved ?? {};
  expect(Object.values(moved).some((move) => move !== 0)).toBe(true);
  const yaml = write("live.yaml", config("commission: { days: 3 }"));
  const took = sterna("commission", "--revert", "--config", yaml);
  expect([took.code, took.out]).toEqual([0, expect.stringContaining("back to its baseline")]);
  expect(revertAdaptation(state, "pump1")).toBe(false);
  learning.close();
  expect(member?.stage.save().adapted?.moved).toEqual({});
  learning.tick(START_ms + 20 * 86_400_000, () => false);
  expect(lines.at(-1)).toBe("adaptation reverted to the baseline");
  expect(member?.stage.save().adapted?.moved).toEqual({});
});

test("damaged files of the state directory are said and cost nothing but what was in them", () => {
  const parsed = parseConfig(config("commission: { days: 3 }"), "x.yaml", CONFIG_KINDS, {});
  const folder = join(parsed.store.dir, "commission");
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "{broken");
  const lines: string[] = [];
  const note = (_: unknown, text: string) => void lines.push(text);
  const { members } = assemble(parsed);
  new Learning(members, parsed.store.dir, { debug: note, info: note, warn: note, error: note });
  expect(lines.length).toBeGreaterThan(0);
  expect(members[0]?.commissioned).toBe(false);
});
