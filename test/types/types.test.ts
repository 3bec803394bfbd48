import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { unit } from "../../agent/units/index.js";
import { combineDimensions, isUnitFault, parseUnit } from "../../agent/units/parse.js";
import * as examples from "../../docs/examples/units.js";

const ROOT = join(import.meta.dirname, "../..");
/** Inside the tree, so that the generated files find the product and its compiler options. */
const FOLDER = mkdtempSync(join(ROOT, "test/types/generated-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

function tsc(compiler: string, project: string): string {
  const bin = join(ROOT, "node_modules", compiler, "bin/tsc");
  const run = spawnSync(process.execPath, [bin, "-p", project, "--pretty", "false"], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error !== undefined) throw run.error;
  return run.stdout + run.stderr;
}

function project(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(FOLDER, name), text);
  const config = join(FOLDER, "tsconfig.json");
  const compilerOptions = { rootDir: ROOT, noUnusedLocals: false };
  const include = Object.keys(files);
  writeFileSync(
    config,
    JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include }),
  );
  return config;
}

test.each(["typescript", "typescript-6.0", "typescript-5.9"])(
  "%s accepts what is right and refuses what is wrong",
  (compiler) => {
    expect(tsc(compiler, join(ROOT, "test/types/tsconfig.json"))).toBe("");
  },
  120_000,
);

test("the examples of the docs compute what they say", () => {
  expect(unit("EUR").of(examples.inEuro)).toBeCloseTo(92, 12);
  expect(unit("BTC").of(examples.inBitcoin)).toBeCloseTo(0.002, 12);
  expect(unit("K").of(examples.warming)).toBeCloseTo(45, 12);
  expect(examples.carnot).toBeCloseTo(1 - 298.15 / 1473.15, 12);
  expect(unit("uV").of(examples.amplitude)).toBeCloseTo(1.5, 12);
  expect(Array.from(examples.pressures, (each) => unit("Pa").of(each))).toEqual([101300, 100900]);
  expect(unit("pallet/h").of(examples.pace)).toBeCloseTo(90, 12);
  expect(unit("J").of(examples.kinetic)).toBe(18);
  const cost = examples.costOf(unit("MW")(2), unit("h")(3));
  expect(unit("EUR").of(cost)).toBeCloseTo(480, 9);
});

const NAMES = "m s kg g mm km K Cel mCel Pa kPa bar N kN J W MW V mV A Hz kHz rad deg rpm r L mL"
  .concat(" kWh Ah degC [degF] psi [psi] [g] % ppm m[H2O] mm[H2O] [in_i'H2O] ' '' min h d")
  .concat(
    " By KiBy Mibit dam daN EUR BTC lm sr mol cd Ohm 1 2 10 100 10*3 10^-3 10*+2 {rms} kn ft in Nm kNm Np",
  )
  .concat(" mtr k da 0 1e5 0x1 __proto__ constructor toString kEUR mmin hh [kn_i]2 pallet")
  .split(" ");
const EXPONENTS = ["", "", "", "", "2", "3", "-1", "^2", "^-2", "+2", "^+3", "^(1/2)", "^(-3/2)"]
  .concat(["^(2)", "5", "8", "-8", "9", "0", "^(1/3)", "^(2/2)", "^(15/2)", "^(17/2)", "22", "^"])
  .concat(["^()", "--1", "^2-1"]);
const TAILS = ["", "", "", "", "", "", "", "{rms}", "{g}", "{}", "{a b}", "{x", "x", " ", ")"];

/** Mostly units, with everything that goes wrong now and then. */
const units = fc.letrec<{ product: string; factor: string; atom: string }>((tie) => ({
  atom: fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...EXPONENTS))
    .map(([name, exponent]) => name + exponent),
  factor: fc.oneof(
    { weight: 8, arbitrary: tie("atom") },
    { weight: 2, arbitrary: tie("product").map((text) => `(${text})`) },
    { weight: 1, arbitrary: fc.constantFrom("", "(m", "m)", "(", ")", "((((m))))", "(((((m)))))") },
  ),
  product: fc
    .tuple(
      fc.constantFrom("", "", "", "", "/"),
      fc.array(fc.tuple(fc.constantFrom(".", ".", "/", "/", "*", ".."), tie("factor")), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom(...TAILS),
    )
    .map(([lead, parts, tail]) => {
      const body = parts.map(([op, factor], i) => (i === 0 ? factor : op + factor)).join("");
      return lead + body + tail;
    }),
}));
/** Half of the strings are short and hold no accident, so that most of what counts is accepted. */
const tidy = fc
  .array(
    fc.tuple(
      fc.constantFrom(".", "/"),
      fc.constantFrom(...NAMES.slice(0, 72)),
      fc.constantFrom(...EXPONENTS.slice(0, 14)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.map(([op, n, e], i) => (i === 0 ? n + e : op + n + e)).join(""));

test("the types read 10,000 strings as the agent does", () => {
  const found = new Set<string>();
  for (let seed = 1; found.size < 10_000; seed++) {
    for (const text of fc.sample(fc.oneof(units.product, tidy), { numRuns: 5_000, seed })) {
      if (text.length <= 128 && found.size < 10_000) found.add(text);
    }
  }
  let accepted = 0;
  const dims = new Set<string>();
  const lines = [...found].map((text, i) => {
    const unit = parseUnit(text);
    const quoted = JSON.stringify(text);
    if (isUnitFault(unit)) return `export const f${i}: Refused<${quoted}> = true;`;
    accepted += 1;
    dims.add(unit.dim);
    const dim = unit.kind === "" ? unit.dim : `${unit.dim}{${unit.kind}}`;
    return `export const u${i}: Dim<${quoted}> = ${JSON.stringify(dim)};`;
  });
  expect(accepted).toBeGreaterThan(3_000);
  expect(found.size - accepted).toBeGreaterThan(3_000);
  // Products and quotients of what was found, those that overflow included.
  const all = [...dims];
  let overflows = 0;
  all.forEach((a, i) => {
    const b = all[(i * 7 + 3) % all.length] ?? a;
    for (const [type, sign] of [
      ["MulDim", 1],
      ["DivDim", -1],
    ] as const) {
      const dim = combineDimensions(a, b, sign);
      if (dim === null) overflows += 1;
      const expected = dim ?? "error: an exponent leaves the range -8 to 8";
      lines.push(
        `export const ${type}${i}: ${type}<"${a}", "${b}"> = ${JSON.stringify(expected)};`,
      );
    }
  });
  expect(all.length).toBeGreaterThan(1_000);
  expect(overflows).toBeGreaterThan(10);
  const head = [
    'import "../../../docs/examples/register.js";', // here and in the agent "pallet" is a base
    'import type { Dim, DivDim, MulDim } from "../../../agent/units/dimension.js";',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template literal type
    "type Refused<S extends string> = Dim<S> extends `error: ${string}` ? true : false;",
  ];
  expect(tsc("typescript", project({ "strings.ts": [...head, ...lines].join("\n") }))).toBe("");
}, 300_000);

const MISTAKES = [
  'add(unit("m")(1), unit("s")(1));',
  'unit("mtr/s");',
  'unit("m^(1/3)");',
  'unit("m8.m");',
  'export const force: Qty<"N"> = unit("kPa")(3);',
  'export const warming: Qty<"K"> = unit("Cel").point(20);',
  'export const wrong = unit("m/s2")(9.8) > unit("Pa")(1);',
  'add(unit("mm/s{rms}")(1), unit("mm/s{peak}")(1));',
  'export const energy: Qty<"J"> = mul(unit("N")(1), unit("m/s")(1));',
  'unit("W/(m2.K");',
  'unit("(m/s)2");',
  'unit("((((((m))))))");',
  'unit("m)");',
  'unit("m{rms}{peak}");',
  'unit("m{}");',
  'unit("10*123");',
  'unit("");',
  'unit("5x");',
  'export const beyond: Qty<"m"> = mul(unit("m8")(1), unit("m")(1));',
  'export const money: Qty<"EUR"> = unit("USD")(1);',
  'export const sum = unit("m")(1) + unit("m")(1);',
  'export const raw: Qty<"m"> = 3;',
  'shift(unit("Cel").point(20), unit("m")(1));',
  'span(unit("m{AMSL}").point(1), unit("m{AGL}").point(1));',
  'export const column: Col<"K"> = unit("Pa").column(new Float64Array(1));',
  "thrust.infer(speed);",
  'export const lift: Qty<"W"> = thrust.infer(unit("m/s^2")(1));',
];

test.each(["typescript", "typescript-6.0", "typescript-5.9"])(
  "what %s says of a mistake fits in three lines and names the units",
  (compiler) => {
    const head = [
      "import { add, type Col, mul, type Qty, shift, span, type TernaryModel, unit }",
      '  from "../../../agent/units/index.js";',
      'declare const thrust: TernaryModel<"m/s^2", "N">; declare const speed: Qty<"m/s">;',
    ];
    const said = tsc(compiler, project({ "mistakes.ts": [...head, ...MISTAKES].join("\n") }));
    const texts = said
      .replaceAll(ROOT, ".")
      .trimEnd()
      .split(/\n(?=\S)/)
      .map((text) => text.replace(/^.*?\((\d+),\d+\): /, "$1: "));
    for (const text of texts) {
      // Before TypeScript 7 the members of two columns are compared before their dimensions.
      const long = compiler !== "typescript" && text.includes("Type 'Column<");
      expect(text.split("\n").length).toBeLessThanOrEqual(long ? 7 : 3);
    }
    expect(texts.length).toBe(MISTAKES.length);
    expect(texts.join("\n")).toMatchSnapshot();
  },
  300_000,
);
