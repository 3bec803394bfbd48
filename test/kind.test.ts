//! What a config and the files that it names must agree on, and what no machine can be.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { faultsOf } from "../agent/assembly.js";
import { ConfigError, formatFault } from "../agent/base/errors.js";
import { CONFIG_KINDS } from "../agent/fitting.js";
import { parseConfig } from "../config/load.js";
import { BASELINE, COLUMNS } from "./models/generic-pump.js";

const dir = mkdtempSync(join(tmpdir(), "sterna-kind-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "c.yaml");

/** The faults of a config with these assets, their file left out. */
function faults(assets: string): string[] {
  const text = `gateway: { id: gw-1, site: s }\nassets:\n  - ${assets}\n`;
  try {
    return faultsOf(parseConfig(text, file, CONFIG_KINDS, {})).map(said);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(said);
  }
}

const said = (fault: Parameters<typeof formatFault>[0]): string =>
  formatFault(fault).replaceAll(`${file}:3:`, "").split("\n")[0] ?? "";

test.each([
  ["ballDiameter: 39.04 mm, pitchDiameter: 7.94 mm", "39.04 mm do not fit on a pitch circle"],
  ["ballDiameter: 0 mm, pitchDiameter: 7.94 mm", "do not fit"],
  ["rollers: 90, ballDiameter: 7.94 mm, pitchDiameter: 39.04 mm", "more than a circle of 39.04 mm"],
])("a bearing with %s is refused", (nameplate, words) => {
  const asset = `{ id: b1, kind: bearing, nameplate: { ${nameplate} }, channels: { accel: {} } }`;
  expect(faults(asset)).toEqual([expect.stringContaining(words)]);
});

test("the bearing of a turbine is held to the same, and a real one passes", () => {
  const bearing = (ball: string, pitch: string): string =>
    `{ id: w1, kind: wind-turbine, nameplate: { hssBearing: { rollers: 9, ballDiameter: ${ball}, pitchDiameter: ${pitch} } }, channels: { power: { unit: kW } } }`;
  expect(faults(bearing("39.04 mm", "7.94 mm"))).toHaveLength(1);
  expect(faults(bearing("7.94 mm", "39.04 mm"))).toEqual([]);
});

test("a baseline of another asset, or of another setup, is refused and says which", () => {
  const channels = COLUMNS.map(({ name, unit }) => `${name}: { unit: "${unit}" }`).join(", ");
  const asset = (id: string, more: string, own = channels): string =>
    `{ id: ${id}, baseline: pump.json, ${more}channels: { ${own} } }`;
  writeFileSync(join(dir, "pump.json"), JSON.stringify(BASELINE));
  const { asset: name } = BASELINE;
  expect(faults(asset(`${name}2`, ""))).toEqual([
    expect.stringContaining(`the baseline is of the asset ${name}; commission ${name}2, or write`),
  ]);
  expect(faults(asset(name, "settings: [load], "))).toEqual([]);
  expect(faults(asset(name, "settings: [flow], "))).toEqual([
    expect.stringMatching(
      /learnt with the settings \[.*\], the config has \[.*\]; commission anew/,
    ),
  ]);
});

test("a number without its unit is told the unit of its channel", () => {
  const asset = (when: string): string =>
    `{ id: a, channels: { front: { unit: Cel }, p: { unit: MW }, d: { unit: K } }, rules: [ { id: r, when: "${when}", severity: info } ] }`;
  expect(faults(asset("front > 50"))[0]).toContain("such as Cel");
  expect(faults(asset("5 < p"))[0]).toContain("such as MW");
  expect(faults(asset("front - 20 Cel > 5"))[0]).toContain("such as K");
  expect(faults(asset("front > 50,5 Cel"))[0]).toContain('write a decimal point, not ","');
  expect(faults(asset("max(p, 5 MW) > 5,5 MW"))[0]).toContain("decimal point");
  expect(faults(asset("max(p, 5 MW) > 5.5 MW"))).toEqual([]);
});
