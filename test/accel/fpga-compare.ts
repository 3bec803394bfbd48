//! Networks through a core and through the reference, output by output.
import { expect } from "vitest";
import type { Plan } from "../../agent/accel/backend.js";
import { Core } from "../../agent/accel/fpga/core.js";
import { loadHybrid } from "../../agent/accel/fpga/hybrid.js";
import type { Transport } from "../../agent/accel/fpga/transport.js";
import { reference } from "../../agent/accel/reference.js";
import { coreNetwork } from "./fpga-plans.js";

export const outputOf = ({ output }: Plan, batch = 1): Float32Array =>
  new Float32Array(batch * output.channels * output.places);

export function truthOf(plan: Plan, x: Float32Array, batch = 1): Float32Array {
  const y = outputOf(plan, batch);
  reference.load(plan, batch).infer(x, y, batch);
  return y;
}

/** Compares at least so many outputs on each; gives how many. */
export function compareAll(transports: readonly Transport[], outputs: number): number {
  const cores = transports.map((transport) => Core.open(transport));
  let compared = 0;
  for (let seed = 0; compared < outputs; seed++) {
    const { plan, x } = coreNetwork(seed);
    const expected = truthOf(plan, x);
    for (const core of cores) {
      core.reset();
      const hybrid = loadHybrid(plan, core, reference);
      expect(hybrid.why, `seed ${seed}`).toEqual([]);
      const y = outputOf(plan);
      hybrid.infer(x, y, 1);
      expect(y, `${core.name}, seed ${seed}`).toEqual(expected);
    }
    compared += expected.length;
  }
  return compared;
}
