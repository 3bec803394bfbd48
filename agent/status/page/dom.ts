//! The few ways in which the page makes elements. Text is always text: names come from outside.

type Content = string | Node;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  marks: Readonly<Record<string, string>> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(marks)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** Sets a text only where it changed, so that what is selected stays so. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** At most four digits that mean something; never an exponent where a person can read without. */
export function digits(value: number | null): string {
  if (value === null) return "–"; // JSON has no NaN
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? Math.ceil(Math.log10(size)) : 4)));
}

export function age(ms: number): string {
  if (ms < 0) return "0 s";
  const s = ms / 1_000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  return s < 7_200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} h`;
}

export function clockTime(ms: number): HTMLTimeElement {
  const date = new Date(ms);
  const marks = { datetime: date.toISOString(), title: date.toISOString() };
  return make("time", marks, date.toLocaleTimeString());
}

/** UCUM as people read it. */
export function readableUnit(unit: string): string {
  const [bare = "", kind = ""] = unit.split(/[{}]/);
  const known: Readonly<Record<string, string>> = {
    "1": "",
    Cel: "°C",
    deg: "°",
    "r/min": "rpm",
    "[g]": "g",
  };
  return `${known[bare] ?? bare.replaceAll(".", "·").replace("2", "²")} ${kind}`.trim();
}
