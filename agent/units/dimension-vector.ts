//! Dimensions at compile time: exponents over the bases, their sums and products, and their
//! canonical text. The twin of vector.ts; dimension.ts reads unit strings into them.
import type { CURRENCIES, NAMES } from "./atoms.js";
import type { Over, Product, Sum, Under } from "./exponents.js";
import type { Register } from "./register.js";

type Own = Register extends { bases: infer B extends readonly string[] } ? B : [];
export type Custom = [...typeof CURRENCIES, ...Fresh<Own>];
/** A program may register what is there already. */
type Fresh<L extends readonly string[]> = L extends readonly [
  infer B extends string,
  ...infer R extends readonly string[],
]
  ? B extends (typeof CURRENCIES)[number] | R[number]
    ? Fresh<R>
    : [B, ...Fresh<R>]
  : [];
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
export type Vec = [Three, Six, unknown];
export type None3 = ["0", "0", "0"];
export type None6 = ["0", "0", "0", "0", "0", "0", ""];
/** No base: a plain number. */
export type None = [None3, None6, ""];
export type Fail<M extends string> = [None3, None6, M];

type Get<D, B> = B extends keyof D ? (D[B] extends string ? D[B] : "!") : "0";
type Others<D> = keyof D extends "kg" | "m" | "s"
  ? None6
  : [Get<D, "A">, Get<D, "K">, Get<D, "mol">, Get<D, "cd">, Get<D, "rad">, Get<D, "bit">, "any"];
/** From the record of an atom. */
export type VecOf<D> = [D] extends [unknown]
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
export type Power<A extends Vec, X extends string> = [
  Raise3<A[0], X>,
  Raise6<A[1], X>,
  RaiseOwn<A[2], X>,
];
/** `A Op B`; the first factor of a unit has no operator. */
export type Apply<A extends Vec, Op, B extends Vec> = Op extends ""
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
export type Show<V extends Vec> = V[2] extends ""
  ? Named<Text<V>>
  : V[2] extends string
    ? `error: ${V[2]}`
    : Named<OwnText<V>>;
