//! Unit strings at compile time: the twin of parse.ts. `Dim<"kg.m/s^2">` is "N", and a string that
//! is no unit becomes `error: ...`. A property test holds both parsers to one grammar.
//! Speed of the compiler matters here: no recursion that branches, tables instead of arithmetic,
//! and the plain path (no parentheses, no custom base) first.
import type { BINARY, CURRENCIES, METRIC, NAMES, PLAIN, PREFIX } from "./atoms.js";
import type { Bracketed, Product, Sum, Whole } from "./exponents.js";

/**
 * Bases of one's own, once for a program:
 * `declare module "sterna/units" { interface Register { bases: ["pallet", "cycle"] } }`
 */
// biome-ignore lint/suspicious/noEmptyInterface: a place for programs to merge into
export interface Register {}

type Own = Register extends { bases: infer B extends readonly string[] } ? B : [];
type Custom = [...typeof CURRENCIES, ...Own];
type Metric = typeof METRIC;
type Plain = typeof PLAIN;

/** No base: a plain number. */
type None = Record<never, string>;
type Fail<M extends string> = { readonly "!": M };

// Vectors: base -> exponent text; a base that is missing has exponent 0. An exponent out of range
// is the sign \u0003, which no sum and no product takes away again.
type At<V, B> = B extends keyof V ? V[B] : "0";
type Add<A, B> = A extends keyof Sum ? (B extends keyof Sum[A] ? Sum[A][B] : "\u0003") : "\u0003";
type Look<T, A> = A extends keyof T ? T[A] : "\u0003";
type Times<A, B> = { [K in keyof A | keyof B]: Add<At<A, K>, At<B, K>> };
type Power<V, E> = E extends keyof Product ? { [K in keyof V]: Look<Product[E], V[K]> } : never;
type Apply<A, Op, B> =
  A extends Fail<string>
    ? A
    : B extends Fail<string>
      ? B
      : Op extends "/"
        ? Times<A, Power<B, "-1">>
        : Times<A, B>;

// Canonical text: numerators in base order, then "/" and each denominator.
// `infer E extends string` keeps a generic exponent a string: as a union of all exponents, nine of
// them in one template would be 33^9 texts.
type ShowE<E extends string> = E extends "1" ? "" : E extends `${string}/${string}` ? `^(${E})` : E;
type Over<V, B extends string> = B extends keyof V
  ? V[B] extends infer E extends string
    ? E extends "0" | `-${string}`
      ? ""
      : `.${B}${ShowE<E>}`
    : ""
  : "";
type Under<V, B extends string> = B extends keyof V
  ? V[B] extends `-${infer E}`
    ? `/${B}${ShowE<E>}`
    : ""
  : "";
// tidy: one template per half, however long
type OverSi<V> =
  `${Over<V, "kg">}${Over<V, "m">}${Over<V, "s">}${Over<V, "A">}${Over<V, "K">}${Over<V, "mol">}${Over<V, "cd">}${Over<V, "rad">}${Over<V, "bit">}`;
type UnderSi<V> =
  `${Under<V, "kg">}${Under<V, "m">}${Under<V, "s">}${Under<V, "A">}${Under<V, "K">}${Under<V, "mol">}${Under<V, "cd">}${Under<V, "rad">}${Under<V, "bit">}`;
type OverOwn<V, L, S extends string = ""> = L extends readonly [infer B extends string, ...infer R]
  ? Over<V, B> extends infer T extends string
    ? OverOwn<V, R, `${S}${T}`>
    : never
  : S;
type UnderOwn<V, L, S extends string = ""> = L extends readonly [infer B extends string, ...infer R]
  ? Under<V, B> extends infer T extends string
    ? UnderOwn<V, R, `${S}${T}`>
    : never
  : S;
type Lead<S> = S extends `.${infer R}` ? R : "1";
type OwnText<V> = [OverSi<V>, OverOwn<V, Custom>, UnderSi<V>, UnderOwn<V, Custom>] extends [
  infer A extends string,
  infer B extends string,
  infer C extends string,
  infer D extends string,
]
  ? `${Lead<`${A}${B}`>}${C}${D}`
  : never;
// By inference, again so that a generic V stays a string and not the union of all its texts.
type SiText<V> = [OverSi<V>, UnderSi<V>] extends [infer A, infer C extends string]
  ? `${Lead<A>}${C}`
  : never;
type Print<V> = [keyof V & Custom[number]] extends [never] ? SiText<V> : OwnText<V>;
type Named<S> = S extends keyof typeof NAMES ? (typeof NAMES)[S] : S;
// By way of the text: a conditional on V itself would make the compiler work out its constraint
// in generic calls, a union of all exponents of all bases.
type Show<V> =
  Print<V> extends infer S
    ? S extends `${string}\u0003${string}`
      ? "error: an exponent leaves the range -8 to 8"
      : Named<S>
    : never;
type Checked<V> = V extends Fail<infer M> ? `error: ${M}` : Show<V>;

// One factor: a number, or a unit with an exponent.
type Digit = "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Ten = `${"" | "+" | "-"}${"0" | Digit | `${Digit}${"0" | Digit}`}`;
type Unit<T extends string> = T extends keyof Plain
  ? Plain[T][1]
  : T extends keyof Metric
    ? Metric[T][1]
    : T extends `${infer P}${infer R}`
      ? P extends keyof typeof PREFIX
        ? R extends keyof Metric
          ? Metric[R][1]
          : Unit2<T>
        : Unit2<T>
      : Fail<"a unit is missing">;
type Unit2<T extends string> = T extends `${"da" | keyof typeof BINARY}${infer R}`
  ? R extends keyof Metric
    ? Metric[R][1]
    : OwnUnit<T>
  : OwnUnit<T>;
type OwnUnit<T extends string> = T extends Custom[number]
  ? { [B in T]: "1" }
  : Fail<`unknown unit "${T}"`>;
type Raise<V, Table, E extends string> =
  V extends Fail<string>
    ? V
    : E extends keyof Table
      ? Power<V, Table[E]>
      : Fail<`bad exponent "${E}"`>;
type Factor<T extends string> = T extends keyof Plain
  ? Plain[T][1]
  : T extends keyof Metric
    ? Metric[T][1]
    : T extends `${infer A}\u0001${infer E}`
      ? Raise<Unit<A>, Bracketed, Slash<E>>
      : T extends `10${"*" | "^"}${infer E}`
        ? E extends Ten
          ? None
          : Fail<`bad power of ten "${T}"`>
        : T extends `${infer A}^${infer E}`
          ? Raise<Unit<A>, Whole, E>
          : T extends `${string}${"0" | Digit}`
            ? Counted<T>
            : Unit<T>;
type Slash<E extends string> = E extends `${infer N}\u0002${infer D}` ? `${N}/${D}` : E;
type Counted<T extends string> = T extends `${infer N extends number}`
  ? number extends N
    ? Fail<`bad number "${T}"`>
    : T extends "0" | `-${string}` | `${string}+${string}`
      ? Fail<`bad number "${T}"`>
      : None
  : T extends `${infer A}-${infer E}`
    ? Raise<Unit<A>, Whole, `-${E}`>
    : T extends `${infer A}+${infer E}`
      ? Raise<Unit<A>, Whole, `+${E}`>
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
type Dots<S extends string, Acc, Op> = S extends `${infer A}.${infer R}`
  ? Dots<R, Apply<Acc, Op, Factor<A>>, ".">
  : Apply<Acc, Op, Factor<S>>;
type Slashes<S extends string, Acc, Op> = S extends `${infer A}/${infer R}`
  ? Slashes<R, Dots<A, Acc, Op>, "/">
  : Dots<S, Acc, Op>;

// With parentheses: the same, with a stack of what stands before each "(".
type Head<S extends string> = S extends `${infer A}.${string}` ? Head2<A> : Head2<S>;
type Head2<S extends string> = S extends `${infer A}/${string}` ? Head3<A> : Head3<S>;
type Head3<S extends string> = S extends `${infer A})${string}` ? A : S;
type Groups<S extends string, Acc, Op, Stack extends readonly unknown[]> = S extends `(${infer R}`
  ? Stack["length"] extends 4
    ? Fail<"more than 4 nested parentheses">
    : Groups<R, None, ".", [[Acc, Op], ...Stack]>
  : Head<S> extends infer H extends string
    ? S extends `${H}${infer R}`
      ? After<R, Apply<Acc, Op, Factor<H>>, Stack>
      : never
    : never;
type After<S extends string, Acc, Stack extends readonly unknown[]> =
  Acc extends Fail<string>
    ? Acc
    : S extends ""
      ? Stack extends []
        ? Acc
        : Fail<'a "(" is not closed'>
      : S extends `${infer Op extends "." | "/"}${infer R}`
        ? Groups<R, Acc, Op, Stack>
        : S extends `)${infer R}`
          ? Stack extends [[infer Before, infer Op], ...infer Rest]
            ? After<R, Apply<Before, Op, Acc>, Rest>
            : Fail<'unexpected ")"'>
          : Fail<"parentheses take no exponent">;

/** Takes `^(1/2)` out of the way of the splitters: control characters never are in a unit. */
type Guard<S extends string> = S extends `${infer A}^(${infer E})${infer R}`
  ? E extends `${infer N}/${infer D}`
    ? Guard<`${A}\u0001${N}\u0002${D}${R}`>
    : Guard<`${A}\u0001${E}${R}`>
  : S;
type Start<S extends string> = S extends `/${infer R}` ? Choose<R, "/"> : Choose<S, ".">;
type Choose<S extends string, Op> = S extends `${string}(${string}` | `${string})${string}`
  ? Groups<S, None, Op, []>
  : Slashes<S, None, Op>;
type Vector<S extends string> = S extends `${string}^(${string}` ? Start<Guard<S>> : Start<S>;

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
        ? WithKind<Checked<Vector<U>>, K>
        : `error: ${M}`
      : never
    : Checked<Vector<S>>;

/** The string itself when it is a unit, else the fault, so that the compiler shows the fault. */
export type Valid<S extends string> = Dim<S> extends `error: ${infer M}` ? `error: ${M}` : S;

/** Without its kind. Kinds do not survive a product. */
export type Bare<D> = D extends `${infer A}{${string}` ? A : D;
export type Kinded<D, K extends string> = WithKind<Bare<D>, K>;

type Of<D> = Bare<D> extends infer S extends string ? Vector<S> : never;
export type MulDim<A, B> = Show<Times<Of<A>, Of<B>>>;
export type DivDim<A, B> = Show<Times<Of<A>, Power<Of<B>, "-1">>>;
export type PowDim<A, E extends keyof Product> = Show<Power<Of<A>, E>>;
/** Without the angle: the explicit step from m.rad/s to m/s. */
export type UnradDim<A> = Show<Omit<Of<A>, "rad">>;
