//! The UCUM functional tests against our parser: the declared industrial subset, and what lies
//! outside it, each case with its reason. The file of the tests is not ours and is not shipped.
import { combineDimensions, isUnitFault, parseUnit, type Unit } from "../agent/units/parse.js";

/** A case is outside when its unit names one of these, and for nothing else. */
const OUTSIDE: readonly (readonly [atom: RegExp, reason: string])[] = [
  [/^\[(IU|iU|\w+'U)\]$|^[mk]?U$/, "units of biological activity: no quantity of SI"],
  [/^[mu]?eq$|^m?osm$|^\[drp\]$/, "equivalents, osmoles and drops of the hospital"],
  [/^\[[HL]PF\]$/, "fields of a microscope"],
  [/^REM$/, "the rem, superseded by Sv"],
  [/^\[(cup_us|tbs_us|tsp_us|foz_br|pt_br|qt_br)\]$/, "measures of the kitchen and the pub"],
  [/^\[(mi_us|in_us|syd_i)\]$/, "surveyors' lengths and the square yard"],
  [/^dB$/, "levels: not linear, fromDecibel() converts them at the boundary"],
  [/^\[(mu_0|ly)\]$/, "constants: they stand in agent/units/constants.ts with their source"],
];
const TWO_KINDS = "two annotations in one unit: here an annotation is a kind, and a unit has one";
const NAMES = "names in words (`(meter)`): Sterna prints symbols";

export type UcumOutcome = {
  /** Cases of the declared subset, and those of them that did not pass, with what came instead. */
  readonly inside: number;
  readonly failed: readonly string[];
  /** Reason to the ids of the cases outside. */
  readonly outside: ReadonlyMap<string, readonly string[]>;
};

type Case = Readonly<Record<string, string>>;

/** Runs every case of UcumFunctionalTests.xml. */
export function ucumSubset(xml: string): UcumOutcome {
  const text = xml.replace(/<!--[\s\S]*?-->/g, "");
  const outside = new Map<string, string[]>();
  const failed: string[] = [];
  let inside = 0;
  const run = (group: string, units: readonly string[], judge: (one: Case) => string | null) => {
    for (const one of cases(text, group)) {
      const id = `${group} ${one["id"] ?? ""}`;
      const reason = reasonOf(units.map((key) => one[key] ?? ""));
      const wrong = judge(one);
      // What must be refused, and is, needs no excuse.
      if (reason === null || wrong === null) {
        inside += 1;
        if (wrong !== null) failed.push(`${id}: ${wrong}`);
      } else outside.set(reason, [...(outside.get(reason) ?? []), id]);
    }
  };
  run("validation", ["unit"], ({ unit = "", valid }) => {
    const read = !isUnitFault(parseUnit(unit));
    return read === (valid === "true") ? null : `"${unit}" is ${read ? "accepted" : "refused"}`;
  });
  run(
    "conversion",
    ["srcUnit", "dstUnit"],
    ({ value, srcUnit = "", dstUnit = "", outcome = "" }) => {
      const [from, to] = [parseUnit(srcUnit), parseUnit(dstUnit)];
      if (isUnitFault(from) || isUnitFault(to)) return `"${srcUnit}" or "${dstUnit}" is refused`;
      return converted(Number(value), from, to, outcome);
    },
  );
  for (const [group, sign] of [
    ["multiplication", 1],
    ["division", -1],
  ] as const) {
    run(group, ["u1", "u2", "uRes"], ({ v1, u1 = "", v2, u2 = "", vRes = "", uRes = "" }) => {
      const [a, b, to] = [parseUnit(u1), parseUnit(u2), parseUnit(uRes === "" ? "1" : uRes)];
      if (isUnitFault(a) || isUnitFault(b) || isUnitFault(to)) return `"${u1}", "${u2}" refused`;
      const dim = combineDimensions(a.dim, b.dim, sign);
      if (dim === null) return "the dimension overflows";
      const value = Number(v1) * Number(v2) ** sign;
      const unit = { ...a, dim, factor: a.factor * b.factor ** sign, offset: 0 };
      return converted(value, unit, to, vRes);
    });
  }
  outside.set(
    NAMES,
    cases(text, "displayNameGeneration").map((one) => `displayNameGeneration ${one["id"] ?? ""}`),
  );
  return { inside, failed, outside };
}

function converted(value: number, from: Unit, to: Unit, outcome: string): string | null {
  if (from.dim !== to.dim) return `${from.dim} is no ${to.dim}`;
  const found = (value * from.factor + from.offset - to.offset) / to.factor;
  const wanted = Number(outcome);
  const [, decimals = "", power = "0"] = /^\d*(?:\.(\d+))?(?:e(-?\d+))?$/.exec(outcome) ?? [];
  const lastDigit = 0.5 * 10 ** (Number(power) - decimals.length);
  const near = Math.abs(found - wanted) <= Math.max(lastDigit, 1e-12 * Math.abs(wanted));
  return near ? null : `${found} instead of ${outcome}`;
}

function reasonOf(units: readonly string[]): string | null {
  for (const unit of units) {
    if (/\{\w+\}\..*\{\w+\}/.test(unit)) return TWO_KINDS;
    for (const atom of unit.replace(/\{[^}]*\}/g, "").match(/\[[^\]]*\]|[A-Za-z]+/g) ?? []) {
      const found = OUTSIDE.find(([pattern]) => pattern.test(atom));
      if (found !== undefined) return found[1];
    }
  }
  return null;
}

function cases(xml: string, group: string): Case[] {
  const body = xml.split(`<${group}>`)[1]?.split(`</${group}>`)[0] ?? "";
  return [...body.matchAll(/<case\s([^>]*?)\/>/g)].map(([, attributes = ""]) =>
    Object.fromEntries(
      [...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [
        key,
        value.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
      ]),
    ),
  );
}
