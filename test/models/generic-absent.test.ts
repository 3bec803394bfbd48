//! A channel that is not there while a generic machine learns is named, with how much of it is missing.
import { expect, test } from "vitest";
import { type Change, COLUMNS, pump, USE } from "./generic-pump.js";
import { GenericRig } from "./generic-rig.js";

const [LOAD, SOUND] = ["load", "sound"].map((own) =>
  COLUMNS.findIndex(({ name }) => name === own),
) as [number, number];

/** What a week teaches under this change: why nothing, or which channels were not learnt. */
function taught(change: Change): readonly string[] {
  const rig = new GenericRig(COLUMNS, USE, { want: { amount: 6, by: "hand" } });
  pump(rig, 0, 6.2, change, 600_000);
  const outcome = rig.fitted.stage.finish("test", null);
  if (outcome === null) throw new Error("no monitor");
  return "refused" in outcome ? outcome.refused : (outcome.provenance?.notLearnt ?? []);
}

const without =
  (channel: number, from_day = 0): Change =>
  (row, day) => {
    if (day >= from_day) row[channel] = Number.NaN;
  };

test("a reading that never came, came too seldom, or stood still", () => {
  expect(taught(without(SOUND))).toEqual(["sound: no reading of it came"]);
  expect(taught(without(SOUND, 3))).toEqual(["sound: missing in 432 of 864 slices"]);
  const still: Change = (row) => {
    row[SOUND] = 7;
  };
  expect(taught(still)).toEqual(["sound: it stood still"]);
});

test("a setting without which there is no operating regime", () => {
  const [why] = taught(without(LOAD));
  expect(why).toMatch(
    /^no operating regime was seen in \d+ slices or more; missing: load in (\d+) of \1$/,
  );
});

test("channels that are never there together", () => {
  // By turns, each in three of four slices: known well enough, and never all at once.
  const [why] = taught((row, day) => {
    row[1 + (Math.floor(day * 144 + 0.5) % 4)] = Number.NaN;
  });
  expect(why).toMatch(
    /^only 0 slices have all channels .*; missing: (\w+ in 21[4-9] of 864(, )?){4}$/,
  );
});
