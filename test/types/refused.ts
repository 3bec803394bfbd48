//! What must not compile: each line without its error is an error of this file.
import {
  add,
  type Col,
  div,
  max,
  mul,
  numberOf,
  type Pt,
  type Qty,
  ratio,
  scale,
  shift,
  span,
  sqrt,
  type TernaryModel,
  unit,
} from "../../agent/units/index.js";

const m = unit("m");
const s = unit("s");
const Pa = unit("Pa");
const Cel = unit("Cel");
const rpm = unit("r/min");
declare const altitude: TernaryModel<"Pa", "m">;
declare function wants<T>(value: T): void;

// @ts-expect-error metres and seconds do not add
add(m(1), s(1));
// @ts-expect-error native + does not exist
m(1) + m(1);
// @ts-expect-error nor native *
m(1) * 2;
// @ts-expect-error comparison across dimensions
m(1) < s(1);
// @ts-expect-error the article's alarm: an acceleration is not a pressure
div(m(1), mul(s(1), s(1))) > Pa(1);
// @ts-expect-error equality across dimensions
m(1) === s(1);
// @ts-expect-error a quantity is not compared with a raw number
m(1) > 3;
// @ts-expect-error a pressure is no length
wants<Qty<"m">>(Pa(1));
// @ts-expect-error nor is a raw number
wants<Qty<"m">>(3);
// @ts-expect-error nor is a length a raw number
Math.abs(m(1));
// @ts-expect-error a temperature is a point, not a difference
wants<Qty<"K">>(Cel.point(20));
// @ts-expect-error two temperatures do not add
add(Cel.point(20), Cel.point(20));
// @ts-expect-error a temperature is not scaled
scale(Cel.point(20), 2);
// @ts-expect-error rpm is not Hz
wants<Qty<"Hz">>(rpm(1500));
// @ts-expect-error omega r is m.rad/s until unrad
wants<Qty<"m/s">>(mul(rpm(1500), m(1)));
// @ts-expect-error torque is not energy
wants<Qty<"J">>(unit("N.m/rad")(3));
// @ts-expect-error rms is not peak
add(unit("mm/s{rms}")(1), unit("mm/s{peak}")(1));
// @ts-expect-error gauge is not absolute
wants<Qty<"Pa{abs}">>(unit("bar{g}")(1));
// @ts-expect-error a kind is not dropped by silence
wants<Qty<"m/s">>(unit("mm/s{rms}")(1));
// @ts-expect-error a wrong input of a model
altitude.infer(m(1));
// @ts-expect-error a wrong column
wants<Col<"K">>(Pa.column(new Float64Array(1)));
// @ts-expect-error a temperature column of points is not one of differences
wants<Col<"K">>(Cel.pointColumn(new Float64Array(1)));
// @ts-expect-error no such unit
unit("mtr/s");
// @ts-expect-error no such exponent
unit("m^(1/3)");
// @ts-expect-error an exponent beyond 8
unit("m8.m");
// @ts-expect-error nor by a product: its type is a fault that fits nothing
wants<Qty<"m8">>(mul(unit("m8")(1), m(1)));
// @ts-expect-error and no unit can be asked for that is none
wants<Qty<"mtr">>(m(1));
// @ts-expect-error a column is not filled with another dimension
Pa.column(new Float64Array(1)).fill(m(1));
// @ts-expect-error nor set from one
Pa.column(new Float64Array(1)).set(unit("V").column(new Float64Array(1)));
// @ts-expect-error a datum is not forgotten by a shift
wants<Pt<"m{AGL}">>(shift(unit("m{AMSL}").point(1), m(1)));
// @ts-expect-error not closed
unit("W/(m2.K");
// @ts-expect-error kWh is energy, not power
wants<Qty<"W">>(unit("kWh")(5));
// @ts-expect-error g is gram, [g] is gravity
wants<Qty<"m/s2">>(unit("g")(1));
// @ts-expect-error a root of a length is no length
wants<Qty<"m">>(sqrt(m(1)));
// @ts-expect-error a length is not dimensionless
numberOf(m(1));
// @ts-expect-error nor is a ratio across dimensions
ratio(m(1), s(1));
// @ts-expect-error euros are not dollars
add(unit("EUR")(1), unit("USD")(1));
// @ts-expect-error a wrong amount into a column
Pa.column(new Float64Array(1))[0] = m(1);
// @ts-expect-error a temperature is not moved by a length
shift(Cel.point(1), m(1));
// @ts-expect-error above sea and above ground differ by the ground
span(unit("m{AMSL}").point(1), unit("m{AGL}").point(1));
// @ts-expect-error a difference has no span
span(Cel(1), Cel.point(1));
// @ts-expect-error the greater of two different things
max(m(1), s(1));
// @ts-expect-error a mass is no temperature
wants<Pt<"K">>(unit("kg").point(3));
