//! Bases of one's own: what a program counts, once for its types and once for its run time. Money
//! is there already; to name it again does no harm.
import { registerBases } from "../../agent/units/index.js";

declare module "../../agent/units/index.js" {
  interface Register {
    bases: ["USD", "EUR", "BTC", "pallet", "cycle"];
  }
}

registerBases("pallet", "cycle");
