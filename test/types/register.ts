//! Bases of one's own, as a program registers them. What is there already may stand among them.
declare module "../../agent/units/index.js" {
  interface Register {
    bases: ["pallet", "cycle", "USD", "EUR", "BTC"];
  }
}

export {};
