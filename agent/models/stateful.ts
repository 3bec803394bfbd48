//! A model with a state, one step a call, in an engine that keeps none: what an output gave is the
//! input of the next call. `sterna.state` of the file joins them.
import type { Model } from "./model.js";
import type { StateMeta } from "./onnx/meta.js";
import { quote } from "./onnx/model.js";

/** Without the inputs and outputs of the state; a text says which of them does not fit. */
export function withState(model: Model, states: readonly StateMeta[]): Model | string {
  const joined = states.map(({ input, output }) => {
    const to = model.inputs.findIndex((port) => port.name === input);
    const from = model.outputs.findIndex((port) => port.name === output);
    const size = model.inputs[to]?.size;
    const fits = size !== undefined && size === model.outputs[from]?.size;
    return fits ? { to, from, value: new Float32Array(size) } : `${quote(input)}, ${quote(output)}`;
  });
  const wrong = joined.find((one) => typeof one === "string");
  if (wrong !== undefined) {
    return `sterna.state joins ${wrong}: no input and output of one size; name those of the graph`;
  }
  const kept = joined.filter((one) => typeof one !== "string");
  const others = model.inputs.flatMap((_, i) => (kept.some(({ to }) => to === i) ? [] : [i]));
  const seen = model.outputs.flatMap((_, i) => (kept.some(({ from }) => from === i) ? [] : [i]));
  const given = model.inputs.map((_, i): Float32Array | undefined => {
    return kept.find(({ to }) => to === i)?.value;
  });
  const made = model.outputs.map((port) => new Float32Array(port.size));
  return {
    ...model,
    inputs: others.map((i) => model.inputs[i] as Model["inputs"][number]),
    outputs: seen.map((i) => model.outputs[i] as Model["outputs"][number]),
    get tier() {
      return model.tier;
    },
    run(inputs, outputs): string | null {
      others.forEach((at, i) => {
        given[at] = inputs[i];
      });
      const fault = model.run(given, made);
      if (fault !== null) return fault;
      const next = kept.map(({ from }) => made[from] as Float32Array);
      const known = next.every((values) => values.every(Number.isFinite));
      // As in a ternary network: an unknown answer leaves the state as it was.
      if (known) for (const [i, { value }] of kept.entries()) value.set(next[i] as Float32Array);
      seen.forEach((at, i) => {
        if (known) outputs[i]?.set(made[at] as Float32Array);
        else outputs[i]?.fill(Number.NaN);
      });
      return null;
    },
    reset(): void {
      for (const { value } of kept) value.fill(0);
    },
  };
}
