//! How units are spelt: what the wire prints for a habit, and what to write instead of what is no
//! unit here.

/** `word unit, word unit`: what the tables below are written in. */
const pairs = (text: string): [string, string][] =>
  text.split(/,\s+/).map((pair) => {
    const [word = "", unit = ""] = pair.split(" ");
    return [word, unit];
  });

/** What the wire prints for a habit; a prefix goes in front. UCUM has no `r`: a turn is `circ`. */
export const SPELLING: ReadonlyMap<string, string> = new Map(
  pairs(`r circ, rpm circ/min, kn [kn_i], mph [mi_i]/h, degC Cel, degF [degF], psi [psi], ft [ft_i],
  in [in_i], lb [lb_av], lbf [lbf_av], hp [HP], gpm [gal_us]/min, cfm [cft_i]/min, ppm [ppm],
  ppb [ppb], Wh W.h, Ah A.h, VA V.A, var V.A, Nm N.m`),
);

/** Words and signs that are no unit here, each with the unit that is meant. */
const WORDS = `°C Cel, °F [degF], ° deg, ℃ Cel, ℉ [degF], µ u, μ u, Ω Ohm, \u2126 Ohm, · ., ⋅ ., × .,
  − -, – -, ∕ /, ⁄ /, ‰ [ppth], € EUR, $ USD,
  celsius Cel, kelvin K, fahrenheit [degF], percent %, pct %, sec s, secs s,
  second s, seconds s, minute min, minutes min, hr h, hour h, hours h, day d, days d, rev r,
  kts kn, knots kn, ohm Ohm, hz Hz, rpm rpm, psi psi, kpa kPa, hpa hPa, kw kW, kwh kWh,
  kva kVA, kvar kvar, hrs h, u r, deg deg, var var, volt V, volts V, amp A, amps A, ampere A,
  watt W, watts W, degrees deg, mmhg mm[Hg], inhg [in_i'Hg], mmh2o mm[H2O], inh2o [in_i'H2O],
  barg bar{g}, bara bar{abs}, psig psi{g}, psia psi{abs}, kmh km/h, kph km/h, mps m/s, mtr m,
  meter m, metre m, degr [degR], rankine [degR], degk K, ksi 10*3.psi`;

/** What to write instead, in the words of the advice. */
export const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["*", '"." for a product, as in "N.m"'],
  ["²", '"2", as in "m2"'],
  ["³", '"3", as in "m3"'],
  ["⁻", '"-", as in "s-1"'],
  ["G", '"[g]" for gravity'],
  ["gee", '"[g]" for gravity'],
  ["B", '"By" for byte; a level in dB needs fromDecibel()'],
  ["dB", "a linear unit: a level in dB is not linear and needs fromDecibel()"],
  ["sqrt", '"^(1/2)", as in "V/Hz^(1/2)"'],
  ...pairs(WORDS).map(([word, unit]): [string, string] => [word, `"${unit}"`]),
]);

/**
 * Cyrillic and Greek letters, each with the Latin one that it is taken for. Not those that look like
 * one unit and mean another (`В` is a volt and looks like B).
 */
const FOREIGN = "аеіјклмортухАЕІЈКМОРСТХαικνορΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";
const LATIN = "aeijklmoptyxAEIJKMOPCTXaikvopABEZHIKMNOPTYX";
export const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  Array.from(FOREIGN, (letter, i) => [letter, LATIN.charAt(i)]),
);
