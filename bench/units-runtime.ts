//! What units cost the program: a kernel in quantities against plain numbers, compiled rules against
//! the same by hand, parsing and loading; beside safe-units, js-quantities and mathjs.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import Quantities from "js-quantities";
import { compile, add as mathAdd, unit as mathUnit, multiply, type Unit } from "mathjs";
import { joules, Measure, meters, newtons } from "safe-units";
import { compileCondition } from "../agent/rules/compile.js";
import type { Signal } from "../agent/rules/rule.js";
import { add, mul, parseUnit, type Qty, scale, unit } from "../agent/units/index.js";
import { median, ROOT, type Row } from "./result.js";

const LENGTH = 4_096;
const SWEEPS = 400;
/** A file of types alone: it warms Node's loader, as the files before the parser do in the agent. */
const EMPTY = join(ROOT, "dist/agent/units/dimension.js");
const PARSER = join(ROOT, "dist/agent/units/parse.js");
const MODULES = join(ROOT, "node_modules");

function seconds(work: () => void, times: number): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < times; i++) work();
  return Number(process.hrtime.bigint() - from) / 1e9;
}

/** In turns, so that both see the same machine; the first rounds warm up. Seconds of a call. */
function against(ours: () => void, theirs: () => void, [a, b] = [SWEEPS, SWEEPS]) {
  const rounds = Array.from({ length: 41 }, () => [seconds(ours, a) / a, seconds(theirs, b) / b]);
  const counted = rounds.slice(10) as [number, number][];
  return {
    value: median(counted.map(([mine]) => mine)),
    peer: median(counted.map(([, other]) => other)),
    ratio: median(counted.map(([mine, other]) => mine / other)),
  };
}

const scaled = ({ value, peer, ratio }: ReturnType<typeof against>, by: number) => ({
  value: value * by,
  peer: peer * by,
  ratio,
});

/** y = a x + b over 4,096 elements: in quantities, in numbers, in objects of the peers. */
export function kernelRows(): Row[] {
  const [newton, metre, joule] = [unit("N"), unit("m"), unit("J")];
  const x = metre.column(new Float64Array(LENGTH).map((_, i) => i / LENGTH));
  const y = joule.column(new Float64Array(LENGTH));
  const typed = (): void => {
    const [force, b]: [Qty<"N">, Qty<"J">] = [newton(3), joule(0.5)];
    for (let i = 0; i < LENGTH; i++) y[i] = add(mul(force, scale(x[i] ?? metre(0), 2)), b);
  };
  const p = new Float64Array(LENGTH).map((_, i) => i / LENGTH);
  const q = new Float64Array(LENGTH);
  const raw = (): void => {
    for (let i = 0; i < LENGTH; i++) q[i] = 3 * ((p[i] ?? 0) * 2) + 0.5;
  };
  const note = "ns an element; peer: plain numbers";
  const plain = { name: "runtime-ratio", unit: "ns", ...scaled(against(typed, raw), 1e9 / LENGTH) };
  if (q.some((value, i) => value !== Number(y[i]))) throw new Error("the kernels disagree");

  const [force, b] = [Measure.of(3, newtons), Measure.of(0.5, joules)];
  const xs = Array.from(p, (value) => Measure.of(value, meters));
  const out: unknown[] = [];
  const safe = (): void => {
    for (const [i, each] of xs.entries()) out[i] = force.times(each.scale(2)).plus(b);
  };
  const some = p.slice(0, 64);
  const [qForce, qb] = [new Quantities("3 N"), new Quantities("0.5 J")];
  const qs = Array.from(some, (value) => new Quantities(value, "m"));
  const js = (): void => {
    for (const [i, each] of qs.entries()) out[i] = qForce.mul(each.mul(2)).add(qb);
  };
  const [mForce, mb] = [mathUnit(3, "N"), mathUnit(0.5, "J")];
  const ms = Array.from(some, (value) => mathUnit(value, "m"));
  const math = (): void => {
    for (const [i, each] of ms.entries()) {
      out[i] = mathAdd(multiply(mForce, multiply(each, 2)) as Unit, mb);
    }
  };
  const beside = (name: string, work: () => void, times: number, elements: number): Row => {
    const { value, peer } = against(typed, work, [SWEEPS, times]);
    const [mine, other] = [(value * 1e9) / LENGTH, (peer * 1e9) / elements];
    return { name: `runtime ${name}`, unit: "ns", value: mine, peer: other, ratio: mine / other };
  };
  return [
    { ...plain, max: 1.05, note },
    beside("safe-units", safe, 2, LENGTH),
    beside("js-quantities", js, 2, 64),
    beside("mathjs", math, 4, 64),
  ];
}

const SIGNALS = new Map<string, Signal>(
  ["m/s2", "Pa"].map((dim, index): [string, Signal] => {
    const name = index === 0 ? "vibration" : "stress";
    return [name, { name, index, dim, kind: "", point: false }];
  }),
);
const RULE = "vibration > 9.8 m/s^2 && stress > 1 bar";
const MATH_RULE = "vibration > 9.8 m/s^2 and stress > 1 bar";

export function ruleRows(): Row[] {
  const condition = compileCondition(RULE, SIGNALS);
  if ("fault" in condition) throw new Error(condition.fault);
  // By hand, with the same answer for what is not known: NaN is no healthy value.
  const byHand = {
    judge: (frame: Float64Array): number => {
      const v = frame[0] as number;
      const s = frame[1] as number;
      return v <= 9.8 || s <= 1e5 ? 0 : v > 9.8 && s > 1e5 ? 1 : -1;
    },
  };
  const frames = Array.from({ length: LENGTH }, (_, i) => Float64Array.of(i % 20, 2e5 - i * 40));
  let found = 0;
  const ours = (): void => {
    let sum = 0;
    for (const frame of frames) sum += condition.judge(frame);
    found += sum;
  };
  const theirs = (): void => {
    let sum = 0;
    for (const frame of frames) sum += byHand.judge(frame);
    found -= sum;
  };
  ours();
  theirs();
  if (found !== 0) throw new Error("the rule and its twin by hand disagree");
  const hand = scaled(against(ours, theirs), 1e9 / LENGTH);

  const math = compile(MATH_RULE);
  const scope = { vibration: mathUnit(10, "m/s^2"), stress: mathUnit(2e5, "Pa") };
  if (math.evaluate(scope) !== true) throw new Error("mathjs does not read the rule");
  const evaluate = (): void => {
    math.evaluate(scope);
  };
  const peer = against(ours, evaluate, [SWEEPS, 500]);
  const judged = [(peer.value * 1e9) / LENGTH, peer.peer * 1e9] as const;
  const compiled = against(
    () => void compileCondition(RULE, SIGNALS),
    () => void compile(MATH_RULE),
    [2_000, 2_000],
  );
  return [
    { name: "rule-ratio", unit: "ns", ...hand, max: 1.25, note: "peer: a closure by hand" },
    {
      name: "rule mathjs",
      unit: "ns",
      value: judged[0],
      peer: judged[1],
      ratio: judged[0] / judged[1],
    },
    { name: "rule-compile", unit: "us", value: compiled.value * 1e6, max: 50 },
    { name: "rule-compile mathjs", unit: "us", ...scaled(compiled, 1e6) },
  ];
}

/** Reading unit strings; the parser keeps no answers, so each is read anew. */
export function parseRows(): Row[] {
  const texts = ["kg.m/s^2", "m3/h", "W/m2", "kPa", "mm/s"];
  const spelt = ["kg*m/s^2", "m^3/h", "W/m^2", "kPa", "mm/s"];
  const ours = (): void => {
    for (const text of texts) parseUnit(text);
  };
  const each = 1e6 / texts.length;
  const row = (name: string, theirs: () => void): Row => {
    return { name, unit: "us", ...scaled(against(ours, theirs, [1_000, 100]), each) };
  };
  return [
    row("parse js-quantities", () => {
      for (const text of spelt) new Quantities(1, text);
    }),
    row("parse mathjs", () => {
      for (const text of spelt) mathUnit(1, text);
    }),
  ];
}

const PEERS = [
  ["js-quantities", "js-quantities/build/quantities.mjs", "js-quantities/build/quantities.mjs"],
  // Loaded as Node does, weighed as the single minified file that it ships.
  ["mathjs", "mathjs/lib/esm/index.js", "mathjs/lib/browser/math.js"],
  ["safe-units", "safe-units/dist/src/index.js", "safe-units/dist/src/index.js"],
] as const;

export function parserRows(): Row[] {
  const load = { name: "parser-load", unit: "ms", value: load_ms(PARSER), max: 5 };
  const size = { name: "parser-size", unit: "kB", value: kilobytes(PARSER), max: 25 };
  const peers = PEERS.flatMap(([name, entry, file]): Row[] => {
    const [ms, kB] = [load_ms(join(MODULES, entry)), kilobytes(join(MODULES, file))];
    return [
      {
        ...load,
        max: Number.POSITIVE_INFINITY,
        name: `parser-load ${name}`,
        peer: ms,
        ratio: load.value / ms,
      },
      {
        ...size,
        max: Number.POSITIVE_INFINITY,
        name: `parser-size ${name}`,
        peer: kB,
        ratio: size.value / kB,
      },
    ].map(({ max: _, ...row }) => row);
  });
  return [
    { ...load, note: "import in a fresh process whose loader is warm" },
    { ...size, note: "the built file and all it imports, as shipped, not minified" },
    ...peers,
  ];
}

/** Import, median of fresh processes. */
function load_ms(file: string): number {
  const [empty, own] = [EMPTY, file].map((path) => JSON.stringify(pathToFileURL(path).href));
  const script = `await import(${empty}); const t = performance.now(); await import(${own});
const took = performance.now() - t; process.stdout.write(String(took));`;
  const runs = Array.from({ length: 15 }, () => {
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(run.stderr.slice(0, 500));
    return Number(run.stdout);
  });
  return median(runs);
}

/** A module with everything that it imports by a relative path. */
function kilobytes(entry: string): number {
  const seen = new Map<string, number>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    const text = readFileSync(file, "utf8");
    seen.set(file, Buffer.byteLength(text));
    for (const [, to = ""] of text.matchAll(/(?:from|require\()\s*"(\.[^"]+)"/g)) {
      walk(resolveModule(dirname(file), to));
    }
  };
  walk(entry);
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0) / 1000;
}

function resolveModule(folder: string, to: string): string {
  const plain = join(folder, to);
  const found = [plain, `${plain}.js`, join(plain, "index.js")].find(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true,
  );
  if (found === undefined) throw new Error(`no file for ${to} in ${folder}`);
  return found;
}
