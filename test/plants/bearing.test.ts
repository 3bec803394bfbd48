import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { BEARING_RIG, frictionTorque } from "../../agent/base/bearing-rig.js";
import { createBearing } from "../../agent/sensors/plants/bearing.js";
import { injectAll, type Run, run } from "./run.js";

const rig = (seed: number, ...faults: string[]): Run =>
  run(injectAll(createBearing({ asset: "BR01", seed }), faults));

test("the first 1000 rows of seed 1 are what they were", () => {
  const hash = createHash("sha256");
  const first = rig(1);
  first.advance(200);
  for (const [name, t_ms, value] of first.rows.slice(0, 1000)) {
    hash.update(`${name} ${t_ms} ${value.toPrecision(9)}\n`);
  }
  const block = first.blocks[0];
  hash.update(new Uint8Array(block?.values.buffer ?? new ArrayBuffer(0)));
  expect(hash.digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"834a0f055a6b1d50"`);
});

test("one seed, one history, however it is advanced", () => {
  const [a, b, c] = [rig(1), rig(1), rig(2)];
  a.advance(130);
  for (let s = 1; s <= 130; s++) b.advance(s);
  c.advance(130);
  expect(b.rows).toEqual(a.rows);
  expect(b.blocks).toEqual(a.blocks);
  expect(c.rows).not.toEqual(a.rows);
});

test("heat and cooling balance: friction power over conductance", () => {
  const plant = rig(1);
  plant.advance(3600);
  const rise_K = plant.mean("bearingTemp", 600) - plant.mean("ambientTemp", 600);
  const heat_W =
    frictionTorque(plant.mean("load", 600), plant.mean("shaftSpeed", 600)) *
    plant.mean("shaftSpeed", 600);
  expect(Math.abs(rise_K - heat_W / BEARING_RIG.conductance_WpK)).toBeLessThan(1);
  expect(heat_W).toBeLessThan(BEARING_RIG.heatMax_W);
});

test.each([
  ["lubrication", "torque", 2.2],
  ["outer_race", "torque", 1.5],
])("%s multiplies %s by %d", (fault, channel, times) => {
  const [good, bad] = [rig(1), rig(1, `${fault}@10s`)];
  good.advance(60);
  bad.advance(60);
  expect(bad.mean(channel, 20) / good.mean(channel, 20)).toBeCloseTo(times, 1);
});

test("damage rings in the blocks, a loose cable silences them, a rig at rest stands", () => {
  const peak = (plant: Run): number =>
    plant.blocks.at(-1)?.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) ?? 0;
  const runs = [rig(1), rig(1, "inner_race@10s"), rig(1, "accel_loose@10s"), rig(1, "rest@10s")];
  for (const each of runs) each.advance(240);
  const [good, bad, loose, rest] = runs as [Run, Run, Run, Run];
  expect(peak(bad)).toBeGreaterThan(peak(good) + 4);
  expect(peak(loose)).toBeLessThan(0.05 * peak(good));
  expect(rest.last("shaftSpeed")).toBeLessThan(0.5);
});
