//! The forms that laws about units take.
import { CELSIUS_ZERO } from "../../units/constants.js";
import type { UnitLaw } from "../suspect.js";

export const DEG = Math.PI / 180;
export const RPM = Math.PI / 30;
export const NOT = Number.NaN;
export type Plate = ReadonlyMap<string, number>;

export function range(name: string, low: number, high: number, words: string): UnitLaw {
  const said = `${name} ${words}`;
  return { name: said, reads: [name], of: ([x = NOT]) => x, low, high, holds: "most" };
}

export const middle = (law: UnitLaw): UnitLaw => ({ ...law, holds: "middle" });

export const celsius = (name: string, low: number, high: number): UnitLaw =>
  range(name, low + CELSIUS_ZERO, high + CELSIUS_ZERO, `lies between ${low} and ${high} Cel`);

/** A running machine warms what it is in: no part is much colder than what is around it. */
export const warmer = (part: string, around: string, most: number): UnitLaw => ({
  name: `${part} stays between 8 K below and ${most} K above ${around}`,
  reads: [part, around],
  of: ([hot = NOT, air = NOT]) => hot - air,
  low: -8,
  high: most,
  holds: "most",
});

export const angle = (name: string, most: number): UnitLaw => ({
  name: `${name} is mostly between 0.1 and ${most} deg in size`,
  reads: [name],
  of: ([x = NOT]) => (x === 0 ? NOT : Math.abs(x)),
  low: 0.1 * DEG,
  high: most * DEG,
  holds: "middle",
});

/** The size of what vibrates, by the middle of it: a quiet machine still shakes a little. */
export const shakes = (name: string, low: number, high: number, words: string): UnitLaw => ({
  name: `${name} is mostly ${words}`,
  reads: [name],
  of: ([x = NOT]) => Math.abs(x),
  low,
  high,
  holds: "middle",
});

export const air = (name: string): UnitLaw =>
  range(name, 60_000, 109_000, "lies between 600 and 1090 hPa");

export const plateOf = (plate: Plate, key: string): number => plate.get(key) ?? NOT;
