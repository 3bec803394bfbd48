//! Every fault in one round: conditions and models are checked although something else is wrong, and
//! what only follows from another fault is not said.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { faultsOf } from "../../agent/assembly.js";
import { ConfigError } from "../../agent/base/errors.js";
import { packageFile } from "../../agent/base/files.js";
import { CONFIG_KINDS } from "../../agent/fitting.js";
import { parseConfig } from "../../config/load.js";

/** The faults as `line:column: what`, empty for a good config. */
function said(text: string, file = "a.yaml"): string[] {
  try {
    const config = parseConfig(text, file, CONFIG_KINDS, {}, faultsOf);
    return faultsOf(config).map(({ line, column, what }) => `${line}:${column}: ${what}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ line, column, what }) => `${line}:${column}: ${what}`);
  }
}

const text = (channels: string, rules: string, more = "") => `gateway: { id: gw, site: s }
mqtt: { url: "mqtt://localhost" }
assets:
  - id: line3
    channels: ${channels}
    rules:
      - ${rules}
${more}`;

const CHANNELS = "{ current: { mqtt: a, unit: A }, oil: { mqtt: b, unit: Cel } }";

test("a condition is checked although a channel, a rule or a connection is wrong", () => {
  const rule = '{ id: over, when: "current > 16 V", severity: bad }';
  expect(said(text(CHANNELS.replace("mqtt: b", "mqtt: b, qos: 7"), rule))).toEqual([
    "5:69: 7 is not a choice here",
    "7:28: cannot compare A with V",
    '7:55: "bad" is not a choice here',
  ]);
  const broken = said(text(CHANNELS, '{ when: "current > 16 V", clear: "oil < 3 bar" }'));
  expect(broken).toContain("7:18: cannot compare A with V");
  expect(broken).toContain("7:43: cannot compare K with Pa");
  // An asset that has no name, and a kind that there is not.
  const nameless = text(CHANNELS, '{ id: over, when: "current > 16 V", severity: info }');
  expect(said(nameless.replace("id: line3", "kind: generic"))).toContain(
    "7:28: cannot compare A with V",
  );
  expect(said(nameless.replace("id: line3", "id: line3\n    kind: windturbine"))).toContain(
    "8:28: cannot compare A with V",
  );
});

test("what only follows from another fault is not said", () => {
  const unit = CHANNELS.replace("unit: Cel", "unit: Celsius degrees");
  const rule = '{ id: hot, when: "current > 16 V || oil > 80 Cel", severity: info }';
  const over = '{ id: hot, when: "oil > 80 Cel && current > 16 A", severity: info }';
  expect(said(text(unit, rule)).map((line) => line.replace(/:.*: /, ": "))).toEqual([
    expect.stringMatching(/^5: /),
    "7: cannot compare A with V",
  ]);
  expect(said(text(unit, over))).toHaveLength(1);
  expect(said(text("[]", over))).toHaveLength(1);
  const model =
    'models: { m: { file: x.onnx, asset: line3, in: 5, out: { y: { channel: z, unit: "1" } } } }';
  const reads = said(text(CHANNELS, '{ id: hot, when: "zz > 1", severity: info }', model));
  expect(reads.filter((line) => line.includes("zz"))).toEqual([]);
});

test("a typo of a channel is named, whatever else is wrong", () => {
  const rule = '{ id: over, when: "curent > 16 A", severity: info, form: 3 s }';
  expect(said(text(CHANNELS, rule))).toEqual([
    '7:28: there is no channel "curent"; write "current"',
    expect.stringContaining("unknown key"),
  ]);
});

const FOLDER = packageFile("config/examples");
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));

test("however an example is broken, that is a list of faults with their places and no crash", () => {
  const junk = fc.constantFrom<unknown>(null, 5, "x y", "", [], {}, { a: 1 }, "80 Cel", [1], true);
  const example = fc.constantFrom(...EXAMPLES.map((name) => join(FOLDER, name)));
  const picks = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(
      example,
      fc.array(fc.tuple(picks, junk, fc.boolean()), { maxLength: 3 }),
      (file, edits) => {
        const root: unknown = parse(readFileSync(file, "utf8"));
        for (const [steps, value, gone] of edits) edit(root, steps, value, gone);
        for (const line of said(stringify(root), file)) expect(line).toMatch(/^\d+:\d+: \S/);
      },
    ),
    { numRuns: 40 },
  );
});

/** Walks down by `steps` and replaces or deletes what it comes to. */
function edit(root: unknown, steps: readonly number[], value: unknown, gone: boolean): void {
  let at: unknown = root;
  for (const step of steps) {
    if (typeof at !== "object" || at === null) return;
    const keys = Object.keys(at);
    const key = keys[step % Math.max(1, keys.length)];
    if (key === undefined) return;
    const inner: unknown = Reflect.get(at, key);
    const leaf = typeof inner !== "object" || inner === null;
    if (leaf || step % 5 === 0) {
      if (gone) Reflect.deleteProperty(at, key);
      else Reflect.set(at, key, value);
      return;
    }
    at = inner;
  }
}
