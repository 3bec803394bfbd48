//! The relations that a machine's readings must keep, as rows, and what they say in an alarm: how far
//! each is off, which hold and which fail, which channels agree, and what else would explain it.
import { formatIn, valueIn } from "../units/format.js";
import { isUnitFault, parseUnit } from "../units/parse.js";
import { SUSPICIONS, type Suspicion } from "./chain/validity.js";
import { doubtedBy } from "./doubt.js";
import type { Finding, Port } from "./monitor.js";

export type Balance = {
  readonly name: string;
  /** Output that says how far it is off; null: it fails while one of `reads` disagrees. */
  readonly output: string | null;
  /** Outputs that speak of the same. */
  readonly also?: readonly string[];
  /** Off by more, in SI, it fails; a name is that of an output. */
  readonly beyond: number | string;
  /** What a well machine says, SI: a number, or a name of what commissioning learnt; 0 if absent. */
  readonly about?: number | string;
  /** Learnt spread of the output. */
  readonly sigma?: string;
  /** Channels that it rests on; the first is what it judges. */
  readonly reads: readonly string[];
  /** What else would explain it, were the machine well. */
  readonly otherwise: string;
};

/** What the shell knows at the moment of an alarm. */
export type Known = {
  /** Output now, SI; NaN: cannot tell. */
  said(output: string): number;
  learnt(name: string): number;
  /** What the equations expect a channel to read, SI. */
  expects(channel: string): number;
  /** Index of SUSPICIONS. */
  code(channel: string): number;
  /** The last reading, believed or not, SI. */
  raw(channel: string): number;
  readonly outputs: readonly Port[];
  readonly ports: readonly { readonly name: string; readonly unit: string }[];
};

const DISAGREES = SUSPICIONS.indexOf("disagrees");
/** What else than the instrument, by what is wrong with its readings. */
const OTHERWISE: Readonly<Record<Suspicion, string>> = {
  well: "",
  range: "the machine is larger than its range in the config (min, max)",
  step: "what it measures did change so fast",
  stuck: "what it measures does stand still",
  spikes: "somebody works at the machine",
  late: "the clock of its source, or the connection",
  disagrees: "the instrument is right, and the part that it measures has changed",
  "too quiet": "the machine is calmer than when it was commissioned",
};

/** The balance behind an output of the monitor, a doubted channel's included. */
export function balanceOf(rows: readonly Balance[], output: string): Balance | undefined {
  const channel = doubtedBy(output);
  return rows.find(({ output: own, also, reads }) =>
    channel === null
      ? own === output || also?.includes(output) === true
      : own !== null && reads[0] === channel,
  );
}

/** `inner`: what the equations say themselves. Null where nothing is known of the output. */
export function findingOf(
  rows: readonly Balance[],
  output: string,
  inner: Finding | null,
  known: Known,
): Finding | null {
  const balance = balanceOf(rows, output);
  const channel = doubtedBy(output) ?? "";
  const doubt = SUSPICIONS[known.code(channel)] ?? "well";
  if (balance === undefined && inner === null) return null;
  const own = balance === undefined ? null : expectation(balance, channel !== "", known);
  const told = inner !== null && Number.isFinite(inner.expected) ? inner : own;
  const { expected, sigma, unit } = told ?? inner ?? UNKNOWN;
  const other = doubt === "well" ? balance?.otherwise : OTHERWISE[doubt];
  const evidence = [
    ...(inner?.evidence ?? []),
    ...(balance === undefined ? [] : [offText(balance, known)]),
    ...standText(rows, known),
    ...(balance === undefined ? [] : agreeText(balance, known)),
    ...(other === undefined ? [] : [`other explanation: ${other}`]),
  ];
  return { expected, sigma, unit, evidence };
}

const UNKNOWN = { expected: Number.NaN, sigma: Number.NaN, unit: "1" } as const;

const unitOf = (output: string, { outputs }: Known): string =>
  outputs.find(({ name }) => name === output)?.unit ?? "1";

const aboutOf = ({ about = 0 }: Balance, { learnt }: Known): number =>
  typeof about === "number" ? about : learnt(about);

const beyondOf = ({ beyond }: Balance, { said }: Known): number =>
  typeof beyond === "number" ? beyond : said(beyond);

const offOf = (balance: Balance, known: Known): number =>
  balance.output === null ? Number.NaN : known.said(balance.output) - aboutOf(balance, known);

/** Of the output; or, asked of its channel, of that. */
function expectation(
  balance: Balance,
  ofChannel: boolean,
  known: Known,
): Omit<Finding, "evidence"> {
  const { output, sigma, reads } = balance;
  const spread = sigma === undefined ? Number.NaN : known.learnt(sigma);
  if (!ofChannel) {
    return { expected: aboutOf(balance, known), sigma: spread, unit: unitOf(output ?? "", known) };
  }
  const unit = known.ports.find(({ name }) => name === reads[0])?.unit ?? "1";
  const expected_si = known.expects(reads[0] ?? "");
  const expected = valueIn(expected_si, unit);
  // The spread of a share is not in the unit of its channel.
  const same = asDimension(unitOf(output ?? "", known)) === asDimension(unit);
  const scaled = same ? valueIn(expected_si + spread, unit) - expected : Number.NaN;
  return { expected, sigma: scaled, unit };
}

function asDimension(unit: string): string {
  const parsed = parseUnit(unit);
  return isUnitFault(parsed) ? "" : parsed.dim;
}

function offText(balance: Balance, known: Known): string {
  const { name, output } = balance;
  const off = offOf(balance, known);
  if (output === null || Number.isNaN(off)) return `${name}: not known now`;
  const unit = unitOf(output, known);
  const text = (si: number): string => formatIn(si, unit).replace(/ 1$/, "");
  const beyond = beyondOf(balance, known);
  const within = Number.isNaN(beyond) ? "" : `, holds within ${text(beyond)}`;
  return `${name}: off by ${text(off)}${within}`;
}

/** NaN: not known. */
function fails(balance: Balance, known: Known): boolean | null {
  const { output, reads } = balance;
  const codes = reads.map((channel) => known.code(channel));
  if (output === null) {
    if (codes.includes(DISAGREES)) return true;
    return codes.some((code) => code !== 0) ? null : false;
  }
  const off = Math.abs(offOf(balance, known));
  const beyond = beyondOf(balance, known);
  return Number.isNaN(off) || Number.isNaN(beyond) ? null : off > beyond;
}

function standText(rows: readonly Balance[], known: Known): string[] {
  const named = (stands: boolean | null): string =>
    rows
      .filter((row) => fails(row, known) === stands)
      .map(({ name }) => name)
      .join(", ");
  return [
    ["balances failed", named(true)],
    ["balances passed", named(false)],
    ["balances not known", named(null)],
  ].flatMap(([what, names]) => (names === "" ? [] : [`${what}: ${names}`]));
}

function agreeText({ reads }: Balance, known: Known): string[] {
  const there = reads.filter((channel) => !Number.isNaN(known.raw(channel)));
  const well = there.filter((channel) => known.code(channel) === 0);
  const odd = there.filter((channel) => known.code(channel) !== 0);
  return [
    ...(well.length === 0 ? [] : [`channels that agree: ${well.join(", ")}`]),
    ...(odd.length === 0 ? [] : [`channels in doubt: ${odd.join(", ")}`]),
  ];
}
