//! Levels in decibel are not linear, so no factor and offset can carry them: they are converted at
//! the boundary by these functions. ISO 80000-3: power ratios take 10 lg, field ratios 20 lg.

export type LevelOf = "power" | "field";

/** The ratio to the reference: `fromDecibel(3, "power")` is 1.995. */
export function fromDecibel(level_dB: number, of: LevelOf): number {
  return 10 ** (level_dB / (of === "power" ? 10 : 20));
}

/** The level of a ratio; NaN where there is none (a negative ratio). */
export function toDecibel(ratio: number, of: LevelOf): number {
  return (of === "power" ? 10 : 20) * Math.log10(ratio);
}
