//! A part that is colder than foretold counts half, one that is warmer counts whole.
import { expect, test } from "vitest";
import { COLUMNS, fresh, learnt, pump, USE } from "./generic-pump.js";
import { GenericRig } from "./generic-rig.js";

const AS_HEAT = COLUMNS.map((one) => (one.name === "sound" ? { ...one, unit: "K" } : one));
const learner = new GenericRig(AS_HEAT, USE, { want: { amount: 6, by: "hand" } });
pump(learner, 0, 6.2);
const baseline = learnt(learner);

/** Three days with the last channel off by so much from the second on. */
const off = (rig: GenericRig, by: number): string[] =>
  pump(rig, 10, 3, (row, day) => {
    if (day > 11) row[4] = (row[4] ?? 0) + by;
  });
const heat = (): GenericRig => new GenericRig(AS_HEAT, USE, { baseline });

const probe = heat();
off(probe, 1);
/** What one spread is, as the monitor itself says. */
const SPREAD = 1 / probe.get("sound.deviation");

test("six spreads warmer is an alarm, six colder is none, twelve colder is one", () => {
  expect(off(heat(), 6 * SPREAD)).not.toEqual([]);
  expect(off(heat(), -6 * SPREAD)).toEqual([]);
  expect(off(heat(), -12 * SPREAD)).not.toEqual([]);
});

test("what is no temperature counts whole either way", () => {
  expect(off(fresh(), 6 * SPREAD)).not.toEqual([]);
  expect(off(fresh(), -6 * SPREAD)).not.toEqual([]);
});
