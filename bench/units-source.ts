//! TypeScript programs for bench/units-compiler.ts: expressions over units, in Sterna's spelling,
//! in that of safe-units, and the same in plain numbers. Twenty lines a function, as people write.

/** Words of the expressions below to the units that take turns in them. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  length: ["m", "mm", "km", "[ft_i]", "[in_i]", "um"],
  time: ["s", "min", "h", "ms"],
  mass: ["kg", "g", "t", "[lb_av]"],
  force: ["N", "kN", "[lbf_av]"],
  power: ["W", "kW", "MW", "[HP]"],
  pressure: ["Pa", "kPa", "bar", "[psi]", "mbar"],
  kelvin: ["K", "mK"],
  volt: ["V", "kV", "mV"],
  ampere: ["A", "mA"],
  spin: ["r/min", "rad/s", "deg/s"],
  torque: ["N.m/rad", "kN.m/rad"],
  flow: ["m^3/h", "L/min", "m3/s"],
  price: ["EUR/kWh", "USD/kWh"],
  rms: ["mm/s{rms}", "um/s{rms}"],
  heat: ["J/(kg.K)", "kJ/(kg.K)"],
};

/** What a monitor computes, over and over, in both libraries. */
const COMMON: readonly (readonly [sterna: string, safe: string])[] = [
  ["add(length(#), length(2))", "Measure.of(#, meters).plus(Measure.of(2, meters))"],
  ["sub(mass(#), mass(2))", "Measure.of(#, kilograms).minus(Measure.of(2, kilograms))"],
  ["mul(force(#), length(2))", "Measure.of(#, newtons).times(Measure.of(2, meters))"],
  ["div(length(#), time(2))", "Measure.of(#, meters).over(Measure.of(2, seconds))"],
  [
    "mul(mass(#), div(length(1), square(time(1))))",
    "Measure.of(#, kilograms).times(Measure.of(1, meters).over(Measure.of(1, seconds).squared()))",
  ],
  [
    "scale(mul(mass(#), square(div(length(1), time(1)))), 0.5)",
    "Measure.of(#, kilograms).times(Measure.of(1, meters).over(Measure.of(1, seconds)).squared()).scale(0.5)",
  ],
  [
    "mul(torque(#), spin(1500))",
    "Measure.of(#, newtons.times(meters).per(radians)).times(Measure.of(1500, radians.per(seconds)))",
  ],
  ["mul(volt(#), ampere(2))", "Measure.of(#, volts).times(Measure.of(2, amperes))"],
  ["div(power(#), volt(230))", "Measure.of(#, watts).over(Measure.of(230, volts))"],
  ["max(pressure(#), pressure(2))", "Measure.max(Measure.of(#, pascals), Measure.of(2, pascals))"],
  [
    "abs(sub(kelvin(#), kelvin(300)))",
    "Measure.abs(Measure.of(#, kelvin).minus(Measure.of(300, kelvin)))",
  ],
  ["length(#) > length(4.5)", "Measure.of(#, meters).gt(Measure.of(4.5, meters))"],
];

/** What safe-units has no word for: roots to a half, kinds, money, products of declared result. */
const OWN: readonly string[] = [
  "sqrt(div(force(#), mass(1)))",
  "max(rms(#), rms(2))",
  "mul(mul(power(#), time(3600)), price(0.12))",
  "mul(mul(heat(#), mass(1)), kelvin(20))",
];

const OPERATIONS = "abs, add, div, max, mul, scale, sqrt, square, sub, unit";

const repeat = (forms: readonly string[], count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const form = forms[i % forms.length] as string;
    let turn = Math.floor(i / forms.length);
    return form.replace("#", String(i)).replace(/[a-z]+(?=\([\d.]+\))/g, (word) => {
      const family = FAMILIES[word];
      if (family === undefined) return word;
      turn += 1;
      return `${word}${turn % family.length}`;
    });
  });

/** Twenty to a function; what one scope costs is decision 0020. */
function functions(expressions: readonly string[]): string {
  const out: string[] = [];
  for (let at = 0; at < expressions.length; at += 20) {
    const some = expressions.slice(at, at + 20);
    out.push(`export function f${at}() {`, ...some.map((text, i) => `  const x${i} = ${text};`));
    out.push(`  return [${some.map((_, i) => `x${i}`).join(", ")}] as const;`, "}");
  }
  return out.join("\n");
}

const flat = (expressions: readonly string[]): string =>
  expressions.map((text, i) => `export const x${i} = ${text};`).join("\n");

const units = (): string =>
  Object.entries(FAMILIES)
    .flatMap(([word, family]) =>
      family.map((text, i) => `const ${word}${i} = unit(${JSON.stringify(text)});`),
    )
    .join("\n");

/** The import alone: the units of the program count as its own. */
export const nothing = (library: string): string =>
  `import { ${OPERATIONS}, type Qty } from "${library}";
export { ${OPERATIONS} };
export type { Qty };
`;

const FORMS: readonly string[] = [...COMMON.map(([sterna]) => sterna), ...OWN];

export const mixed = (library: string, count: number): string =>
  `${nothing(library)}${units()}\n${functions(repeat(FORMS, count))}`;

/** The same lines in one scope, with units or with plain numbers. */
export const oneScope = (library: string, count: number): string =>
  `${nothing(library)}${units()}\n${flat(repeat(FORMS, count))}`;

export function plainScope(count: number): string {
  const words = Object.entries(FAMILIES).flatMap(([word, family]) =>
    family.map((_, i) => `declare const ${word}${i}: (value: number) => number;`),
  );
  const two = "add div max mul scale sub".split(" ");
  const one = "abs sqrt square".split(" ");
  const tools = [
    ...two.map((name) => `declare const ${name}: (a: number, b: number) => number;`),
    ...one.map((name) => `declare const ${name}: (a: number) => number;`),
  ];
  return [...words, ...tools, flat(repeat(FORMS, count))].join("\n");
}

/** What both libraries can say, in Sterna. */
export const common = (library: string, count: number): string => {
  const forms = COMMON.map(([sterna]) => sterna);
  return `${nothing(library)}${units()}\n${functions(repeat(forms, count))}`;
};

const SAFE =
  "amperes, kelvin, kilograms, Measure, meters, newtons, pascals, radians, seconds, volts, watts";
export const nothingSafe = `import { ${SAFE}, type SIUnitSystem } from "safe-units";
export { ${SAFE} };
type Si<L extends number, M extends number, T extends number, A extends number, K extends number> =
  Measure<SIUnitSystem, { length: L; mass: M; time: T; current: A; temperature: K;
    substance: 0; intensity: 0; planeAngle: 0; solidAngle: 0; memory: 0 }>;
export type { Si };
`;

/** And in safe-units. */
export const commonSafe = (count: number): string => {
  const forms = COMMON.map(([, safe]) => safe);
  return nothingSafe + functions(repeat(forms, count));
};

/** Exponents of the i-th product; within 5, where safe-units ends. No two products are alike. */
function exponents(i: number) {
  const current = Math.floor(i / 125) % 8;
  return {
    m: (i % 5) + 1,
    s: (Math.floor(i / 5) % 5) - 5,
    kg: (Math.floor(i / 25) % 5) + 1,
    A: current < 4 ? current - 4 : current - 3,
    K: Math.floor(i / 1000) % 2,
  };
}

/** Products of which no two have the same operands: nothing is found in the compiler's cache. */
export const distinct = (library: string, count: number): string => {
  const products = Array.from({ length: count }, (_, i) => {
    const { m, s, kg, A, K } = exponents(i);
    const right = `kg${kg}.A${A}${K === 0 ? "" : ".K"}`;
    return `mul({} as Qty<"m${m}.s${s}">, {} as Qty<"${right}">)`;
  });
  return nothing(library) + functions(products);
};

export const distinctSafe = (count: number): string => {
  const products = Array.from({ length: count }, (_, i) => {
    const { m, s, kg, A, K } = exponents(i);
    return `({} as Si<${m}, 0, ${s}, 0, 0>).times({} as Si<0, ${kg}, 0, ${A}, ${K}>)`;
  });
  return nothingSafe + functions(products);
};
