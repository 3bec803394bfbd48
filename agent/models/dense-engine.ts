//! One model in ONNX Runtime on what was chosen for it, and on the CPU: the CPU's answer is the truth
//! of the trial and of the share that is checked, and goes on when the provider fails.
import { type Evidence, KEPT } from "../accel/evidence.js";
import { everyOf, type Outage } from "../accel/guard.js";
import { chooseProvider, type DenseUse, type Provider, type World } from "./dense-provider.js";
import { quote } from "./onnx/model.js";

/** Relative to the largest value of an output: what float sums in another order differ by. */
const TOLERANCE = 1e-4;

export type Data = Float32Array | Float64Array | Int32Array | BigInt64Array;
export type Tensor = { readonly data: Data; readonly dims: readonly number[] };
export type Info = {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
};
export type Session = {
  readonly inputMetadata: readonly Info[];
  readonly outputMetadata: readonly Info[];
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: object, fetches: object, options: object): Values;
};
type Values = Record<string, Tensor>;
/** The CPU, and before it a provider for as long as it is sound. */
export type Engine = {
  readonly cpu: Session;
  readonly provider: () => Provider;
  /** Compares an answer of the provider with the CPU's, and gives the CPU's. */
  trial(feeds: Values, fetches: object): Values;
  /** One share of the answers is compared: what is wrong is the CPU's then. */
  run(feeds: Values, fetches: object): Values;
};

export function openEngine(
  sessionOn: (provider: Provider) => Session,
  use: DenseUse,
  world: World,
): Engine {
  const cpu = sessionOn("cpu");
  const chosen = chooseProvider(use, world);
  const every = everyOf(use.share);
  let device: Session | null = null;
  let calls = 0;
  const takeOut = (when: Outage["when"], evidence: Evidence): void => {
    device = null;
    use.report({ backend: `dense ${chosen}`, when, ...evidence });
  };
  const failed = (when: Outage["when"], error: unknown): void =>
    takeOut(when, { why: firstLine(error), input: [], found: [], expected: [] });
  try {
    if (chosen !== "cpu") device = sessionOn(chosen);
  } catch (error) {
    failed("self-test", error);
  }
  const attempt = (when: Outage["when"], feeds: Values, fetches: object): Values | null => {
    try {
      return device?.run(feeds, fetches, {}) ?? null;
    } catch (error) {
      failed(when, error);
      return null;
    }
  };
  const compared = (when: Outage["when"], feeds: Values, fetches: object): Values => {
    const found = attempt(when, feeds, fetches);
    const right = cpu.run(feeds, fetches, {});
    const evidence = found === null ? null : differing(feeds, found, right);
    if (evidence !== null) takeOut(when, evidence);
    return found === null || evidence !== null || when === "self-test" ? right : found;
  };
  return {
    cpu,
    provider: () => (device === null ? "cpu" : chosen),
    trial: (feeds, fetches) => compared("self-test", feeds, fetches),
    run(feeds, fetches): Values {
      if (device === null) return cpu.run(feeds, fetches, {});
      calls += 1;
      if (calls % every === 0) return compared("operation", feeds, fetches);
      return attempt("operation", feeds, fetches) ?? cpu.run(feeds, fetches, {});
    },
  };
}

/** The first value that is not the same within the tier, or null. */
function differing(feeds: Values, found: Values, right: Values): Evidence | null {
  const kept = (data: Data | undefined, at: number): number[] =>
    Array.from(data?.slice(at, at + KEPT) ?? [], Number);
  const input = kept(Object.values(feeds)[0]?.data, 0);
  for (const [name, { data: b }] of Object.entries(right)) {
    const a = found[name]?.data;
    if (a === undefined || a.length !== b.length) {
      const why = `output ${quote(name)} has another size than the CPU's`;
      return { why, input, found: kept(a, 0), expected: kept(b, 0) };
    }
    if (!isNumeric(b)) continue;
    const values = Array.from(b, Number);
    const most = TOLERANCE * values.reduce((largest, v) => Math.max(largest, Math.abs(v) || 0), 0);
    const at = values.findIndex((value, i) => {
      const other = Number(a[i]);
      return !Object.is(other, value) && !(Math.abs(other - value) <= most);
    });
    if (at < 0) continue;
    const why = `output ${quote(name)} differs from the CPU's: ${a[at]}, not ${b[at]}`;
    const first = Math.max(0, at - KEPT / 2);
    return { why, input, found: kept(a, first), expected: kept(b, first) };
  }
  return null;
}

export function isNumeric(data: Data): boolean {
  return ArrayBuffer.isView(data);
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
