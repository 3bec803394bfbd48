//! The one public entry: `import { unit, add, type Qty } from "sterna/units"`.
export * as constants from "./constants.js";
export * from "./dimension.js";
export { formatIn, readable, valueIn } from "./format.js";
export { fromDecibel, type LevelOf, toDecibel } from "./level.js";
export type { Columns, Law, PhysicsAwareModel, Ports, TernaryModel, Values } from "./model.js";
export {
  type Amount,
  isUnitFault,
  parseAmount,
  parseUnit,
  type Unit,
  type UnitFault,
} from "./parse.js";
export * from "./quantity.js";
export * from "./register.js";
export { registerBases } from "./vector.js";
export { parseWireUnit } from "./wire.js";
