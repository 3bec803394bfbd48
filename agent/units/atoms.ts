//! The one table of unit atoms, read by the run-time parser and, as types, by the compile-time one.
//! Factors come from SI (BIPM brochure, 9th ed.), the 1959 yard and pound, and CODATA where exact.
//! Keys are UCUM codes; the last group of each table holds habits that UCUM spells otherwise.

/** Order of the bases in canonical text. `rad` is a base, so that rpm, rad/s and Hz never mix. */
export const BASES = ["kg", "m", "s", "A", "K", "mol", "cd", "rad", "bit"] as const;
/** Money is a base each: no exchange rate is a constant. More by `registerBases` and `Register`. */
export const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "CNY", "JPY", "BTC"] as const;

/** Exponents as text, because types compute on text. */
export type Exponents = { readonly [base: string]: string };
export type Atom = readonly [factor: number, dim: Exponents];

const ONE = {} as const;
const LENGTH = { m: "1" } as const;
const AREA = { m: "2" } as const;
const VOLUME = { m: "3" } as const;
const TIME = { s: "1" } as const;
const MASS = { kg: "1" } as const;
const TEMPERATURE = { K: "1" } as const;
const ANGLE = { rad: "1" } as const;
const SOLID_ANGLE = { rad: "2" } as const;
const INFORMATION = { bit: "1" } as const;
const FREQUENCY = { s: "-1" } as const;
const SPEED = { m: "1", s: "-1" } as const;
const ACCELERATION = { m: "1", s: "-2" } as const;
const FORCE = { kg: "1", m: "1", s: "-2" } as const;
const PRESSURE = { kg: "1", m: "-1", s: "-2" } as const;
const ENERGY = { kg: "1", m: "2", s: "-2" } as const;
const POWER = { kg: "1", m: "2", s: "-3" } as const;
const CHARGE = { s: "1", A: "1" } as const;
const DOSE = { m: "2", s: "-2" } as const;
const CONDUCTANCE = { kg: "-1", m: "-2", s: "3", A: "2" } as const;
const FLOW = { m: "3", s: "-1" } as const;

const G0 = 9.80665; // m/s2, CGPM 1901
const INCH = 0.0254;
const FOOT = 0.3048;
const POUND = 0.45359237;
const GALLON = 231 * INCH ** 3;
const KNOT = 1852 / 3600;
const HORSEPOWER = 550 * FOOT * POUND * G0;
const PSI = (POUND * G0) / INCH ** 2;

/** Atoms that take a prefix. */
export const METRIC = {
  m: [1, LENGTH],
  s: [1, TIME],
  g: [1e-3, MASS],
  A: [1, { A: "1" }],
  K: [1, TEMPERATURE],
  mol: [1, { mol: "1" }],
  cd: [1, { cd: "1" }],
  rad: [1, ANGLE],
  sr: [1, SOLID_ANGLE],
  bit: [1, INFORMATION],
  By: [8, INFORMATION],
  Bd: [1, FREQUENCY],
  Hz: [1, FREQUENCY],
  Bq: [1, FREQUENCY],
  N: [1, FORCE],
  Pa: [1, PRESSURE],
  J: [1, ENERGY],
  W: [1, POWER],
  C: [1, CHARGE],
  V: [1, { kg: "1", m: "2", s: "-3", A: "-1" }],
  F: [1, { kg: "-1", m: "-2", s: "4", A: "2" }],
  Ohm: [1, { kg: "1", m: "2", s: "-3", A: "-2" }],
  S: [1, CONDUCTANCE],
  mho: [1, CONDUCTANCE],
  Wb: [1, { kg: "1", m: "2", s: "-2", A: "-1" }],
  T: [1, { kg: "1", s: "-2", A: "-1" }],
  H: [1, { kg: "1", m: "2", s: "-2", A: "-2" }],
  lm: [1, { cd: "1", rad: "2" }],
  lx: [1, { cd: "1", rad: "2", m: "-2" }],
  Gy: [1, DOSE],
  Sv: [1, DOSE],
  kat: [1, { mol: "1", s: "-1" }],
  L: [1e-3, VOLUME],
  l: [1e-3, VOLUME],
  ar: [100, AREA],
  bar: [1e5, PRESSURE],
  t: [1000, MASS],
  eV: [1.602176634e-19, ENERGY],
  Cel: [1, TEMPERATURE],
  gf: [1e-3 * G0, FORCE],
  dyn: [1e-5, FORCE],
  erg: [1e-7, ENERGY],
  P: [0.1, { kg: "1", m: "-1", s: "-1" }],
  St: [1e-4, { m: "2", s: "-1" }],
  cal: [4.184, ENERGY],
  cal_IT: [4.1868, ENERGY],
  "m[H2O]": [9806.65, PRESSURE],
  "m[Hg]": [133322, PRESSURE],
  // habits
  Wh: [3600, ENERGY],
  Ah: [3600, CHARGE],
  VA: [1, POWER],
  var: [1, POWER],
  Nm: [1, ENERGY],
} as const satisfies Record<string, Atom>;

/** Atoms that take no prefix. */
export const PLAIN = {
  kg: [1, MASS],
  min: [60, TIME],
  h: [3600, TIME],
  d: [86400, TIME],
  wk: [604800, TIME],
  a: [31557600, TIME],
  mo: [31557600 / 12, TIME],
  deg: [Math.PI / 180, ANGLE],
  gon: [Math.PI / 200, ANGLE],
  circ: [2 * Math.PI, ANGLE],
  "'": [Math.PI / 10800, ANGLE],
  "''": [Math.PI / 648000, ANGLE],
  sph: [4 * Math.PI, SOLID_ANGLE],
  "%": [0.01, ONE],
  "[ppth]": [1e-3, ONE],
  "[ppm]": [1e-6, ONE],
  "[ppb]": [1e-9, ONE],
  "[pptr]": [1e-12, ONE],
  "[pi]": [Math.PI, ONE],
  "[g]": [G0, ACCELERATION],
  atm: [101325, PRESSURE],
  att: [98066.5, PRESSURE],
  "[psi]": [PSI, PRESSURE],
  "[in_i'H2O]": [9806.65 * INCH, PRESSURE],
  "[in_i'Hg]": [133322 * INCH, PRESSURE],
  "[degF]": [5 / 9, TEMPERATURE],
  "[degR]": [5 / 9, TEMPERATURE],
  "[in_i]": [INCH, LENGTH],
  "[ft_i]": [FOOT, LENGTH],
  "[yd_i]": [0.9144, LENGTH],
  "[mi_i]": [1609.344, LENGTH],
  "[nmi_i]": [1852, LENGTH],
  "[mil_i]": [INCH / 1000, LENGTH],
  "[sin_i]": [INCH ** 2, AREA],
  "[sft_i]": [FOOT ** 2, AREA],
  "[cin_i]": [INCH ** 3, VOLUME],
  "[cft_i]": [FOOT ** 3, VOLUME],
  "[kn_i]": [KNOT, SPEED],
  "[lb_av]": [POUND, MASS],
  "[oz_av]": [POUND / 16, MASS],
  "[ston_av]": [2000 * POUND, MASS],
  "[lton_av]": [2240 * POUND, MASS],
  "[lbf_av]": [POUND * G0, FORCE],
  "[HP]": [HORSEPOWER, POWER],
  "[Btu_IT]": [1055.05585262, ENERGY],
  "[gal_us]": [GALLON, VOLUME],
  "[bbl_us]": [42 * GALLON, VOLUME],
  "[gal_br]": [4.54609e-3, VOLUME],
  // habits
  r: [2 * Math.PI, ANGLE],
  rpm: [Math.PI / 30, { rad: "1", s: "-1" }],
  kn: [KNOT, SPEED],
  mph: [1609.344 / 3600, SPEED],
  degC: [1, TEMPERATURE],
  degF: [5 / 9, TEMPERATURE],
  psi: [PSI, PRESSURE],
  ft: [FOOT, LENGTH],
  in: [INCH, LENGTH],
  lb: [POUND, MASS],
  lbf: [POUND * G0, FORCE],
  hp: [HORSEPOWER, POWER],
  gpm: [GALLON / 60, FLOW],
  cfm: [FOOT ** 3 / 60, FLOW],
  ppm: [1e-6, ONE],
  ppb: [1e-9, ONE],
} as const satisfies Record<string, Atom>;

/** Decimal prefixes as powers of ten. */
export const PREFIX = {
  Q: 30,
  R: 27,
  Y: 24,
  Z: 21,
  E: 18,
  P: 15,
  T: 12,
  G: 9,
  M: 6,
  k: 3,
  h: 2,
  da: 1,
  d: -1,
  c: -2,
  m: -3,
  u: -6,
  n: -9,
  p: -12,
  f: -15,
  a: -18,
  z: -21,
  y: -24,
  r: -27,
  q: -30,
} as const;

/** Binary prefixes as powers of two. */
export const BINARY = { Ki: 10, Mi: 20, Gi: 30, Ti: 40 } as const;

/** Zero of a unit whose lone reading is a point, in kelvin. */
export const ZERO: ReadonlyMap<string, number> = new Map([
  ["Cel", 273.15],
  ["degC", 273.15],
  ["[degF]", (459.67 * 5) / 9],
  ["degF", (459.67 * 5) / 9],
]);

/** Names of coherent SI units: the canonical text of their dimension reads as the name. */
export const NAMES = {
  "kg.m/s2": "N",
  "kg/m/s2": "Pa",
  "kg.m2/s2": "J",
  "kg.m2/s3": "W",
  "s.A": "C",
  "kg.m2/s3/A": "V",
  "s4.A2/kg/m2": "F",
  "kg.m2/s3/A2": "Ohm",
  "s3.A2/kg/m2": "S",
  "kg.m2/s2/A": "Wb",
  "kg/s2/A": "T",
  "kg.m2/s2/A2": "H",
} as const;
