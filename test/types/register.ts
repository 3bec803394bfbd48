//! Bases of one's own, as a program registers them.
declare module "../../agent/units/index.js" {
  interface Register {
    bases: ["pallet", "cycle"];
  }
}

export {};
