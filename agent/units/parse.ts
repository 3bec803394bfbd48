//! PLACEHOLDER that fixes the contract: unit strings at run time. The units room replaces the body.

/** A parsed unit: SI value = written value * factor + offset. */
export type Unit = {
  /** As the user wrote it. */
  readonly text: string;
  /** The UCUM spelling that the wire and the page print (`m/s2`, `Cel`, `mm/s{rms}`). */
  readonly ucum: string;
  /** Canonical SI dimension without kind: `m/s2`, `Pa`, `1`. Equal strings, equal dimensions. */
  readonly dim: string;
  /** UCUM annotation (`rms` of `mm/s{rms}`), "" when none. */
  readonly kind: string;
  readonly factor: number;
  readonly offset: number;
  /** True for degC and degF: a reading is a point, not a difference. */
  readonly affine: boolean;
};

/** Why a unit string cannot be read: `at` is the offset of the offending part, `length` its size. */
export type UnitFault = {
  readonly fault: string;
  readonly at: number;
  readonly length: number;
};

const ATOMS: Record<string, [number, string, number?]> = {
  "1": [1, "1"],
  "%": [0.01, "1"],
  m: [1, "m"],
  s: [1, "s"],
  ms: [1e-3, "s"],
  min: [60, "s"],
  h: [3600, "s"],
  d: [86400, "s"],
  K: [1, "K"],
  Cel: [1, "K", 273.15],
  degC: [1, "K", 273.15],
  A: [1, "A"],
  V: [1, "V"],
  W: [1, "W"],
  kW: [1e3, "W"],
  MW: [1e6, "W"],
  Pa: [1, "Pa"],
  hPa: [100, "Pa"],
  kPa: [1e3, "Pa"],
  bar: [1e5, "Pa"],
  MPa: [1e6, "Pa"],
  N: [1, "N"],
  mm: [1e-3, "m"],
  deg: [Math.PI / 180, "rad"],
  rad: [1, "rad"],
  rpm: [Math.PI / 30, "rad/s"],
  "r/min": [Math.PI / 30, "rad/s"],
  "rad/s": [1, "rad/s"],
  Hz: [1, "1/s"],
  "m/s": [1, "m/s"],
  "mm/s": [1e-3, "m/s"],
  "m/s2": [1, "m/s2"],
  "m/s^2": [1, "m/s2"],
  "[g]": [9.80665, "m/s2"],
  MBy: [8e6, "bit"],
};

export function parseUnit(text: string): Unit | UnitFault {
  const [, bare = "", kind = ""] = /^([^{]*)(?:\{(.*)\})?$/.exec(text) ?? [];
  const atom = ATOMS[bare];
  if (atom === undefined)
    return { fault: `unknown unit "${text}"`, at: 0, length: text.length };
  const [factor, dim, offset = 0] = atom;
  const ucum = bare.replace("^", "");
  return { text, ucum, dim, kind, factor, offset, affine: offset !== 0 };
}

export function isUnitFault(unit: Unit | UnitFault): unit is UnitFault {
  return "fault" in unit;
}

/** A literal such as `5 MW` or `60 s`: the value in SI with its unit. */
export type Amount = { readonly value: number; readonly unit: Unit };

export function parseAmount(text: string): Amount | UnitFault {
  const match = /^\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(.*?)\s*$/.exec(text);
  if (match === null) return { fault: `no number in "${text}"`, at: 0, length: text.length };
  const unit = parseUnit(match[2] === "" ? "1" : (match[2] as string));
  if (isUnitFault(unit)) return unit;
  return { value: Number(match[1]) * unit.factor + unit.offset, unit };
}
