//! Bounds the nesting of a YAML text before it is parsed: a million brackets exhaust the stack
//! inside the parser and end the process, which no handler can catch.
import { CST, Lexer } from "yaml";

export const NESTING_MAX = 64;
const INDENT_CHARS_MAX = 256;

/** The offset at which a text nests deeper than allowed; null where it does not. */
export function tooDeepAt(text: string): number | null {
  let offset = 0;
  let brackets = 0;
  let inLine = 0;
  let startsLine = true;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    // Marks of the lexer itself, which no text holds.
    if (type === "doc-mode" || type === "flow-error-end" || type === "scalar") continue;
    if (type === "flow-map-start" || type === "flow-seq-start") brackets += 1;
    else if (type === "flow-map-end" || type === "flow-seq-end") {
      brackets = Math.max(0, brackets - 1);
    } else if (type === "newline") inLine = 0;
    else if (brackets === 0 && /^(seq-item|explicit-key|map-value)-ind$/.test(type ?? "")) {
      inLine += 1;
    }
    const indented = type === "space" && startsLine && token.length > INDENT_CHARS_MAX;
    if (brackets > NESTING_MAX || inLine > NESTING_MAX || indented) return offset;
    startsLine = type === "newline";
    offset += token.length;
  }
  return null;
}
