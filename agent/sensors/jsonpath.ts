//! JSON paths of the config, compiled once. Only what telemetry needs: names, indexes and one
//! `[*]`. A library brings filters and scripts, which a config must not have, and walks a parsed
//! expression per message; this is a loop over at most a few steps.

type Steps = readonly (string | number)[];
/** `head`, then for every element of the array there `rest`; null: no `[*]` in the path. */
export type Path = { readonly head: Steps; readonly rest: Steps | null };

const STEP = /\.([^.[\]"'*\s]+)|\[(\d{1,9})\]|\["([^"]*)"\]|\['([^']*)'\]|(\[\*\])/y;

/** `$.a.b[0]["c d"]`, `$.samples[*].v`; null when the text is no such path. */
export function parsePath(text: string): Path | null {
  if (!text.startsWith("$")) return null;
  const head: (string | number)[] = [];
  let rest: (string | number)[] | null = null;
  STEP.lastIndex = 1;
  while (STEP.lastIndex < text.length) {
    const match = STEP.exec(text);
    if (match === null) return null;
    const [, name, index, double, single, each] = match;
    if (each !== undefined) {
      if (rest !== null) return null;
      rest = [];
      continue;
    }
    const step = index === undefined ? (name ?? double ?? single ?? "") : Number(index);
    (rest ?? head).push(step);
  }
  return { head, rest };
}

/** What stands at the path; undefined: nothing; null where `[*]` meets no array. */
export function pick(json: unknown, path: Path): unknown {
  const at = walk(json, path.head);
  const { rest } = path;
  if (rest === null || at === undefined) return at;
  return Array.isArray(at) ? at.map((element: unknown) => walk(element, rest)) : null;
}

function walk(json: unknown, steps: Steps): unknown {
  let at = json;
  for (const step of steps) {
    if (typeof at !== "object" || at === null) return undefined;
    if (typeof step === "number") {
      if (!Array.isArray(at)) return undefined;
      at = at[step];
    } else {
      // Own names only: `$.constructor` of a stranger's object is nothing. Nor has an array names.
      if (Array.isArray(at) || !Object.hasOwn(at, step)) return undefined;
      at = (at as Record<string, unknown>)[step]; // narrowed by hasOwn, which the compiler ignores
    }
  }
  return at;
}
