//! The TypeScript sources that bench/units.ts lets the compiler check: expressions over units.

const HEAD = `import { abs, add, div, max, mul, type Qty, ratio, scale, sqrt, square, sub, unit } from`;
const UNITS = {
  m: "m",
  s: "s",
  kg: "kg",
  N: "N",
  W: "W",
  Pa: "kPa",
  K: "K",
  V: "V",
  A: "A",
  omega: "r/min",
  torque: "N.m/rad",
  flow: "m^3/h",
  price: "EUR/kWh",
  rms: "mm/s{rms}",
} as const;

/** What a monitor computes, over and over: sums, products, roots, comparisons, declared results. */
const MIXED: readonly string[] = [
  "add(m(#), m(2))",
  "sub(kg(#), kg(2))",
  "mul(N(#), m(2))",
  "div(m(#), s(2))",
  "mul(kg(#), div(m(1), square(s(1))))",
  "scale(mul(kg(#), square(div(m(1), s(1)))), 0.5)",
  "mul(torque(#), omega(1500))",
  "mul(V(#), A(2))",
  "div(W(#), V(230))",
  "ratio(W(#), W(2))",
  "sqrt(div(N(#), kg(1)))",
  "max(rms(#), rms(2))",
  "mul(Pa(#), flow(2))",
  "mul(mul(W(#), s(3600)), price(0.12))",
  "abs(sub(K(#), K(300)))",
  "rms(#) > rms(4.5)",
];

/** The imports and the units alone: what every figure is taken against. */
export function nothing(library: string): string {
  const units = Object.entries(UNITS).map(([name, text]) => `const ${name} = unit("${text}");`);
  const uses = Object.keys(UNITS).join(", ");
  return `${HEAD} "${library}";\n${units.join("\n")}\nexport const all = [${uses}];
export const tools = [abs, add, div, max, mul, ratio, scale, sqrt, square, sub];
export type Force = Qty<"N">;\n`;
}

export function mixed(library: string, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const expression = (MIXED[i % MIXED.length] as string).replace("#", String(i));
    return `export const x${i} = ${expression};`;
  });
  return nothing(library) + lines.join("\n");
}

/** Products of which no two have the same operands: nothing is found in the compiler's cache. */
export function distinct(library: string, count: number): string {
  const spelt = (name: string, power: number): string =>
    power === 0 ? "" : power > 0 ? `.${name}${power}` : `/${name}${-power}`;
  const lines = Array.from({ length: count }, (_, i) => {
    const left = `1${spelt("m", (i % 8) + 1)}${spelt("s", (Math.floor(i / 8) % 8) - 8)}`;
    const right = `1${spelt("kg", (Math.floor(i / 64) % 8) + 1)}${spelt("A", Math.floor(i / 512) - 4)}`;
    return `export const y${i} = mul({} as Qty<"${left}">, {} as Qty<"${right}">);`;
  });
  return nothing(library) + lines.join("\n");
}
