//! YAML text to plain values with a place for every path. Bounded before it is parsed: hostile
//! nesting would exhaust the stack inside the parser, where no exception is certain.
import {
  CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLError,
} from "yaml";
import { ConfigError, type Fault } from "../agent/base/errors.js";
import type { Path, Place } from "./config.js";

export const FILE_BYTES_MAX = 1 << 20;
const NESTING_MAX = 64;
const INDENT_CHARS_MAX = 256;
/** A thousand channels may share an anchor; a billion laughs multiply. */
const ALIASES_MAX = 10_000;
/** A broken file repeats itself; the first faults are those to mend. */
const SYNTAX_FAULTS_MAX = 20;

/** One file under reading: its values, the place of each, and the faults of all files so far. */
export type Reading = {
  readonly file: string;
  readonly root: unknown;
  readonly faults: Fault[];
  where(path: Path): Place;
  /** `at` counts characters from the place of the value. Null, so that a reader can return it. */
  fault(path: Path, what: string, instead?: string, at?: number): null;
  /** The same at the key instead of the value. */
  faultAtKey(path: Path, what: string, instead?: string): null;
};

/** Throws ConfigError where the text is no YAML at all; other faults are added to `faults`. */
export function readYaml(input: string | Uint8Array, file: string, faults: Fault[]): Reading {
  const text = decode(input, file);
  const deep = tooDeep(text);
  const counter = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col: column } = counter.linePos(Math.min(offset, text.length));
    return { file, line: Math.max(1, line), column: Math.max(1, column) };
  };
  if (deep !== null) {
    counter.addNewLine(0);
    for (const match of text.slice(0, deep).matchAll(/\n/g)) counter.addNewLine(match.index + 1);
    refuse([{ ...place(deep), what: "nested too deep", instead: `at most ${NESTING_MAX} levels` }]);
  }
  // Its own check of keys is quadratic; walk is not.
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    merge: true,
    logLevel: "error",
  });
  const all = [...document.errors, ...document.warnings];
  const broken = mainErrors(all, (offset) => place(offset).line);
  if (broken.length > 0) refuse(broken.map((e) => ({ ...place(e.pos[0]), ...explain(e) })));

  const aliases: Fault[] = [];
  walk(document.contents, new Set(), {
    twice(pair, first) {
      const what = `the key ${JSON.stringify(keyOf(pair))} stands twice`;
      const instead = `the first is in line ${place(first).line}; delete one`;
      faults.push({ ...place(keyAt(pair)), what, instead });
    },
    astray(alias) {
      const instead = 'write &name before it, or put a text that starts with "*" in quotes';
      aliases.push({ ...place(startOf(alias)), what: "this alias has no anchor", instead });
    },
  });
  if (aliases.length > 0) refuse(aliases.slice(0, SYNTAX_FAULTS_MAX));
  const find = (path: Path): Found => findNode(document, path);
  const push = (at: Place, what: string, instead: string): null => {
    faults.push({ ...at, what, instead });
    return null;
  };
  return {
    file,
    root: values(document, (what) => refuse([{ ...place(0), ...what }])),
    faults,
    where: (path) => place(contentAt(find(path).node, text)),
    fault(path, what, instead = "", at = 0) {
      const found = place(contentAt(find(path).node, text));
      return push({ ...found, column: found.column + at }, what, instead);
    },
    faultAtKey: (path, what, instead = "") => {
      const { pair, node } = find(path);
      return push(place(pair === null ? contentAt(node, text) : keyAt(pair)), what, instead);
    },
  };
}

function refuse(faults: readonly Fault[]): never {
  throw new ConfigError(faults);
}

function decode(input: string | Uint8Array, file: string): string {
  const whole = { file, line: 0, column: 0 };
  if (input.length > FILE_BYTES_MAX) {
    refuse([{ ...whole, what: "is over 1 MiB", instead: "a config is much smaller" }]);
  }
  if (typeof input === "string") return input;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(input);
  } catch {
    return refuse([{ ...whole, what: "is no UTF-8 text", instead: "save it as UTF-8" }]);
  }
}

/** The offset where the text nests beyond the bound, by tokens alone: linear, no recursion. */
function tooDeep(text: string): number | null {
  let offset = 0;
  let flow = 0;
  let inLine = 0;
  let startsLine = true;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    // Marks of the lexer itself, which no text holds.
    if (type === "doc-mode" || type === "flow-error-end" || type === "scalar") continue;
    if (type === "flow-map-start" || type === "flow-seq-start") flow += 1;
    else if (type === "flow-map-end" || type === "flow-seq-end") flow = Math.max(0, flow - 1);
    else if (type === "newline") inLine = 0;
    else if (/^(seq-item|explicit-key|map-value)-ind$/.test(type ?? "") && flow === 0) inLine += 1;
    const indented = type === "space" && startsLine && token.length > INDENT_CHARS_MAX;
    if (flow > NESTING_MAX || inLine > NESTING_MAX || indented) return offset;
    startsLine = type === "newline";
    offset += token.length;
  }
  return null;
}

type Said = Pick<Fault, "what" | "instead">;
const QUOTE = 'quote a text that starts with a sign or holds ": ", ", " or brackets';
const ADVICE: Readonly<Partial<Record<YAMLError["code"], Said>>> = {
  TAB_AS_INDENT: { what: "a tab indents this line", instead: "indent with spaces" },
  MULTIPLE_DOCS: { what: "a second document starts here", instead: "write one document a file" },
  NON_STRING_KEY: { what: "this key is no text", instead: "write a plain word before the colon" },
  BLOCK_AS_IMPLICIT_KEY: {
    what: "a second colon in one line",
    instead: 'put a text that holds ": " in quotes',
  },
  BAD_SCALAR_START: {
    what: "a plain text cannot start with this character",
    instead: "put it in quotes",
  },
  TAG_RESOLVE_FAILED: { what: "there is no such tag", instead: QUOTE },
  UNEXPECTED_TOKEN: { what: "this cannot stand here", instead: QUOTE },
  MISSING_CHAR: { what: "a quote, bracket or colon is missing before this", instead: QUOTE },
  RESOURCE_EXHAUSTION: { what: "nested too deep", instead: `at most ${NESTING_MAX} levels` },
};

/** One error a line, and what follows from an earlier one only once. */
function mainErrors(errors: readonly YAMLError[], lineOf: (offset: number) => number): YAMLError[] {
  const lines = new Set<number>();
  let followed = false;
  let tabbed = false;
  const main = errors.filter(({ code, pos }) => {
    const line = lineOf(pos[0]);
    const follows = code === "UNEXPECTED_TOKEN" || code === "MISSING_CHAR";
    // What a tab indents stands at the wrong column for whatever comes after it.
    if (lines.has(line) || (follows && followed) || (tabbed && code === "BAD_INDENT")) return false;
    lines.add(line);
    tabbed ||= code === "TAB_AS_INDENT";
    followed ||= follows;
    return true;
  });
  return main.slice(0, SYNTAX_FAULTS_MAX);
}

function explain(error: YAMLError): Said {
  const known = ADVICE[error.code];
  if (known !== undefined) return known;
  return { what: error.message.split("\n")[0] ?? "no YAML", instead: "" };
}

/** The document as plain values; aliases may not multiply it (a billion laughs). */
function values(document: Document, fail: (what: Said) => never): unknown {
  try {
    const root: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    return root;
  } catch (error) {
    const said = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    const what = /alias count/.test(said) ? "aliases repeat too much of the text" : said;
    return fail({ what, instead: "write the part out where it is used" });
  }
}

type Found = { readonly node: unknown; readonly pair: Pair | null };

/** The node of a path, or the nearest one above it that the text has. */
function findNode(document: Document, path: Path): Found {
  let found: Found = { node: document.contents, pair: null };
  for (const step of path) {
    const above = isAlias(found.node) ? found.node.resolve(document) : found.node;
    if (isMap(above)) {
      // The last of two equal keys is the one whose value counts.
      const pair = above.items.findLast((item) => keyOf(item) === step);
      if (pair === undefined) return found;
      found = { node: pair.value ?? pair.key, pair };
    } else if (isSeq(above) && typeof step === "number" && step in above.items) {
      found = { node: above.items[step], pair: null };
    } else return found;
  }
  return found;
}

const keyOf = (pair: Pair): unknown => (isScalar(pair.key) ? String(pair.key.value) : null);
const keyAt = (pair: Pair): number => startOf(pair.key);
const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0);

/** The first character of what a scalar says: after its quote, or below its `|`. */
function contentAt(node: unknown, text: string): number {
  const start = startOf(node);
  if (!isScalar(node)) return start;
  if (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE") return start + 1;
  if (node.type !== "BLOCK_LITERAL" && node.type !== "BLOCK_FOLDED") return start;
  const line = text.indexOf("\n", start);
  const content = /\S/g;
  content.lastIndex = line < 0 ? start : line;
  return content.exec(text)?.index ?? start;
}

type Report = {
  twice(pair: Pair, first: number): void;
  astray(alias: unknown): void;
};

/** Keys that stand twice in one mapping, aliases without an anchor that ended before them. */
function walk(node: unknown, anchors: Set<string>, report: Report): void {
  if (isAlias(node)) {
    if (!anchors.has(node.source)) report.astray(node);
    return;
  }
  if (isSeq(node)) for (const item of node.items) walk(item, anchors, report);
  if (isMap(node)) {
    const seen = new Map<unknown, number>();
    for (const pair of node.items) {
      const key = keyOf(pair);
      const first = seen.get(key);
      if (first !== undefined && key !== "<<") report.twice(pair, first);
      else seen.set(key, keyAt(pair));
      walk(pair.value, anchors, report);
    }
  }
  if (isNode(node) && !isAlias(node) && node.anchor !== undefined) anchors.add(node.anchor);
}
