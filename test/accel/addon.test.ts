//! The addon where a program can hurt it: arguments of any kind throw and never crash, threads are
//! there only for large networks, and neither an exit nor the end of a worker thread hangs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addonAt } from "../../agent/accel/native.js";
import { packageFile } from "../../agent/base/files.js";

const ADDON = packageFile("build/Release/sterna_accel.node");
const absent = !existsSync(ADDON);
if (absent) console.log("no addon was built: it is not tested here");

test("an addon of another version is no addon", () => {
  const file = join(mkdtempSync(join(tmpdir(), "sterna-stale-")), "stale.cjs");
  writeFileSync(file, "exports.kernels = () => []; exports.layout = 2;");
  expect(() => addonAt(file)).toThrow("built from other sources");
});

/** Anything, and now and then what is nearly right. */
const argument = fc.oneof(
  fc.anything({ withTypedArray: true, withBigInt: true, withNullPrototype: true }),
  fc.float32Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 400 }),
  fc.constantFrom("avx2", "avx512-vnni", "scalar", "neon", "x".repeat(4000)),
  fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 53, Number.NaN, 1e308),
  fc.constant(new Float32Array(new SharedArrayBuffer(64))),
  fc.constant(new Proxy(new Float32Array(4), {})),
);

test.skipIf(absent)("arguments of any kind throw or do no harm", () => {
  const addon = addonAt(ADDON) as unknown as Record<string, (...args: unknown[]) => unknown>;
  const calls = ["load", "loadEncoder", "peak", "kernels"];
  fc.assert(
    fc.property(fc.constantFrom(...calls), fc.array(argument, { maxLength: 5 }), (name, args) => {
      try {
        // A sound number of rounds is no abuse, only slow.
        if (name === "peak" && typeof args[0] === "number") args[0] = Math.min(args[0], 10);
        addon[name]?.(...args);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 3000 },
  );
});

/** A child process with the built package: `code` has what it needs in scope. */
function child(code: string): { readonly status: number | null; readonly text: string } {
  const at = (file: string): string => JSON.stringify(packageFile(`dist/agent/accel/${file}.js`));
  const script = join(mkdtempSync(join(tmpdir(), "sterna-addon-")), "script.mjs");
  const head = `
    import { readdirSync } from "node:fs";
    import { isMainThread, Worker, workerData } from "node:worker_threads";
    import { denseStage } from ${at("backend")};
    import { openNative, probeNative } from ${at("native")};
    const kernel = ["avx2", "neon"].find((name) => probeNative(name) === null);
    const threads = () => readdirSync("/proc/self/task").length;
    function net(size, lanes, batch = 4) {
      const layer = {
        rows: size, cols: size, ternary: true, relu: false,
        weights: Int8Array.from({ length: size * size }, (_, i) => ((i * 7919) % 3) - 1),
        bias: new Int32Array(size), multiplier: new Uint16Array(size).fill(20000),
        shift: new Uint8Array(size).fill(19),
      };
      const to = size + 64;
      const loaded = openNative(kernel, lanes).load({
        input: { channels: size, lines: 1, length: 1, at: 0, line: 0, inverse: 31 },
        stages: [denseStage(layer, 0, to)], state: [],
        output: { channels: size, places: 1, at: to, sums: true, relu: false,
          scale: new Float64Array(size).fill(0.1) },
        arena_bytes: to + size,
      }, batch);
      const x = Float32Array.from({ length: size * batch }, (_, i) => Math.sin(i));
      const y = new Float32Array(size * batch);
      return () => { loaded.infer(x, y, batch); return y; };
    }
  `;
  writeFileSync(script, head + code);
  const done = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 60_000 });
  return { status: done.status, text: (done.stdout + done.stderr).trim() };
}

test.skipIf(absent)(
  "small networks start no thread; large ones some, and the exit is clean",
  () => {
    const found = child(`
    const before = threads();
    net(256, 0)();
    console.log(threads() - before);
    const run = net(1280, 2);
    for (let i = 0; i < 20; i++) run();
    const { cpus } = await import("node:os");
    const more = threads() - before;
    console.log(more <= 7 && (more >= 1 || cpus().length === 1));
  `);
    expect(found).toEqual({ status: 0, text: "0\ntrue" });
  },
);

test.skipIf(absent)("worker threads share the crew, and end while it lives on", () => {
  const found = child(`
    const right = isMainThread ? null : workerData;
    if (!isMainThread) {
      const run = net(1280, 2);
      let wrong = 0;
      for (let i = 0; i < 30; i++) if (!run().every((v, at) => v === right[at])) wrong += 1;
      process.exitCode = wrong;
    } else {
      const expected = Float32Array.from({ length: 1280 * 4 });
      const alone = net(1280, 1)();
      expected.set(alone);
      const url = new URL(import.meta.url);
      const ends = [0, 1, 2].map(() => new Promise((resolve) => {
        new Worker(url, { workerData: expected }).on("exit", resolve);
      }));
      const run = net(1280, 2);
      for (let i = 0; i < 30; i++) run();
      console.log((await Promise.all(ends)).join(" "), run().every((v, i) => v === expected[i]));
    }
  `);
  expect(found).toEqual({ status: 0, text: "0 0 0 true" });
});

test.skipIf(absent)("a worker alone loads it and ends: the threads it made do no harm", () => {
  const found = child(`
    if (isMainThread) {
      const end = await new Promise((resolve) => new Worker(new URL(import.meta.url)).on("exit", resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(end);
    } else {
      const run = net(1280, 2);
      for (let i = 0; i < 5; i++) run();
    }
  `);
  expect(found).toEqual({ status: 0, text: "0" });
});
