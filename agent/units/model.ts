//! Models with units in their types: what goes in and what comes out is checked by the compiler. A
//! port is a unit string, or a record of named ones.

import type { Dim } from "./dimension.js";
import type { Col, Qty, Quantity } from "./quantity.js";

export type Ports = string | { readonly [name: string]: string };
export type Values<P> = P extends string
  ? Qty<P>
  : { readonly [K in keyof P]: P[K] extends string ? Qty<P[K]> : never };
export type Columns<P> = P extends string
  ? Col<P>
  : { readonly [K in keyof P]: P[K] extends string ? Col<P[K]> : never };

/** Ternary weights between typed ports: `TernaryModel<"m/s^2", "N">`. */
export interface TernaryModel<In extends Ports, Out extends Ports> {
  readonly inUnits: In;
  readonly outUnits: Out;
  infer(input: Values<In>): Values<Out>;
  inferBatch(input: Columns<In>, output: Columns<Out>): void;
}

/** A law that an output may not break, with the amount that is left of it. */
export interface Law<In extends Ports, Out extends Ports, Margin extends string = string> {
  readonly name: string;
  /** Negative: broken. In the unit of the law, so that the alarm can say by how much. */
  margin(input: Values<In>, output: Values<Out>): Quantity<Dim<Margin>>;
}

/** A model whose output is held to physics: `PhysicsAwareModel<"W", "W", "W">`. */
export interface PhysicsAwareModel<
  In extends Ports,
  Out extends Ports,
  Margin extends string = string,
> extends TernaryModel<In, Out> {
  readonly laws: readonly Law<In, Out, Margin>[];
  /** The output, and the laws it breaks: an answer that breaks one is not to be trusted. */
  inferChecked(input: Values<In>): {
    readonly output: Values<Out>;
    readonly broken: readonly Law<In, Out, Margin>[];
  };
}
