//! Typed tree to closures over the SI frame of an asset. No eval. NaN in the frame means "not
//! known", and logic over it is Kleene's: a known breach decides whatever else is missing.
import { type Comparison, type Node, parseRule, type TextFault } from "./parse.js";
import {
  type Condition,
  FALSE,
  type Rule,
  type RuleFault,
  type RuleRow,
  type Shown,
  type Signal,
  TRUE,
  UNKNOWN,
  type Verdict,
} from "./rule.js";

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
  collect(node, reads);
  return { reads: [...reads], judge: judge(node), observe() {}, shown: shown(node) };
}

function collect(node: Node, reads: Set<number>): void {
  if (node.op === "signal") reads.add(node.signal.index);
  else if (node.op === "call") for (const part of node.of) collect(part, reads);
  else if ("left" in node) {
    collect(node.left, reads);
    collect(node.right, reads);
  } else if (node.op === "not" || node.op === "negate") collect(node.of, reads);
}

function judge(node: Node): Judge {
  switch (node.op) {
    case "not": {
      const of = judge(node.of);
      return (frame) => {
        const verdict = of(frame);
        return verdict === UNKNOWN ? UNKNOWN : verdict === TRUE ? FALSE : TRUE;
      };
    }
    case "&&":
      return join(judge(node.left), judge(node.right), FALSE, TRUE);
    case "||":
      return join(judge(node.left), judge(node.right), TRUE, FALSE);
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "==":
    case "!=":
      return compare(node.op, numeric(node.left), numeric(node.right));
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

function compare(op: Comparison, left: Numeric, right: Numeric): Judge {
  const holds = COMPARE[op];
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (Number.isNaN(a) || Number.isNaN(b)) return UNKNOWN;
    return holds(a, b) ? TRUE : FALSE;
  };
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function numeric(node: Node): Numeric {
  switch (node.op) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "signal": {
      const { index } = node.signal;
      return (frame) => frame[index] as number;
    }
    case "negate": {
      const of = numeric(node.of);
      return (frame) => -of(frame);
    }
    case "call":
      return call(node.name, node.of.map(numeric));
    case "+":
    case "-":
    case "*":
    case "/":
      return arithmetic(node.op, numeric(node.left), numeric(node.right));
    default:
      return () => Number.NaN;
  }
}

function arithmetic(op: "+" | "-" | "*" | "/", a: Numeric, b: Numeric): Numeric {
  if (op === "+") return (frame) => a(frame) + b(frame);
  if (op === "-") return (frame) => a(frame) - b(frame);
  if (op === "*") return (frame) => a(frame) * b(frame);
  return (frame) => a(frame) / b(frame);
}

function call(name: string, of: readonly Numeric[]): Numeric {
  const [a, b = a] = of as [Numeric, Numeric?];
  if (name === "abs") return (frame) => Math.abs(a(frame));
  if (name === "min") return (frame) => Math.min(a(frame), b(frame));
  return (frame) => Math.max(a(frame), b(frame));
}

/** The first comparison of the condition: what an alarm shows as its value and limit. */
function shown(node: Node): Shown | null {
  if (node.op === "&&" || node.op === "||") return shown(node.left) ?? shown(node.right);
  if (node.op === "not") return shown(node.of);
  if (!Object.hasOwn(COMPARE, node.op) || !("left" in node)) return null;
  const { left, right } = node;
  const unit =
    right.op === "literal" ? right.unit : left.type.is === "number" ? left.type.dim : "1";
  return {
    signal: left.op === "signal" ? left.signal.index : -1,
    value: numeric(left),
    limit: numeric(right),
    unit,
  };
}
