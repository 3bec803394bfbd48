//! The bytes of a model file. Only a file of a fit size is read: a pipe would never end, and a device
//! such as /dev/zero never says how long it is.
import { readFileSync, statSync } from "node:fs";
import { MODEL_BYTES_MAX } from "./onnx/read-tensor.js";

/** A text says why it is not read; the caller puts the name of the file before it. */
export function readModelFile(file: string): Uint8Array | string {
  try {
    const found = statSync(file);
    if (!found.isFile()) return "cannot be read: it is no regular file; write that of a model";
    const most = `at most ${MODEL_BYTES_MAX / 2 ** 20} MiB are read`;
    if (found.size > MODEL_BYTES_MAX) {
      return `${Math.ceil(found.size / 2 ** 20)} MiB, ${most}; name a smaller one`;
    }
    return readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `cannot be read: ${why}; name an ONNX file`;
  }
}
