//! What a shipped file says of how it was made. `rehearsal` is the hash of a short run of the very
//! same code: a test runs it again, so that nobody changes script, simulator or recipe and leaves
//! the old weights behind. `training` covers plan, rehearsal and the data of the whole run.
import { createHash } from "node:crypto";
import type { NetMeta } from "../onnx/ternary-net.js";
import type { Examples } from "./trainer.js";

export function provenance(
  plan: unknown,
  set: Examples,
  rehearsal: string,
  facts: Readonly<Record<string, string>>,
): NetMeta {
  const sum = createHash("sha256").update(JSON.stringify(plan)).update(rehearsal);
  sum.update(bytesOf(set.x)).update(bytesOf(set.y));
  const training = `sha256:${sum.digest("hex")}`;
  return {
    version: "1",
    training,
    facts: { ...facts, ...(rehearsal === "" ? {} : { rehearsal }) },
  };
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
