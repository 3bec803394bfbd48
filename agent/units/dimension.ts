//! Unit strings at compile time: the twin of parse.ts. `Dim<"kg.m/s^2">` is "N", and a string that
//! is no unit becomes `error: ...`. A property test holds both parsers to one grammar.
//! Speed of the compiler matters here (`npm run bench:units` counts instantiations): no recursion
//! that branches, tables instead of arithmetic, and each step a conditional type, because the
//! compiler keeps the answers of those.
import type { BINARY, CURRENCIES, METRIC, NAMES, PLAIN, PREFIX } from "./atoms.js";
import type { Bracketed, Over, Powers, Product, Sum, Under, Whole } from "./exponents.js";

/**
 * Bases of one's own, once for a program:
 * `declare module "sterna/units" { interface Register { bases: ["pallet", "cycle"] } }`
 */
// biome-ignore lint/suspicious/noEmptyInterface: a place for programs to merge into
export interface Register {}

type Own = Register extends { bases: infer B extends readonly string[] } ? B : [];
type Custom = [...typeof CURRENCIES, ...Fresh<Own>];
/** A program may register what is there already. */
type Fresh<L extends readonly string[]> = L extends readonly [
  infer B extends string,
  ...infer R extends readonly string[],
]
  ? B extends (typeof CURRENCIES)[number] | R[number]
    ? Fresh<R>
    : [B, ...Fresh<R>]
  : [];
type Metric = typeof METRIC;
type Plain = typeof PLAIN;

// A vector: exponents of kg, m, s; of the other SI bases; of currencies and bases of one's own. In
// three parts, because the compiler keeps what it computed for each, and few units differ in all.
// The third part is "" for none, else a record, or a text: the fault of a string that is no unit.
// An exponent out of range is "!", which no sum and no product takes away again.
// Exponents are strings to the checker, not a union of 34: it would try them all in generic code.
// No labels, no readonly: tuples of one shape are compared by their elements (decision 0019).
/** kg, m, s. */
type Three = [string, string, string];
/** A, K, mol, cd, rad, bit, and "" where all are 0. */
type Six = [string, string, string, string, string, string, string];
type Vec = [Three, Six, unknown];
type None3 = ["0", "0", "0"];
type None6 = ["0", "0", "0", "0", "0", "0", ""];
/** No base: a plain number. */
type None = [None3, None6, ""];
type Fail<M extends string> = [None3, None6, M];

type Get<D, B> = B extends keyof D ? (D[B] extends string ? D[B] : "!") : "0";
type Others<D> = keyof D extends "kg" | "m" | "s"
  ? None6
  : [Get<D, "A">, Get<D, "K">, Get<D, "mol">, Get<D, "cd">, Get<D, "rad">, Get<D, "bit">, "any"];
/** From the record of an atom. */
type VecOf<D> = [D] extends [unknown]
  ? [[Get<D, "kg">, Get<D, "m">, Get<D, "s">], Others<D>, ""]
  : never;

// Conditional types even where nothing is asked: of those the compiler keeps the answers. They ask
// for a text at a fixed place, which is cheap; tuples as a whole are compared member by member.
type Sum3<A extends Three, B extends Three> = A[0] extends string
  ? [Sum[A[0]][B[0]], Sum[A[1]][B[1]], Sum[A[2]][B[2]]]
  : never;
type Sum6<A extends Six, B extends Six> = A[6] extends ""
  ? B
  : B[6] extends ""
    ? A
    : [
        Sum[A[0]][B[0]],
        Sum[A[1]][B[1]],
        Sum[A[2]][B[2]],
        Sum[A[3]][B[3]],
        Sum[A[4]][B[4]],
        Sum[A[5]][B[5]],
        "any",
      ];
type Plus<A extends string, B extends string> = Sum[A][B];
type SumOwn<A, B> = A extends ""
  ? B
  : B extends ""
    ? A
    : A extends string
      ? A
      : B extends string
        ? B
        : { [K in keyof A | keyof B]: Plus<Get<A, K>, Get<B, K>> };
type Raise3<A extends Three, X extends string> = A[0] extends string
  ? [Product[X][A[0]], Product[X][A[1]], Product[X][A[2]]]
  : never;
type Raise6<A extends Six, X extends string> = A[6] extends ""
  ? A
  : [
      Product[X][A[0]],
      Product[X][A[1]],
      Product[X][A[2]],
      Product[X][A[3]],
      Product[X][A[4]],
      Product[X][A[5]],
      "any",
    ];
type RaiseOwn<A, X extends string> = A extends string
  ? A
  : { [K in keyof A]: Product[X][Get<A, K>] };
type Power<A extends Vec, X extends string> = [Raise3<A[0], X>, Raise6<A[1], X>, RaiseOwn<A[2], X>];
/** `A Op B`; the first factor of a unit has no operator. */
type Apply<A extends Vec, Op, B extends Vec> = Op extends ""
  ? B
  : Op extends "."
    ? [Sum3<A[0], B[0]>, Sum6<A[1], B[1]>, SumOwn<A[2], B[2]>]
    : [
        Sum3<A[0], Raise3<B[0], "-1">>,
        Sum6<A[1], Raise6<B[1], "-1">>,
        SumOwn<A[2], RaiseOwn<B[2], "-1">>,
      ];

// Canonical text: numerators in base order, then "/" and each denominator.
type Over3<V extends Three> = V[0] extends string
  ? `${Over["kg"][V[0]]}${Over["m"][V[1]]}${Over["s"][V[2]]}`
  : never;
type Under3<V extends Three> = V[0] extends string
  ? `${Under["kg"][V[0]]}${Under["m"][V[1]]}${Under["s"][V[2]]}`
  : never;
type Over6<V extends Six> = V[6] extends ""
  ? ""
  : `${Over["A"][V[0]]}${Over["K"][V[1]]}${Over["mol"][V[2]]}${Over["cd"][V[3]]}${Over["rad"][V[4]]}${Over["bit"][V[5]]}`;
type Under6<V extends Six> = V[6] extends ""
  ? ""
  : `${Under["A"][V[0]]}${Under["K"][V[1]]}${Under["mol"][V[2]]}${Under["cd"][V[3]]}${Under["rad"][V[4]]}${Under["bit"][V[5]]}`;
type ShowE<X extends string> = X extends "1" ? "" : X extends `${string}/${string}` ? `^(${X})` : X;
type OverOwn<V, L = Custom, S extends string = ""> = L extends readonly [
  infer B extends string,
  ...infer R,
]
  ? OverOwn<
      V,
      R,
      `${S}${Get<V, B> extends infer X extends string ? (X extends "0" | `-${string}` ? "" : `.${B}${ShowE<X>}`) : never}`
    >
  : S;
type UnderOwn<V, L = Custom, S extends string = ""> = L extends readonly [
  infer B extends string,
  ...infer R,
]
  ? UnderOwn<V, R, `${S}${Get<V, B> extends `-${infer X}` ? `/${B}${ShowE<X>}` : ""}`>
  : S;
type Lead<S> = S extends `.${infer R}` ? R : "1";
type Text<V extends Vec> = `${Lead<`${Over3<V[0]>}${Over6<V[1]>}`>}${Under3<V[0]>}${Under6<V[1]>}`;
type OwnText<V extends Vec> =
  `${Lead<`${Over3<V[0]>}${Over6<V[1]>}${OverOwn<V[2]>}`>}${Under3<V[0]>}${Under6<V[1]>}${UnderOwn<V[2]>}`;
type Named<S> = S extends keyof typeof NAMES
  ? (typeof NAMES)[S]
  : S extends `${string}!${string}`
    ? "error: an exponent leaves the range -8 to 8"
    : S;
type Show<V extends Vec> = V[2] extends ""
  ? Named<Text<V>>
  : V[2] extends string
    ? `error: ${V[2]}`
    : Named<OwnText<V>>;

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
