//! ggml as the peer of the kernels: one matrix of its ternary weights (TQ2_0, made of the same trits)
//! times fp32, which it turns into int8 blocks by itself. Its libraries are those of the npm package
//! @node-llama-cpp/linux-x64; they are no part of Sterna and lie in .cache when a run with
//! `--peers` has fetched them. Calls are ggml.h's, planned once; its threads are kept between calls.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { assert } from "../../agent/base/errors.js";
import { packageFile } from "../../agent/base/files.js";
import { prng } from "../../agent/base/prng.js";
import type { Entry } from "../kernel-times.js";

const PACKAGE = {
  name: "@node-llama-cpp/linux-x64",
  version: "3.22.1",
  integrity:
    "sha512-5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==",
} as const;
const CACHED = packageFile(`.cache/packages/${PACKAGE.name}/package`);
const FOLDER = join(CACHED, "bins/linux-x64");
const [F32, TQ2_0] = [0, 35];
const CONTEXT_BYTES = 64 * 2 ** 20;
/** Larger than ggml's own, which grow from version to version. */
const [SPARE_BYTES, POOL_BYTES] = [128, 4096];

/** Null, or why ggml cannot be a peer here. */
export function probeGgml(): string | null {
  if (process.arch !== "x64") return "its package is for x64";
  const manifest = join(CACHED, "package.json");
  const { version } = PACKAGE;
  const present =
    existsSync(manifest) && readFileSync(manifest, "utf8").includes(`"version": "${version}"`);
  return present ? null : `no ggml ${version}: npm run bench:kernels -- --peers fetches it`;
}

export function fetchGgml(): void {
  if (probeGgml() === null) return;
  const { name, version, integrity } = PACKAGE;
  const args = [packageFile("agent/accel/native/fetch.mjs"), name, version, integrity];
  spawnSync(process.execPath, args, { stdio: "inherit" });
}

type Koffi = typeof import("koffi");
/** As koffi gives them. */
type Pointer = unknown;

function open() {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const base = koffi.load(join(FOLDER, "libggml-base.so"));
  // One library for each kind of CPU, which itself says how well it fits this one.
  const fitting = readdirSync(FOLDER)
    .filter((file) => file.startsWith("libggml-cpu-"))
    .map((file) => koffi.load(join(FOLDER, file)))
    .map((lib) => ({ lib, score: Number(lib.func("int ggml_backend_score()")()) }))
    .reduce((best, each) => (each.score > best.score ? each : best));
  const cpu = fitting.lib;
  koffi.struct("ggml_init_params", { mem_size: "size_t", mem_buffer: "void*", no_alloc: "bool" });
  const plan = koffi.struct("ggml_cplan", {
    ...{ work_size: "size_t", work_data: "void*", n_threads: "int", threadpool: "void*" },
    spare: koffi.array("uint8_t", SPARE_BYTES, "Typed"),
  });
  cpu.func("void ggml_cpu_init()")();
  const makePlan = cpu.func("ggml_cplan ggml_graph_plan(void* graph, int threads, void* pool)");
  const planOf = (graph: Pointer, threads: number, pool: Pointer): Pointer => {
    const made = makePlan(graph, threads, pool) as { work_size: number | bigint };
    const work_data: unknown = koffi.alloc("uint8_t", Math.max(1, Number(made.work_size)));
    const at: unknown = koffi.alloc(plan, 1);
    koffi.encode(at, plan, { ...made, work_data });
    return at;
  };
  return {
    koffi,
    init: base.func("void* ggml_init(ggml_init_params params)"),
    tensor: base.func("void* ggml_new_tensor_2d(void* context, int type, int64_t, int64_t)"),
    data: base.func("void* ggml_get_data(void* tensor)"),
    quantize: base.func(
      "size_t ggml_quantize_chunk(int, float*, void* to, int64_t, int64_t, int64_t, void*)",
    ),
    multiply: base.func("void* ggml_mul_mat(void* context, void* weights, void* x)"),
    graph: base.func("void* ggml_new_graph(void* context)"),
    expand: base.func("void ggml_build_forward_expand(void* graph, void* tensor)"),
    poolDefaults: base.func("void ggml_threadpool_params_init(void* params, int threads)"),
    pool: cpu.func("void* ggml_threadpool_new(void* params)"),
    pause: cpu.func("void ggml_threadpool_pause(void* pool)"),
    compute: cpu.func("int ggml_graph_compute(void* graph, void* plan)"),
    planOf,
    floats: (tensor: Pointer, length: number) => new Float32Array(koffi.view(tensor, 4 * length)),
  };
}

let opened: ReturnType<typeof open> | null = null;

/** rows x cols weights times a batch of x, with so many threads. Its answers are checked here. */
export function ggmlEntry(
  [rows, cols, batch]: readonly [number, number, number],
  threads: 1 | 2,
): Entry {
  opened ??= open();
  const ggml = opened;
  const random = prng(rows + cols, "ggml");
  const weights = Float32Array.from(
    { length: rows * cols },
    () => Math.floor(random.next() * 3) - 1,
  );
  const context = ggml.init({ mem_size: CONTEXT_BYTES, mem_buffer: null, no_alloc: false });
  const w = ggml.tensor(context, TQ2_0, cols, rows);
  ggml.quantize(TQ2_0, weights, ggml.data(w), 0, rows, cols, null);
  const input = ggml.tensor(context, F32, cols, batch);
  const x = ggml.floats(ggml.data(input), cols * batch);
  for (let i = 0; i < x.length; i++) x[i] = random.normal();
  const product = ggml.multiply(context, w, input);
  const graph = ggml.graph(context);
  ggml.expand(graph, product);
  const params: unknown = ggml.koffi.alloc("uint8_t", POOL_BYTES);
  ggml.poolDefaults(params, threads);
  const pool = ggml.pool(params);
  const plan = ggml.planOf(graph, threads, pool);
  const run = (): void => void ggml.compute(graph, plan);
  run();
  const y = ggml.floats(ggml.data(product), rows * batch);
  for (let row = 0; row < rows; row += 101) {
    const own = weights.subarray(row * cols, (row + 1) * cols);
    const sum = own.reduce((total, weight, i) => total + weight * (x[i] as number), 0);
    // Steps of x are some 1/40 of a deviation, and their errors add up as a random walk.
    assert(Math.abs(sum - (y[row] as number)) < 0.05 * Math.sqrt(cols), "ggml: a wrong product");
  }
  return {
    name: `ggml TQ2_0 (${PACKAGE.name} ${PACKAGE.version})`,
    threads,
    run,
    rest: () => ggml.pause(pool),
  };
}
