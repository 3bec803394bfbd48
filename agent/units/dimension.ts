//! Unit strings at compile time: the twin of parse.ts. `Dim<"kg.m/s^2">` is "N", and a string that
//! is no unit becomes `error: ...`. A property test holds both parsers to one grammar.
//! Speed of the compiler matters here (`npm run bench:units` counts instantiations): no recursion
//! that branches, tables instead of arithmetic, and each step a conditional type, because the
//! compiler keeps the answers of those.
import type { BINARY, METRIC, PLAIN, PREFIX } from "./atoms.js";
import type {
  Apply,
  Custom,
  Fail,
  None,
  None3,
  None6,
  Power,
  Show,
  Vec,
  VecOf,
} from "./dimension-vector.js";
import type { Bracketed, Powers, Whole } from "./exponents.js";

type Metric = typeof METRIC;
type Plain = typeof PLAIN;

// One factor: a number, or a unit with an exponent.
type Digit = "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Ten = `${"" | "+" | "-"}${"0" | Digit | `${Digit}${"0" | Digit}`}`;
// Where a vector is asked for, `infer V extends Vec` spares the compiler the way through each unit.
type Unit<T extends string> = Unit1<T> extends infer V extends Vec ? V : never;
type Unit1<T extends string> = T extends keyof Plain
  ? VecOf<Plain[T][1]>
  : T extends keyof Metric
    ? VecOf<Metric[T][1]>
    : T extends `${infer P}${infer R}`
      ? P extends keyof typeof PREFIX
        ? R extends keyof Metric
          ? VecOf<Metric[R][1]>
          : Unit2<T>
        : Unit2<T>
      : Fail<"a unit is missing">;
type Unit2<T extends string> = T extends `${"da" | keyof typeof BINARY}${infer R}`
  ? R extends keyof Metric
    ? VecOf<Metric[R][1]>
    : OwnUnit<T>
  : OwnUnit<T>;
type OwnUnit<T extends string> = T extends Custom[number]
  ? [None3, None6, { [B in T]: "1" }]
  : Fail<`unknown unit "${T}"`>;
type Raise<V extends Vec, Table, X extends string> = X extends keyof Table
  ? Table[X] extends string
    ? Power<V, Table[X]>
    : never
  : V[2] extends string
    ? V[2] extends ""
      ? Fail<`bad exponent "${X}"`>
      : V
    : Fail<`bad exponent "${X}"`>;
/** Bases and their powers by table; then only what ends in a digit or has "^" is looked into. */
type Factor<T extends string> = Factor1<T> extends infer V extends Vec ? V : never;
type Factor1<T extends string> = T extends keyof Powers
  ? Powers[T]
  : T extends `${string}${"0" | Digit}` | `${string}${"^" | "\u0001"}${string}`
    ? T extends keyof Plain
      ? VecOf<Plain[T][1]>
      : Raised<T>
    : Unit<T>;
type Raised<T extends string> = T extends `${infer A}\u0001${infer X}`
  ? Raise<Unit<A>, Bracketed, Slash<X>>
  : T extends `10${"*" | "^"}${infer X}`
    ? X extends Ten
      ? None
      : Fail<`bad power of ten "${T}"`>
    : T extends `${infer A}^${infer X}`
      ? Raise<Unit<A>, Whole, X>
      : Counted<T>;
type Slash<X extends string> = X extends `${infer N}\u0002${infer D}` ? `${N}/${D}` : X;
type Counted<T extends string> = T extends `${infer N extends number}`
  ? number extends N
    ? Fail<`bad number "${T}"`>
    : T extends "0" | `-${string}` | `${string}+${string}`
      ? Fail<`bad number "${T}"`>
      : None
  : T extends `${infer A}-${infer X}`
    ? Raise<Unit<A>, Whole, `-${X}`>
    : T extends `${infer A}+${infer X}`
      ? Raise<Unit<A>, Whole, `+${X}`>
      : T extends `${infer A}2`
        ? Raise<Unit<A>, Whole, "2">
        : T extends `${infer A}3`
          ? Raise<Unit<A>, Whole, "3">
          : T extends `${infer A}4`
            ? Raise<Unit<A>, Whole, "4">
            : Counted2<T>;
type Counted2<T extends string> = T extends `${infer A}1`
  ? Raise<Unit<A>, Whole, "1">
  : T extends `${infer A}5`
    ? Raise<Unit<A>, Whole, "5">
    : T extends `${infer A}6`
      ? Raise<Unit<A>, Whole, "6">
      : T extends `${infer A}7`
        ? Raise<Unit<A>, Whole, "7">
        : T extends `${infer A}8`
          ? Raise<Unit<A>, Whole, "8">
          : Unit<T>;

// Products from left to right: a/b.c is (a/b).c, as UCUM says.
type Dots<S extends string, Acc extends Vec, Op> = S extends `${infer A}.${infer R}`
  ? Dots<R, Apply<Acc, Op, Factor<A>>, ".">
  : Apply<Acc, Op, Factor<S>>;
type Slashes<S extends string, Acc extends Vec, Op> = S extends `${infer A}/${infer R}`
  ? Slashes<R, Dots<A, Acc, Op>, "/">
  : Dots<S, Acc, Op>;

// With parentheses: the same, with a stack of what stands before each "(".
type Head<S extends string> = S extends `${infer A}.${string}` ? Head2<A> : Head2<S>;
type Head2<S extends string> = S extends `${infer A}/${string}` ? Head3<A> : Head3<S>;
type Head3<S extends string> = S extends `${infer A})${string}` ? A : S;
type Groups<
  S extends string,
  Acc extends Vec,
  Op,
  Stack extends readonly unknown[],
> = S extends `(${infer R}`
  ? Stack["length"] extends 4
    ? Fail<"more than 4 nested parentheses">
    : Groups<R, None, "", [[Acc, Op], ...Stack]>
  : Head<S> extends infer H extends string
    ? S extends `${H}${infer R}`
      ? After<R, Apply<Acc, Op, Factor<H>>, Stack>
      : never
    : never;
type After<S extends string, Acc extends Vec, Stack extends readonly unknown[]> = S extends ""
  ? Stack extends []
    ? Acc
    : Fail<'a "(" is not closed'>
  : S extends `${infer Op extends "." | "/"}${infer R}`
    ? Groups<R, Acc, Op, Stack>
    : S extends `)${infer R}`
      ? Stack extends [[infer Before extends Vec, infer Op], ...infer Rest]
        ? After<R, Apply<Before, Op, Acc>, Rest>
        : Fail<'unexpected ")"'>
      : Fail<"parentheses take no exponent">;

/** Takes `^(1/2)` out of the way of the splitters: control characters never are in a unit. */
type Guard<S extends string> = S extends `${infer A}^(${infer X})${infer R}`
  ? X extends `${infer N}/${infer D}`
    ? Guard<`${A}\u0001${N}\u0002${D}${R}`>
    : Guard<`${A}\u0001${X}${R}`>
  : S;
type Start<S extends string> = S extends `/${infer R}` ? Choose<R, "/"> : Choose<S, "">;
type Choose<S extends string, Op> = S extends `${string}${"(" | ")"}${string}`
  ? Groups<S, None, Op, []>
  : Slashes<S, None, Op>;
type Vector<S extends string> =
  Start<S extends `${string}^(${string}` ? Guard<S> : S> extends infer V extends Vec ? V : never;

// The kind: one word in braces after a factor.
type Split<S extends string> = S extends `${infer A}{${infer K}}${infer R}`
  ? K extends "" | `${string}{${string}` | `${string} ${string}`
    ? ["", "", "a kind is a plain word in braces"]
    : R extends "" | `.${string}` | `/${string}` | `)${string}`
      ? R extends `${string}{${string}`
        ? ["", "", "a unit has one kind"]
        : A extends "" | `${string}${"." | "/" | "("}`
          ? [`${A}1${R}`, K, ""]
          : [`${A}${R}`, K, ""]
      : ["", "", "unexpected text after a kind"]
  : [S, "", ""];
type WithKind<D, K> = K extends ""
  ? D
  : D extends `error: ${string}`
    ? D
    : `${D & string}{${K & string}}`;

/** A unit string to its canonical dimension with kind: `Dim<"mm/s{rms}">` is `"m/s{rms}"`. */
export type Dim<S extends string> = S extends ""
  ? "error: empty unit"
  : S extends `${string}{${string}`
    ? Split<S> extends [infer U extends string, infer K, infer M extends string]
      ? M extends ""
        ? WithKind<Show<Vector<U>>, K>
        : `error: ${M}`
      : never
    : Show<Vector<S>>;

/** The string itself when it is a unit, else the fault, so that the compiler shows the fault. */
export type Valid<S extends string> = Dim<S> extends `error: ${infer M}` ? `error: ${M}` : S;

/** Without its kind. Kinds do not survive a product. */
export type Bare<D> = D extends `${infer A}{${string}` ? A : D;
export type Kinded<D, K extends string> = WithKind<Bare<D>, K>;

/** A fault stays what it is through every product. */
type Of<D> = D extends `error: ${infer M}`
  ? Fail<M>
  : D extends `${infer A}{${string}`
    ? Vector<A>
    : D extends string
      ? Vector<D>
      : None;
// `infer S extends string` so that generic code shows `MulDim<A, B>`, not what it is made of.
export type MulDim<A, B> =
  Show<Apply<Of<A>, ".", Of<B>>> extends infer S extends string ? S : never;
export type DivDim<A, B> =
  Show<Apply<Of<A>, "/", Of<B>>> extends infer S extends string ? S : never;
export type PowDim<A, X extends string> =
  Show<Power<Of<A>, X>> extends infer S extends string ? S : never;
/** Without the angle: the explicit step from m.rad/s to m/s. */
export type UnradDim<A> = Show<NoAngle<Of<A>>> extends infer S extends string ? S : never;
type NoAngle<V extends Vec> = [
  V[0],
  [V[1][0], V[1][1], V[1][2], V[1][3], "0", V[1][5], "any"],
  V[2],
];
