import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ucumSubset } from "../../bench/ucum-subset.js";

const FILE = join(import.meta.dirname, "../../../shared/data/units_wire/UcumFunctionalTests.xml");
const there = existsSync(FILE);
if (!there) process.stdout.write("skipped: the UCUM functional tests are not there\n");

test.skipIf(!there)("all of the declared subset passes, and what is outside has a reason", () => {
  const { inside, failed, outside } = ucumSubset(readFileSync(FILE, "utf8"));
  expect(failed).toEqual([]);
  const counts = Object.fromEntries([...outside].map(([why, ids]) => [why, ids.length]));
  const total = inside + [...outside.values()].flat().length;
  expect({ total, inside, counts }).toMatchSnapshot();
  // docs/units.md says the same.
  const page = readFileSync(join(import.meta.dirname, "../../docs/units.md"), "utf8");
  expect(page).toContain(`${inside} of the ${total} cases`);
  for (const [why, ids] of outside) expect(page).toContain(`| ${ids.length} | ${why}`);
});

test("a case that fails is told", () => {
  const xml = `<validation><case id="1" unit="m" valid="false"/><case id="2" unit="U" valid="true"/>
    <!-- <case id="3" unit="zzz" valid="true"/> --></validation>
    <conversion><case id="4" value="1" srcUnit="km" dstUnit="m" outcome="999"/></conversion>
    <division><case id="5" v1="1" u1="m" v2="2" u2="s" vRes="0.5" uRes="m/s"/></division>`;
  expect(ucumSubset(xml)).toMatchObject({
    inside: 3,
    failed: ['validation 1: "m" is accepted', "conversion 4: 1000 instead of 999"],
  });
});
