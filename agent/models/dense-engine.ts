//! One model in ONNX Runtime on what was chosen for it, and on the CPU: the CPU's answer is the truth
//! of the trial, and goes on when the provider fails.
import {
  chooseProvider,
  type DenseUse,
  outageOf,
  type Provider,
  type World,
} from "./dense-provider.js";
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
  run(feeds: object, fetches: object, options: object): Record<string, Tensor>;
};
/** The CPU, and before it a provider for as long as it is sound. */
export type Engine = {
  readonly cpu: Session;
  readonly provider: () => Provider;
  /** Compares an answer of the provider with the CPU's, and gives the one to use. */
  trial(feeds: object, fetches: object): Record<string, Tensor>;
  run(feeds: object, fetches: object): Record<string, Tensor>;
};

export function openEngine(
  sessionOn: (provider: Provider) => Session,
  use: DenseUse,
  world: World,
): Engine {
  const cpu = sessionOn("cpu");
  const chosen = chooseProvider(use, world);
  let device: Session | null = null;
  const takeOut = (when: "self-test" | "operation", why: string): void => {
    device = null;
    use.report(outageOf(chosen, when, why));
  };
  try {
    if (chosen !== "cpu") device = sessionOn(chosen);
  } catch (error) {
    takeOut("self-test", firstLine(error));
  }
  const attempt = (when: "self-test" | "operation", feeds: object, fetches: object) => {
    try {
      return device?.run(feeds, fetches, {}) ?? null;
    } catch (error) {
      takeOut(when, firstLine(error));
      return null;
    }
  };
  return {
    cpu,
    provider: () => (device === null ? "cpu" : chosen),
    trial(feeds, fetches): Record<string, Tensor> {
      const found = attempt("self-test", feeds, fetches);
      const right = cpu.run(feeds, fetches, {});
      const name = found === null ? undefined : differing(found, right);
      if (name !== undefined) takeOut("self-test", `output ${quote(name)} differs from the CPU's`);
      return right;
    },
    run: (feeds, fetches) => attempt("operation", feeds, fetches) ?? cpu.run(feeds, fetches, {}),
  };
}

/** The first output that is not the same within the tier. */
function differing(found: Record<string, Tensor>, right: Record<string, Tensor>) {
  return Object.keys(right).find((name) => {
    const [a, b] = [found[name]?.data, right[name]?.data];
    if (a === undefined || b === undefined || a.length !== b.length) return true;
    if (!isNumeric(b)) return false;
    const values = Array.from(b, Number);
    const most = TOLERANCE * values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
    return values.some((value, i) => {
      const other = Number(a[i]);
      return !Object.is(other, value) && !(Math.abs(other - value) <= most);
    });
  });
}

export function isNumeric(data: Data): boolean {
  return ArrayBuffer.isView(data);
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
