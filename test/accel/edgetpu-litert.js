//! LiteRT.js in a process of its own: it expects a browser, and its JavaScript knows no int8, which
//! its library computes. Reads [{ model, x }] in base64 from stdin, writes the outputs the same way.
import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { dirname, join } from "node:path";
import vm from "node:vm";

const require = createRequire(import.meta.url);
const core = require.resolve("@litertjs/core");
const folder = `${join(dirname(core), "../wasm")}/`;
const KNOWN = `dtype: "uint8",
    typedArrayConstructor: Uint8Array,
    elementType: ElementType.UINT8`;
const INT8 = KNOWN.replace("Uint8Array", "Int8Array").replace("UINT8", "INT8");

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (url !== `file://${core}`) return loaded;
    const source = String(loaded.source);
    if (!source.includes(KNOWN)) throw new Error("LiteRT.js has changed its table of types");
    return { ...loaded, source: source.replace(KNOWN, INT8) };
  },
});
// The parts of a browser's worker that it asks for.
globalThis.self = globalThis;
globalThis.require = require;
globalThis.__dirname = folder;
globalThis.__filename = `${folder}x.js`;
globalThis.importScripts = (url) => {
  const file = url.replace("file://", "");
  const text = readFileSync(file, "utf8");
  const script = text.replace(/^var ModuleFactory/m, "globalThis.ModuleFactory");
  vm.runInThisContext(script, { filename: file });
};
const { loadLiteRt, loadAndCompile, Tensor } = await import("@litertjs/core");
await loadLiteRt(folder, { threads: false, jspi: false });

const found = [];
for (const { model, shape, inputs } of JSON.parse(readFileSync(0, "utf8"))) {
  const compiled = await loadAndCompile(Buffer.from(model, "base64"), { accelerator: "wasm" });
  const outputs = [];
  for (const x of inputs) {
    const tensor = new Tensor(Int8Array.from(Buffer.from(x, "base64")), shape);
    const [y] = await compiled.run([tensor]);
    outputs.push(Buffer.from((await y.data()).slice()).toString("base64"));
    y.delete();
    tensor.delete();
  }
  compiled.delete();
  found.push(outputs);
}
process.stdout.write(JSON.stringify(found));
process.exit(0);
