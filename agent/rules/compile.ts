//! Typed tree to closures over the SI frame of an asset. No eval. NaN in the frame means "not
//! known", and logic over it is Kleene's: a known breach decides whatever else is missing.
import type { Arithmetic, Comparison } from "./check.js";
import { type Node, parseRule, type TextFault, type Windowed } from "./parse.js";
import type { Condition, Rule, RuleFault, RuleRow, Shown, Signal, Verdict } from "./rule.js";
import { Window } from "./window.js";

// Those of rule.ts again: an imported constant is looked up at each call, which made a compiled
// rule 1.4 times as slow as the same by hand; a constant of this file is part of the code.
const TRUE = 1 satisfies Verdict;
const FALSE = 0 satisfies Verdict;
const UNKNOWN = -1 satisfies Verdict;

type Numeric = (frame: Float64Array) => number;
type Judge = (frame: Float64Array) => Verdict;

export type Compiled = {
  readonly rules: readonly Rule[];
  readonly faults: readonly { readonly row: number; readonly fault: RuleFault }[];
};

/** Compiles the rows of one asset; a row with a fault is left out and reported. */
export function compileRules(
  rows: readonly RuleRow[],
  asset: string,
  signals: ReadonlyMap<string, Signal>,
): Compiled {
  const rules: Rule[] = [];
  const faults: { row: number; fault: RuleFault }[] = [];
  rows.forEach((row, index) => {
    const on = compileCondition(row.when, signals);
    const off = row.clear === null ? null : compileCondition(row.clear, signals);
    if ("fault" in on) faults.push({ row: index, fault: { ...on, field: "when" } });
    if (off !== null && "fault" in off) {
      faults.push({ row: index, fault: { ...off, field: "clear" } });
    }
    if ("fault" in on || (off !== null && "fault" in off)) return;
    rules.push({ ...row, asset, on, off });
  });
  return { rules, faults };
}

/** One condition over the signals of an asset, or the fault of its text. */
export function compileCondition(
  text: string,
  signals: ReadonlyMap<string, Signal>,
): Condition | TextFault {
  const node = parseRule(text, signals);
  if ("fault" in node) return node;
  const reads = new Set<number>();
  const feeds: Feed[] = [];
  const judge = judgeOf(node, feeds);
  collect(node, reads);
  return {
    reads: [...reads],
    timed: feeds.length > 0 || reads.size === 0,
    judge,
    // Inner windows come first in the list, so a window over a window sees fresh values.
    observe(frame, t_ms): void {
      for (const { window, of } of feeds) window.observe(of(frame), t_ms);
    },
    shown: shownOf(node, feeds),
  };
}

/** A window of this condition and what it is fed with. */
type Feed = { readonly node: Node; readonly window: Window; readonly of: Numeric };

function collect(node: Node, reads: Set<number>): void {
  if (node.op === "signal") reads.add(node.signal.index);
  else if (node.op === "call") for (const part of node.of) collect(part, reads);
  else if ("left" in node) {
    collect(node.left, reads);
    collect(node.right, reads);
  } else if ("of" in node) collect(node.of, reads);
}

function judgeOf(node: Node, feeds: Feed[]): Judge {
  switch (node.op) {
    case "truth": {
      const verdict = node.value ? TRUE : FALSE;
      return () => verdict;
    }
    case "not": {
      const of = judgeOf(node.of, feeds);
      return (frame) => {
        const verdict = of(frame);
        return verdict === UNKNOWN ? UNKNOWN : verdict === TRUE ? FALSE : TRUE;
      };
    }
    case "&&":
      return join(judgeOf(node.left, feeds), judgeOf(node.right, feeds), FALSE, TRUE);
    case "||":
      return join(judgeOf(node.left, feeds), judgeOf(node.right, feeds), TRUE, FALSE);
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "==":
    case "!=":
      return compare(node.op, node.left, node.right, feeds);
    case "held":
      return held(node, feeds);
    default:
      return () => UNKNOWN; // the parser lets no other node be a condition
  }
}

/** Kleene: `decides` wins over everything, else the unknown wins over `else_`. */
function join(left: Judge, right: Judge, decides: Verdict, else_: Verdict): Judge {
  return (frame) => {
    const a = left(frame);
    if (a === decides) return decides;
    const b = right(frame);
    if (b === decides) return decides;
    return a === UNKNOWN || b === UNKNOWN ? UNKNOWN : else_;
  };
}

function compare(op: Comparison, left: Node, right: Node, feeds: Feed[]): Judge {
  if (left.op === "signal" && right.op === "literal") {
    return against(op, left.signal.index, right.value);
  }
  const holds = COMPARE[op];
  const l = numeric(left, feeds);
  const r = numeric(right, feeds);
  return (frame) => {
    const a = l(frame);
    const b = r(frame);
    if (Number.isNaN(a) || Number.isNaN(b)) return UNKNOWN;
    return holds(a, b) ? TRUE : FALSE;
  };
}

/** True once the condition was true for the whole window; false as soon as it is false. */
function held(node: Extract<Node, { op: "held" }>, feeds: Feed[]): Judge {
  const judge = judgeOf(node.of, feeds);
  const window = new Window(node.span_ms);
  const of = (frame: Float64Array): number => {
    const verdict = judge(frame);
    return verdict === UNKNOWN ? Number.NaN : verdict;
  };
  feeds.push({ node, window, of });
  return (frame) => {
    const verdict = judge(frame);
    if (verdict !== TRUE) return verdict;
    const least = window.min();
    return Number.isNaN(least) ? UNKNOWN : least === 1 ? TRUE : FALSE;
  };
}

/** The common rule, `signal > literal`: one load and two comparisons, the second for NaN. */
function against(op: Comparison, i: number, c: number): Judge {
  // The casts: a frame is as long as the table of signals that gave the index.
  switch (op) {
    case "<":
      return (f) => ((f[i] as number) < c ? TRUE : (f[i] as number) >= c ? FALSE : UNKNOWN);
    case "<=":
      return (f) => ((f[i] as number) <= c ? TRUE : (f[i] as number) > c ? FALSE : UNKNOWN);
    case ">":
      return (f) => ((f[i] as number) > c ? TRUE : (f[i] as number) <= c ? FALSE : UNKNOWN);
    case ">=":
      return (f) => ((f[i] as number) >= c ? TRUE : (f[i] as number) < c ? FALSE : UNKNOWN);
    case "==":
      return (f) => (f[i] === c ? TRUE : Number.isNaN(f[i]) ? UNKNOWN : FALSE);
    case "!=":
      return (f) => (f[i] === c ? FALSE : Number.isNaN(f[i]) ? UNKNOWN : TRUE);
  }
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function numeric(node: Node, feeds: Feed[]): Numeric {
  switch (node.op) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "signal": {
      const { index } = node.signal;
      return (frame) => frame[index] as number; // within the frame by construction
    }
    case "negate": {
      const of = numeric(node.of, feeds);
      return (frame) => -of(frame);
    }
    case "call":
      return call(
        node.name,
        node.of.map((part) => numeric(part, feeds)),
      );
    case "window":
      return windowed(node, feeds);
    case "+":
    case "-":
    case "*":
    case "/":
      return arithmetic(node.op, numeric(node.left, feeds), numeric(node.right, feeds));
    default:
      return () => Number.NaN; // the parser lets no truth be a number
  }
}

function arithmetic(op: Arithmetic, a: Numeric, b: Numeric): Numeric {
  if (op === "+") return (frame) => a(frame) + b(frame);
  if (op === "-") return (frame) => a(frame) - b(frame);
  if (op === "*") return (frame) => a(frame) * b(frame);
  return (frame) => a(frame) / b(frame);
}

function call(name: "abs" | "min" | "max", of: readonly Numeric[]): Numeric {
  const [a = NOTHING, b = NOTHING] = of;
  if (name === "abs") return (frame) => Math.abs(a(frame));
  if (name === "min") return (frame) => Math.min(a(frame), b(frame));
  return (frame) => Math.max(a(frame), b(frame));
}

const NOTHING: Numeric = () => Number.NaN;

const READ: Readonly<Record<Windowed, (window: Window) => number>> = {
  avg: (window) => window.avg(),
  rms: (window) => window.rms(),
  min: (window) => window.min(),
  max: (window) => window.max(),
  rate: (window) => window.rate(),
};

/** One window a place in the text, shared by the verdict and by what the alarm shows. */
function windowed(node: Extract<Node, { op: "window" }>, feeds: Feed[]): Numeric {
  const read = READ[node.name];
  let feed = feeds.find((known) => known.node === node);
  if (feed === undefined) {
    feed = { node, of: numeric(node.of, feeds), window: new Window(node.span_ms) };
    feeds.push(feed);
  }
  const { window } = feed;
  return () => read(window);
}

/** The first comparison of the condition: what an alarm shows as its value and limit. */
function shownOf(node: Node, feeds: Feed[]): Shown | null {
  if (node.op === "&&" || node.op === "||") {
    return shownOf(node.left, feeds) ?? shownOf(node.right, feeds);
  }
  if (node.op === "not" || node.op === "held") return shownOf(node.of, feeds);
  if (!("left" in node) || !Object.hasOwn(COMPARE, node.op)) return null;
  // `80 Cel < oilTemp` shows the oil temperature as the value too.
  const turned = node.left.op === "literal" && node.right.op !== "literal";
  const [value, limit] = turned ? [node.right, node.left] : [node.left, node.right];
  const dim = value.type.is === "number" ? value.type.dim : "1";
  return {
    signal: value.op === "signal" ? value.signal.index : -1,
    value: numeric(value, feeds),
    limit: numeric(limit, feeds),
    unit: limit.op === "literal" ? limit.unit : dim,
  };
}
