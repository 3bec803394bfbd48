//! The claims of a model, proven from the integers that run: bounds of every output, inputs in which
//! no output falls, and the intervals that the file states. A claim that does not hold is refused.
import { FALLS, fullRange, planeAt, type Range, RISES, type Sums, trace } from "./intervals.js";
import type { Planned } from "./net-plan.js";
import type { TernaryNet } from "./onnx/ternary-net.js";
import { offsetsOf, type Plane, stepOf, type View } from "./plane.js";

/** Rounding of float64 in the real ends, not of the integers. */
const TOLERANCE = 1e-9;
/** A state is traced until nothing new moves; each round moves something more, or ends. */
const ROUNDS_MAX = 64;

type Ends = readonly [number, number];

export type Proof = {
  /** By layer: the least and the most step of any of its channels. */
  readonly layers: ReadonlyMap<string, Ends>;
  /** By channel of the output, in its unit. */
  readonly output: readonly Ends[];
  /** The first layer in which a value can fall when a declared input rises, or null. */
  readonly falls: string | null;
};

export function prove(planned: Planned, net: TernaryNet): Proof {
  const { plan, planes } = planned;
  const start = startOf(planned, net);
  let ranges = new Map(start);
  let sums: Sums | null = null;
  let falls: string | null = null;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    ranges = new Map(start);
    for (const stage of plan.stages) {
      sums = trace(stage, planes, ranges);
      const plane = planeAt(planes, stage.y.at);
      if (falls === null && (ranges.get(plane) as Range).moves.some((bits) => bits & FALLS)) {
        falls = plane.owner;
      }
    }
    let more = false;
    for (const { from, to } of plan.state) {
      const [next, kept] = [from, to].map((at) => planeAt(planes, at)) as [Plane, Plane];
      (ranges.get(next) as Range).moves.forEach((bits, c) => {
        const { moves } = start.get(kept) as Range;
        more ||= (bits & ~(moves[c] as number)) !== 0;
        moves[c] = (moves[c] as number) | bits;
      });
    }
    if (!more) break;
  }
  const layers = new Map<string, Ends>();
  for (const [plane, { low, high }] of ranges) {
    if (start.has(plane)) continue;
    const [least, most] = layers.get(plane.owner) ?? [32_767, -32_767];
    layers.set(plane.owner, [Math.min(least, ...low), Math.max(most, ...high)]);
  }
  const { output } = plan;
  const last = ranges.get(planeAt(planes, output.at)) as Range;
  const fell = last.moves.some((bits) => bits & FALLS);
  return {
    layers,
    output: endsOf(planned, last, output.sums ? sums : null),
    falls: fell ? falls : null,
  };
}

/** What the input and the states can be, and which input channels are declared to rise. */
function startOf({ plan, planes, values }: Planned, net: TernaryNet): Map<Plane, Range> {
  const start = new Map<Plane, Range>();
  const input = planeAt(planes, plan.input.at);
  const range = fullRange(input);
  const monotone = net.claims?.monotone ?? [];
  const offsets = offsetsOf(values.get(net.input.name) as View);
  for (const at of monotone) range.moves[(offsets[at] as number) % stepOf(input)] = RISES;
  start.set(input, range);
  for (const { to } of plan.state) {
    const plane = planeAt(planes, to);
    start.set(plane, fullRange(plane));
  }
  return start;
}

function endsOf({ plan }: Planned, range: Range, sums: Sums | null): Ends[] {
  const { channels, scale, relu } = plan.output;
  const from = sums ?? range;
  return Array.from({ length: channels }, (_, c): Ends => {
    // Values in the order of memory run through the channels of their plane.
    const at = c % from.low.length;
    const unit = scale[c] as number;
    const [low, high] = [(from.low[at] as number) * unit, (from.high[at] as number) * unit];
    return sums !== null && relu ? [Math.max(0, low), Math.max(0, high)] : [low, high];
  });
}

/** More outputs than this are stated in few digits: exact ones of thousands are a large part of a
 * file. */
const EXACT_MAX = 64;
const DIGITS = 3;

/** What the writer puts into the file: exact, or of many outputs somewhat wider. */
export function certificateOf({ layers, output }: Proof): string {
  const stated = output.length <= EXACT_MAX ? output : output.map(outward);
  const named = [...layers].map(([name, ends]) => [name, ...ends]);
  return JSON.stringify({ layers: named, output: stated });
}

/** In few digits, and never narrower. */
function outward([low, high]: Ends): Ends {
  return [-roundedUp(-low), roundedUp(high)];
}

function roundedUp(value: number): number {
  const near = Number(value.toPrecision(DIGITS));
  if (near >= value) return near;
  const last = 10 ** (Math.floor(Math.log10(Math.abs(near))) + 1 - DIGITS);
  return Number((near + last).toPrecision(DIGITS));
}

/** Null when everything holds that net and file claim; else the claim and the layer. */
export function claimFault(
  planned: Planned,
  net: TernaryNet,
  certificate: string | null,
): string | null {
  const { claims } = net;
  if (claims === undefined && certificate === null) return null;
  const size = net.input.shape.reduce((a, b) => a * b, 1);
  const beyond = claims?.monotone?.find((at) => !(Number.isInteger(at) && at >= 0 && at < size));
  if (beyond !== undefined) return `it claims input ${beyond} of ${size} to be monotone`;
  const proof = prove(planned, net);
  if (certificate !== null) {
    const fault = statedFault(certificate, proof);
    if (fault !== null) return fault;
  }
  if ((claims?.monotone ?? []).length > 0 && proof.falls !== null) {
    return `${proof.falls}: the output may fall when a monotone input rises; the claim does not hold`;
  }
  return claims?.bounds === undefined ? null : boundFault(claims.bounds, proof);
}

function boundFault(claimed: Ends, proof: Proof): string | null {
  const at = proof.output.findIndex((ends) => !within(ends, claimed));
  if (at < 0) return null;
  const found = shown(proof.output[at] as Ends);
  return `${lastOf(proof)}: output ${at} can be ${found}, the file claims ${shown(claimed)}`;
}

function within([low, high]: Ends, [least, most]: Ends): boolean {
  // Of what is proven: a claim must not buy room at one end by the size of the other.
  const more = TOLERANCE * Math.max(1, Math.abs(low), Math.abs(high));
  return low >= least - more && high <= most + more;
}

/** Compares layer by layer, so that the first that differs is named. */
function statedFault(text: string, proof: Proof): string | null {
  const bad = "metadata sterna.certificate is no certificate; write the file again with sterna";
  const stated = parse(text);
  if (stated === null) return bad;
  for (const [name, ends] of proof.layers) {
    const claimed = stated.layers.get(name);
    if (claimed === undefined) return `${name}: the certificate says nothing of it`;
    if (!within(ends, claimed)) {
      return `${name}: its steps can be ${shown(ends)}, the certificate claims ${shown(claimed)}`;
    }
  }
  if (stated.output.length !== proof.output.length) return bad;
  const at = proof.output.findIndex((ends, i) => !within(ends, stated.output[i] as Ends));
  if (at < 0) return null;
  const [found, claimed] = [proof.output[at], stated.output[at]].map((ends) => shown(ends as Ends));
  return `${lastOf(proof)}: output ${at} can be ${found}, the certificate claims ${claimed}`;
}

function lastOf({ layers }: Proof): string {
  return [...layers.keys()].at(-1) ?? "the output";
}

function shown([low, high]: Ends): string {
  return `${Number(low.toPrecision(6))} to ${Number(high.toPrecision(6))}`;
}

function parse(text: string): { layers: Map<string, Ends>; output: Ends[] } | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { layers, output } = found as Record<string, unknown>;
  if (!Array.isArray(layers) || !Array.isArray(output) || !output.every(isEnds)) return null;
  const byName = new Map<string, Ends>();
  for (const item of layers as unknown[]) {
    if (!Array.isArray(item)) return null;
    const [name, ...ends] = item as unknown[];
    if (typeof name !== "string" || !isEnds(ends)) return null;
    byName.set(name, ends);
  }
  return { layers: byName, output };
}

function isEnds(value: unknown): value is Ends {
  return (
    Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === "number")
  );
}
