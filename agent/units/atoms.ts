//! The atoms of unit strings, from SI definitions (SI Brochure 9th ed.; inch, pound and gallon by
//! their legal definitions).

export const BASES = ["kg", "m", "s", "A", "K", "mol", "cd", "rad", "bit", "USD", "EUR"] as const;

export type Atom = {
  readonly factor: number;
  /** Base to exponent. */
  readonly dim: Readonly<Record<string, number>>;
  /** Takes SI prefixes. */
  readonly metric: boolean;
  /** SI = value * factor + offset, for degC and degF only. */
  readonly offset: number;
};

const FORCE = { kg: 1, m: 1, s: -2 };
const PRESSURE = { kg: 1, m: -1, s: -2 };
const ENERGY = { kg: 1, m: 2, s: -2 };
const POWER = { kg: 1, m: 2, s: -3 };
const SPEED = { m: 1, s: -1 };

const metric = (dim: Atom["dim"], factor = 1): Atom => ({ factor, dim, metric: true, offset: 0 });
const plain = (dim: Atom["dim"], factor = 1, offset = 0): Atom => ({
  factor,
  dim,
  metric: false,
  offset,
});

export const ATOMS: ReadonlyMap<string, Atom> = new Map<string, Atom>([
  ["m", metric({ m: 1 })],
  ["s", metric({ s: 1 })],
  ["g", metric({ kg: 1 }, 1e-3)],
  ["A", metric({ A: 1 })],
  ["K", metric({ K: 1 })],
  ["mol", metric({ mol: 1 })],
  ["cd", metric({ cd: 1 })],
  ["rad", metric({ rad: 1 })],
  ["bit", metric({ bit: 1 })],
  ["By", metric({ bit: 1 }, 8)],
  ["Hz", metric({ s: -1 })],
  ["N", metric(FORCE)],
  ["Pa", metric(PRESSURE)],
  ["bar", metric(PRESSURE, 1e5)],
  ["J", metric(ENERGY)],
  ["eV", metric(ENERGY, 1.602176634e-19)],
  ["W", metric(POWER)],
  ["C", metric({ A: 1, s: 1 })],
  ["V", metric({ kg: 1, m: 2, s: -3, A: -1 })],
  ["F", metric({ kg: -1, m: -2, s: 4, A: 2 })],
  ["Ohm", metric({ kg: 1, m: 2, s: -3, A: -2 })],
  ["S", metric({ kg: -1, m: -2, s: 3, A: 2 })],
  ["Wb", metric({ kg: 1, m: 2, s: -2, A: -1 })],
  ["T", metric({ kg: 1, s: -2, A: -1 })],
  ["H", metric({ kg: 1, m: 2, s: -2, A: -2 })],
  ["L", metric({ m: 3 }, 1e-3)],
  ["l", metric({ m: 3 }, 1e-3)],
  ["t", metric({ kg: 1 }, 1e3)],
  ["Cel", plain({ K: 1 }, 1, 273.15)],
  ["[degF]", plain({ K: 1 }, 5 / 9, 459.67 * (5 / 9))],
  ["1", plain({})],
  ["%", plain({}, 1e-2)],
  ["[ppth]", plain({}, 1e-3)],
  ["[ppm]", plain({}, 1e-6)],
  ["min", plain({ s: 1 }, 60)],
  ["h", plain({ s: 1 }, 3600)],
  ["d", plain({ s: 1 }, 86_400)],
  ["wk", plain({ s: 1 }, 604_800)],
  ["deg", plain({ rad: 1 }, Math.PI / 180)],
  ["circ", plain({ rad: 1 }, 2 * Math.PI)],
  ["atm", plain(PRESSURE, 101_325)],
  ["[psi]", plain(PRESSURE, 4.4482216152605 / 0.0254 ** 2)],
  ["[in_i]", plain({ m: 1 }, 0.0254)],
  ["[ft_i]", plain({ m: 1 }, 0.3048)],
  ["[mi_i]", plain({ m: 1 }, 1609.344)],
  ["[nmi_i]", plain({ m: 1 }, 1852)],
  ["[kn_i]", plain(SPEED, 1852 / 3600)],
  ["[lb_av]", plain({ kg: 1 }, 0.45359237)],
  ["[lbf_av]", plain(FORCE, 4.4482216152605)],
  ["[gal_us]", plain({ m: 3 }, 231 * 0.0254 ** 3)],
  ["[g]", plain({ m: 1, s: -2 }, 9.80665)],
  ["USD", metric({ USD: 1 })],
  ["EUR", metric({ EUR: 1 })],
]);

/** Habits of config writers and drives, each the UCUM spelling it stands for. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ["degC", "Cel"],
  ["°C", "Cel"],
  ["degF", "[degF]"],
  ["°F", "[degF]"],
  ["psi", "[psi]"],
  ["kn", "[kn_i]"],
  ["r", "circ"],
  ["rpm", "circ/min"],
  ["kWh", "kW.h"],
  ["MWh", "MW.h"],
  ["Wh", "W.h"],
  ["Ah", "A.h"],
  ["mAh", "mA.h"],
  ["ppm", "[ppm]"],
  ["°", "deg"],
]);

export const PREFIXES: ReadonlyMap<string, number> = new Map([
  ["Q", 1e30],
  ["R", 1e27],
  ["Y", 1e24],
  ["Z", 1e21],
  ["E", 1e18],
  ["P", 1e15],
  ["T", 1e12],
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
  ["h", 1e2],
  ["da", 1e1],
  ["d", 1e-1],
  ["c", 1e-2],
  ["m", 1e-3],
  ["u", 1e-6],
  ["µ", 1e-6],
  ["n", 1e-9],
  ["p", 1e-12],
  ["f", 1e-15],
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
]);

/** Coherent names that engineers read sooner than the bases. */
export const NAMES: ReadonlyMap<string, string> = new Map([
  ["kg.m/s2", "N"],
  ["kg/m/s2", "Pa"],
  ["kg.m2/s2", "J"],
  ["kg.m2/s3", "W"],
  ["s.A", "C"],
  ["kg.m2/s3/A", "V"],
  ["s4.A2/kg/m2", "F"],
  ["kg.m2/s3/A2", "Ohm"],
]);
