//! The repository's own rules, checked like any other test; a fault is one line.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const LIMIT = { lines: 320, columns: 104 }; // biome keeps code to 100; a comment may run over by a word
/** Folder to the folders it may import; what is not listed may import anything. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  "agent/units": [],
  "agent/base": ["agent/units"],
  "agent/sensors": ["agent/base", "agent/units"],
  "agent/accel": ["agent/base", "agent/units"],
  "agent/models": ["agent/accel", "agent/base", "agent/units"],
  "agent/rules": ["agent/base", "agent/units"],
  "agent/alerts": ["agent/base", "agent/units"],
  // It shows alarms and spectra, so it knows their types.
  "agent/status": ["agent/base", "agent/units", "agent/alerts", "agent/models"],
};
/** A generated table, and type-level templates that lose their meaning when broken. */
const GENERATED = /units\/(exponents|dimension-vector)\.ts$/;
/** Scripts that train: they use the simulator, and nothing of the agent uses them. */
const WORKSHOP = /^agent\/models\/convert\//;
const BANNED: readonly (readonly [RegExp, string, RegExp])[] = [
  [/\bDate\.now\(/, "the Clock passed in", /^agent\/base\//],
  [/\bMath\.random\(/, "the Prng passed in", /^agent\/base\//],
  [/\bconsole\./, "the Log passed in", /^agent\/(base|cli)\/|^agent\/main\.ts$/],
  [/\bprocess\.env\b/, "an option", /^agent\/(base|cli)\/|^agent\/main\.ts$|^config\//],
  [/[\w)\]]: any\b(?! )|<any>|\bas any\b/, "unknown", /^agent\/units\//],
  [/\bTODO\b/, "an issue", /^$/],
  [/export default/, "a named export", /^$/],
];

const files = ["agent", "config"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !GENERATED.test(join(folder, name)))
    .map((name) => join(folder, name)),
);

/** Relative imports of a file; `running` leaves out those of types alone, which never run. */
const importsOf = (file: string, text: string, running = false): string[] =>
  [...text.matchAll(/(import|export) (type )?[^;]*?from "(\.[^"]+)"/g)]
    .filter(([, , type]) => !running || type === undefined)
    .map(([, , , to]) => normalize(join(dirname(file), to as string)).replace(/\.js$/, ".ts"));

test("sizes, banned calls and layers", () => {
  const faults: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const lines = text.split("\n");
    if (lines.length > LIMIT.lines) faults.push(`${file}: ${lines.length} lines`);
    lines.forEach((line, index) => {
      if (line.length > LIMIT.columns) faults.push(`${file}:${index + 1}: ${line.length} columns`);
      for (const [banned, instead, allowed] of BANNED) {
        if (banned.test(line) && !allowed.test(file)) {
          faults.push(`${file}:${index + 1}: ${banned.source} is banned, use ${instead}`);
        }
      }
    });
    const layer = WORKSHOP.test(file)
      ? undefined
      : Object.keys(LAYERS).find((folder) => file.startsWith(`${folder}/`));
    for (const to of importsOf(file, text)) {
      const allowed = layer === undefined ? null : [...(LAYERS[layer] ?? []), layer];
      if (!WORKSHOP.test(file) && WORKSHOP.test(to)) faults.push(`${file}: imports ${to}`);
      if (allowed !== null && !allowed.some((folder) => to.startsWith(`${folder}/`))) {
        faults.push(`${file}: may not import ${to}`);
      }
    }
  }
  expect(files.length).toBeGreaterThan(20);
  expect(faults).toEqual([]);
});

test("no import cycle", () => {
  const graph = new Map(
    files.map((file) => [file, importsOf(file, readFileSync(join(ROOT, file), "utf8"), true)]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const to of graph.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  expect(cycles).toEqual([]);
});
