//! What must compile. `same<A, B>()` does only when A and B are one type.
import type { Dim, DivDim, MulDim, PowDim, UnradDim } from "../../agent/units/dimension.js";
import type { PhysicsAwareModel, TernaryModel } from "../../agent/units/index.js";
import {
  abs,
  add,
  anyKind,
  asKind,
  type Col,
  type Column,
  cube,
  div,
  fromZero,
  max,
  mul,
  numberOf,
  type Point,
  type PointColumn,
  type Pt,
  type Qty,
  type Quantity,
  ratio,
  scale,
  shift,
  span,
  sqrt,
  square,
  sub,
  toPoint,
  unit,
  unrad,
} from "../../agent/units/index.js";
import "../../docs/examples/register.js";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ["not the same"];
declare function same<A, B>(...fault: Same<A, B>): void;
declare function typeIs<B>(): <A>(value: A, ...fault: Same<A, B>) => void;

// One dimension, any spelling.
same<Qty<"N">, Qty<"kg.m/s2">>();
same<Qty<"N">, Qty<"kg.m/s^2">>();
same<Qty<"m/s^2">, Qty<"m.s-2">>();
same<Qty<"m/s/s">, Qty<"m/s2">>();
same<Qty<"mm/s">, Qty<"[ft_i]/min">>();
same<Qty<"kPa">, Qty<"psi">>();
same<Qty<"bar">, Quantity<"Pa">>();
same<Qty<"kWh">, Quantity<"J">>();
same<Qty<"kW.h">, Qty<"J">>();
same<Qty<"r/min">, Qty<"rpm">>();
same<Qty<"kn">, Qty<"km/h">>();
same<Qty<"%">, Quantity<"1">>();
same<Dim<"V/Hz^(1/2)">, Dim<"V.s^(1/2)">>();
same<Dim<"MPa.m^(1/2)">, "kg/m^(1/2)/s2">();
same<Dim<"mm/s{rms}">, "m/s{rms}">();
same<Dim<"{cells}/uL">, "1/m3{cells}">();
same<Dim<"EUR/kWh">, "s2.EUR/kg/m2">();
same<Dim<"EUR/USD">, "EUR/USD">();
same<Dim<"USD/EUR">, "USD/EUR">();
same<Dim<"cycle/h">, "cycle/s">();
same<Dim<"pallet.EUR/cycle">, "EUR.pallet/cycle">();
same<Dim<"EUR/USD">, "EUR/USD">();
same<Dim<"BTC.USD">, "USD.BTC">();
same<Dim<"10*3/mm3">, "1/m3">();
same<Dim<"/s">, "1/s">();
same<Dim<"daN">, "N">();
same<Dim<"W/(m2.K)">, Dim<"W/m2/K">>();
same<Dim<"(m/(s.(A)))/K">, "m/s/A/K">();
same<Dim<"KiBy">, "bit">();
same<MulDim<"N", "m/s">, "W">();
same<MulDim<"m/s{rms}", "s{a}">, "m">();
same<MulDim<"EUR.pallet", "K/pallet/mol">, "K.EUR/mol">();
same<MulDim<"kg^(1/2)/rad^(15/2)", "kg^(1/2)/rad^(1/2)">, "kg/rad8">();
same<DivDim<"m8", "m">, "m7">();
same<DivDim<"1", "V/s^(1/2)">, "s^(7/2).A/kg/m2">();
same<PowDim<"N", "1/2">, "kg^(1/2).m^(1/2)/s">();
same<UnradDim<"m.rad/s">, "m/s">();
// An exponent beyond 8 is a fault and stays one.
same<MulDim<"m8", "m">, "error: an exponent leaves the range -8 to 8">();
same<DivDim<MulDim<"m8", "m">, "m2">, "error: an exponent leaves the range -8 to 8">();
same<DivDim<"1/K8", "K^(1/2)">, "error: an exponent leaves the range -8 to 8">();
same<PowDim<"m3", "3">, "error: an exponent leaves the range -8 to 8">();
same<MulDim<"EUR8", "EUR">, "error: an exponent leaves the range -8 to 8">();

// Arithmetic.
const m = unit("m");
const s = unit("s");
const kg = unit("kg");
const Pa = unit("Pa");
const Cel = unit("Cel");
const acceleration = div(div(m(10), s(2)), s(1));
typeIs<Quantity<"m/s2">>()(acceleration);
const force = mul(kg(5), acceleration);
typeIs<Qty<"N">>()(force);
typeIs<Qty<"W">>()(mul(force, div(m(1), s(1))));
typeIs<Qty<"m">>()(sqrt(square(m(2))));
typeIs<Quantity<"m^(1/2)">>()(sqrt(m(2)));
typeIs<Qty<"m">>()(square(sqrt(m(2))));
typeIs<Qty<"m3">>()(cube(m(2)));
typeIs<number>()(ratio(m(2), m(1)));
typeIs<number>()(numberOf(unit("%")(5)));
typeIs<Qty<"m">>()(scale(abs(sub(m(2), m(3))), 3));
export const speed: Qty<"m/s"> = unit("mm/s")(12);
export const nearer: boolean = m(1) < m(2) && m(1) >= m(0);

// Points: shift, span, fromZero. The datum is a kind.
const warm: Pt<"K"> = Cel.point(20);
typeIs<Quantity<"K">>()(span(warm, Cel.point(10)));
typeIs<Point<"K">>()(shift(warm, Cel(5)));
typeIs<Quantity<"K">>()(fromZero(warm));
typeIs<Point<"m{AMSL}">>()(shift(unit("m{AMSL}").point(100), m(5)));
typeIs<Qty<"m">>()(span(unit("m{AMSL}").point(100), unit("ft{AMSL}").point(5)));
typeIs<Point<"m">>()(toPoint(m(3)));
export const hot: boolean = Cel.point(90) > warm;

// rad is a base; unrad is the step that SI leaves out.
const omega = unit("r/min")(1500);
typeIs<Quantity<"rad/s">>()(omega);
typeIs<Quantity<"m.rad/s">>()(mul(omega, m(2)));
typeIs<Qty<"m/s">>()(unrad(mul(omega, m(2))));
typeIs<Qty<"W">>()(mul(unit("N.m/rad")(3), omega));

// Kinds.
const vibration = unit("mm/s{rms}")(4.5);
typeIs<Quantity<"m/s{rms}">>()(vibration);
typeIs<Qty<"m/s">>()(anyKind(vibration));
typeIs<Quantity<"m/s{peak}">>()(asKind("peak", scale(anyKind(vibration), Math.SQRT2)));
typeIs<Quantity<"m/s{rms}">>()(max(vibration, vibration));
typeIs<Qty<"m2/s2">>()(square(vibration));

// Money.
typeIs<Qty<"EUR">>()(mul(unit("USD")(100), unit("EUR/USD")(0.9)));
typeIs<Qty<"EUR">>()(mul(mul(unit("MW")(2), unit("h")(3)), unit("EUR/kWh")(0.08)));

// Columns and models.
const pressures: Col<"hPa"> = unit("hPa").column(new Float32Array(8));
typeIs<Column<"Pa">>()(pressures);
typeIs<Quantity<"Pa"> | undefined>()(pressures[0]);
typeIs<PointColumn<"K">>()(Cel.pointColumn(new Float64Array(1)));
declare const thrust: TernaryModel<"m/s^2", "N">;
declare const power: TernaryModel<"N.m/s", "W">;
declare const altitude: TernaryModel<{ p: "Pa"; dt: "K" }, { h: "m" }>;
declare const output: PhysicsAwareModel<"W", "W", "W">;
typeIs<Qty<"W">>()(power.infer(mul(thrust.infer(acceleration), speed)));
typeIs<Qty<"m">>()(altitude.infer({ p: Pa(1), dt: unit("K")(2) }).h);
typeIs<Qty<"s">>()(div(unit("W.h")(90), power.infer(mul(force, speed))));
typeIs<Quantity<"W">[]>()(
  output.laws.map((law) => law.margin(unit("kW")(1), output.inferChecked(unit("kW")(1)).output)),
);

// A function over any dimensions infers them.
function kinetic<A, B>(mass: Quantity<A>, v: Quantity<B>) {
  return scale(mul(mass, mul(v, v)), 0.5);
}
typeIs<Qty<"J">>()(kinetic(kg(2), speed));

/** Deep in generic code the compiler must not try every exponent there is. */
function deep<A, B, C>(a: Quantity<A>, b: Quantity<B>, c: Quantity<C>) {
  const product = mul(square(mul(a, b)), div(sqrt(c), cube(b)));
  return ratio(add(product, scale(product, 2)), abs(div(mul(product, c), c)) as typeof product);
}
typeIs<number>()(deep(kg(2), speed, m(1)));
export const total = add(force, force);
