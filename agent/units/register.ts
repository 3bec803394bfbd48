//! Where a program names bases of its own for the types; `registerBases` does it for the run time.

/**
 * Bases of one's own, once for a program:
 * `declare module "sterna/units" { interface Register { bases: ["pallet", "cycle"] } }`
 */
// biome-ignore lint/suspicious/noEmptyInterface: a place for programs to merge into
export interface Register {}
