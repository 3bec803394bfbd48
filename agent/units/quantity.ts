//! Quantities: plain SI numbers at run time, opaque dimensions at compile time. Native +, *, Math
//! and raw numbers do not compile; <, > and === do, within one dimension. Each operation is one
//! machine operation.
import type { Bare, Dim, DivDim, Kinded, MulDim, PowDim, UnradDim, Valid } from "./dimension.js";
import { isUnitFault, parseUnit } from "./parse.js";

declare const DIM: unique symbol;
declare const ORIGIN: unique symbol;

/** An amount or a difference. `D` is a canonical text: `Quantity<"N">`. */
export interface Quantity<in out D> {
  readonly [DIM]: D;
}
/** A place on a scale: a temperature in Cel, an altitude above a datum. */
export interface Point<in out D> {
  readonly [ORIGIN]: D;
}
/** A typed array of quantities: at run time it is the Float32Array or Float64Array itself. */
export interface Column<in out D> {
  readonly [DIM]: D;
  readonly length: number;
  [index: number]: Quantity<D>;
  subarray(begin?: number, end?: number): Column<D>;
  fill(value: Quantity<D>, start?: number, end?: number): this;
  set(source: Column<D>, offset?: number): void;
  [Symbol.iterator](): IterableIterator<Quantity<D>>;
}
/** A typed array of points. */
export interface PointColumn<in out D> {
  readonly [ORIGIN]: D;
  readonly length: number;
  [index: number]: Point<D>;
  subarray(begin?: number, end?: number): PointColumn<D>;
  [Symbol.iterator](): IterableIterator<Point<D>>;
}

/** `Qty<"kg.m/s^2">` and `Qty<"N">` are one type. */
export type Qty<S extends string> = Quantity<Dim<S>>;
export type Pt<S extends string> = Point<Dim<S>>;
export type Col<S extends string> = Column<Dim<S>>;

// The bodies compute on numbers that the types hide, and TypeScript cannot prove dimension algebra
// in a generic body: this is the one place where values lose their type.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Raw = any;

export const add = <D>(a: Quantity<D>, b: Quantity<NoInfer<D>>): Quantity<D> =>
  (a as Raw) + (b as Raw);
export const sub = <D>(a: Quantity<D>, b: Quantity<NoInfer<D>>): Quantity<D> =>
  ((a as Raw) - (b as Raw)) as Raw;
export const mul = <A, B>(a: Quantity<A>, b: Quantity<B>): Quantity<MulDim<A, B>> =>
  ((a as Raw) * (b as Raw)) as Raw;
export const div = <A, B>(a: Quantity<A>, b: Quantity<B>): Quantity<DivDim<A, B>> =>
  ((a as Raw) / (b as Raw)) as Raw;
export const scale = <D>(a: Quantity<D>, by: number): Quantity<D> => ((a as Raw) * by) as Raw;
export const neg = <D>(a: Quantity<D>): Quantity<D> => -(a as Raw) as Raw;
export const abs = <D>(a: Quantity<D>): Quantity<D> => Math.abs(a as Raw) as Raw;
export const min = <D>(a: Quantity<D>, b: Quantity<NoInfer<D>>): Quantity<D> =>
  Math.min(a as Raw, b as Raw) as Raw;
export const max = <D>(a: Quantity<D>, b: Quantity<NoInfer<D>>): Quantity<D> =>
  Math.max(a as Raw, b as Raw) as Raw;
export const square = <D>(a: Quantity<D>): Quantity<PowDim<D, "2">> =>
  ((a as Raw) * (a as Raw)) as Raw;
export const cube = <D>(a: Quantity<D>): Quantity<PowDim<D, "3">> =>
  ((a as Raw) * (a as Raw) * (a as Raw)) as Raw;
export const sqrt = <D>(a: Quantity<D>): Quantity<PowDim<D, "1/2">> => Math.sqrt(a as Raw) as Raw;

/** The way out to plain numbers: the ratio of two amounts of one dimension. */
export const ratio = <D>(a: Quantity<D>, b: Quantity<NoInfer<D>>): number =>
  (a as Raw) / (b as Raw);
/** The number of a dimensionless amount. */
export const numberOf = (a: Quantity<"1">): number => a as Raw;

/** A point moved by an amount. */
export const shift = <D>(point: Point<D>, by: Quantity<Bare<NoInfer<D>>>): Point<D> =>
  ((point as Raw) + (by as Raw)) as Raw;
/** From one point to another: `span(to, from)` is to - from, an amount without the datum. */
export const span = <D>(to: Point<D>, from: Point<NoInfer<D>>): Quantity<Bare<D>> =>
  ((to as Raw) - (from as Raw)) as Raw;
/** A point as an amount from the true zero: absolute temperature in p V = n R T. */
export const fromZero = <D>(point: Point<D>): Quantity<Bare<D>> => point as Raw;
export const toPoint = <D>(a: Quantity<D>): Point<D> => a as Raw;

/** SI counts rad as 1; this makes the step visible: v = unrad(mul(omega, r)). */
export const unrad = <D>(a: Quantity<D>): Quantity<UnradDim<D>> => a as Raw;
/** Says of which kind an amount is: `asKind("rms", v)`. Nothing is computed. */
export const asKind = <const K extends string, D>(_: K, a: Quantity<D>): Quantity<Kinded<D, K>> =>
  a as Raw;
/** Forgets the kind. */
export const anyKind = <D>(a: Quantity<D>): Quantity<Bare<D>> => a as Raw;

/** A unit as a value: `const mmps = unit("mm/s{rms}"); mmps(4.5)`. */
export interface StaticUnit<D> {
  readonly text: string;
  readonly factor: number;
  readonly offset: number;
  /** An amount: `unit("Cel")(5)` is a difference of 5 K. */
  (value: number): Quantity<D>;
  /** A point: `unit("Cel").point(20)` is 293.15 K. */
  point(value: number): Point<D>;
  /** The number of an amount in this unit. */
  of(amount: Quantity<D>): number;
  ofPoint(point: Point<D>): number;
  /** Converts raw readings in place and gives the same array, typed. */
  column(raw: Float32Array | Float64Array): Column<D>;
  pointColumn(raw: Float32Array | Float64Array): PointColumn<D>;
}

/** At module level only: it parses. The types have refused a bad string before it runs. */
export function unit<const S extends string>(text: Valid<S>): StaticUnit<Dim<S>> {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(`assertion failed: ${parsed.fault}`);
  const { factor, offset } = parsed;
  const made = (value: number): number => value * factor;
  return Object.assign(made, {
    text: parsed.text,
    factor,
    offset,
    point: (value: number) => value * factor + offset,
    of: (amount: number) => amount / factor,
    ofPoint: (point: number) => (point - offset) / factor,
    column: (raw: Float32Array | Float64Array) => convert(raw, factor, 0),
    pointColumn: (raw: Float32Array | Float64Array) => convert(raw, factor, offset),
  }) as Raw;
}

function convert<A extends Float32Array | Float64Array>(raw: A, factor: number, offset: number): A {
  // Shared memory in SI is typed where it lies: to write it would race with its other side.
  if (factor === 1 && offset === 0) return raw;
  for (let i = 0; i < raw.length; i++) raw[i] = (raw[i] as number) * factor + offset;
  return raw;
}
