//! Units of the wire against tables of others: QUDT, Recommendation 20, the dialects of MAVLink.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseMavlinkUnit } from "../../agent/units/mavlink.js";
import { isUnitFault, parseUnit, type Unit } from "../../agent/units/parse.js";
import { boundCodes, refusedCodes, uneceUnit } from "../../agent/units/unece.js";

const SHARED = join(import.meta.dirname, "../../../shared/data/units_wire");
const shared = existsSync(SHARED);
if (!shared) process.stdout.write("skipped: ../shared/data/units_wire is absent\n");

function unit(text: string): Unit {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(`${text}: ${parsed.fault}`);
  return parsed;
}

/** Where QUDT differs by more than 1e-6, and why ours stands. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  A21: "QUDT binds the pound-force; UNECE says pound, 4186.8 J/(kg.K)",
  FIT: "QUDT has no factor; UNECE 2.77778e-13 /s",
  H11: "QUDT takes another month; UNECE's (MON) has 2629800 s",
  H71: "as H11",
  M88: "as H11",
  H92: "QUDT repeats H91; UNECE 1e-7",
  J75: "QUDT rounds 4.19002 J to 4.19",
  K51: "as J75",
  L84: "QUDT repeats the US ton; UNECE 1.1893 m3",
  N13: "UNECE 1333.22 Pa; QUDT takes 1333.224",
  N14: "UNECE 98.0638 Pa at 4 degC; QUDT the conventional 98.0665",
  N15: "UNECE 2988.98 Pa at 39.2 degF; QUDT the conventional 2989.067",
  P27: "QUDT rounds to five digits",
  P35: "QUDT 0.92; UNECE 0.903 cd",
  P36: "QUDT repeats P35; UNECE 1.019 cd",
  P91: "QUDT has no factor",
  P92: "QUDT has no factor",
  R1: "QUDT takes the computer's pica; UNECE 4.217518e-3 m",
};

type Entry = { unece: string[]; mul: string; dv: string };

const BASES: Readonly<Record<string, string>> = {
  A: "mol",
  E: "A",
  I: "cd",
  L: "m",
  M: "kg",
  H: "K",
  T: "s",
};

/** QUDT's dimension vector (`A0E0L1I0M0H0T-2D0`), with the rad and bit that only we count. */
function dimensionOf(vector: string, ours: string): string {
  const parts = [...vector.matchAll(/([AEILMHT])(-?\d+)(?:dot(5))?/g)].flatMap(
    ([, base, n, half]) => {
      const power = half === undefined ? Number(n) : Number(`${n}.5`);
      if (power === 0) return [];
      return [`${BASES[base ?? ""]}^${Number.isInteger(power) ? power : `(${2 * power}/2)`}`];
    },
  );
  const more = [...ours.matchAll(/([./]|^)((?:rad|bit)\d*)/g)].map(([, sign, unit]) =>
    sign === "/" ? `/${unit}` : `.${unit}`,
  );
  return unit((parts.join(".") || "1") + more.join("")).dim;
}

test.skipIf(!shared)("factors agree with QUDT within 1e-6, but for the exceptions", () => {
  const table: Entry[] = JSON.parse(readFileSync(join(SHARED, "qudt_unece_ucum.json"), "utf8"));
  const entries = new Map<string, Entry[]>();
  for (const entry of table) {
    for (const code of entry.unece) entries.set(code, [...(entries.get(code) ?? []), entry]);
  }
  const refused = new Set(refusedCodes());
  const unknown = [...entries.keys()].filter((c) => uneceUnit(c) === null && !refused.has(c));
  const off = [...entries].flatMap(([code, listed]) => {
    const found = uneceUnit(code);
    if (found === null || typeof found === "string") return [];
    const near = listed.some((e) => Math.abs(Number(e.mul) / found.factor - 1) <= 1e-6);
    return near ? [] : [code];
  });
  expect(off.sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  expect(unknown).toEqual(["208", "H86"]); // in QUDT, not in Rec 20
});

test.skipIf(!shared)("dimensions agree with QUDT's, but for the exceptions", () => {
  const table: Entry[] = JSON.parse(readFileSync(join(SHARED, "qudt_unece_ucum.json"), "utf8"));
  const codes = new Map<string, string[]>();
  for (const { unece: listed, dv } of table) {
    for (const code of listed) codes.set(code, [...(codes.get(code) ?? []), dv]);
  }
  const checked = [...codes].filter(([code]) => boundCodes().includes(code));
  const off = checked.filter(([code, vectors]) => {
    const found = uneceUnit(code);
    if (found === null || typeof found === "string") return false;
    return !vectors.some((vector) => dimensionOf(vector, found.dim) === found.dim);
  });
  expect(checked.length).toBeGreaterThanOrEqual(1374);
  // The three of baud count events a second, QUDT nothing; A21 is the pound-force again.
  expect(off.map(([code]) => code).sort()).toEqual(["A21", "J38", "J54", "K50"]);
});

test.skipIf(!shared)("no code of Recommendation 20 is left out", () => {
  const rows = readFileSync(join(SHARED, "unece_rec20_units.csv"), "utf8").split("\n").slice(1);
  const codes = rows.flatMap((row) => /^[^,]?,([A-Z0-9]{2,3}),/.exec(row)?.[1] ?? []);
  expect(codes.length).toBeGreaterThan(2000);
  expect(codes.filter((code) => uneceUnit(code) === null)).toEqual([]);
});

test.skipIf(!shared)("every units attribute of the MAVLink dialects is read or refused", () => {
  const found = new Set<string>();
  for (const name of ["common", "ardupilotmega", "minimal", "standard"]) {
    const xml = gunzipSync(readFileSync(join(SHARED, `mavlink_${name}.xml.gz`))).toString();
    for (const [, text = ""] of xml.matchAll(/units="([^"]*)"/g)) found.add(text);
  }
  expect(found.size).toBeGreaterThan(50);
  const not = [...found].filter((text) => isUnitFault(parseMavlinkUnit(text))).sort();
  expect(not).toEqual(["dB", "dBm", "dpix", "pix"]);
});
