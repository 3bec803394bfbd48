//! What ONNX Runtime computes on: the execution providers that its package carries and this machine
//! has a device for. What is chosen and fails leaves the CPU, with a reason.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Outage } from "../accel/guard.js";

export type Provider = "cpu" | "cuda" | "webgpu";
export const PROVIDERS: readonly Provider[] = ["cuda", "webgpu", "cpu"];

/** What the config asks for, the share that is checked, who hears of a provider that is out. */
export type DenseUse = {
  readonly wanted: Provider | "auto";
  readonly share: number;
  readonly report: (outage: Outage) => void;
};

export const DENSE_CPU: DenseUse = { wanted: "cpu", share: 0, report: () => {} };

/** What is asked of the machine; tests give one of their own. */
export type World = {
  readonly load: (name: string) => unknown;
  readonly exists: (file: string) => boolean;
  /** Folder of ONNX Runtime's libraries. */
  readonly folder: () => string;
};

const packages = createRequire(import.meta.url);
export const WORLD: World = {
  load: packages,
  exists: existsSync,
  folder: () => {
    const main = packages.resolve("onnxruntime-node/package.json");
    return join(dirname(main), "bin/napi-v6", process.platform, process.arch);
  },
};

const NVIDIA = "/dev/nvidia0";
const CUDA_LIBRARY = "libonnxruntime_providers_cuda.so";

/** Why a provider cannot be used here, by its files; null when nothing speaks against it. */
export function probeProvider(provider: Provider, world: World = WORLD): string | null {
  try {
    const runtime = world.load("onnxruntime-node") as {
      readonly listSupportedBackends: () => readonly { readonly name: string }[];
    };
    const names = runtime.listSupportedBackends().map(({ name }) => name);
    if (!names.includes(provider)) return `onnxruntime-node lists ${names.join(", ")} only`;
    if (provider !== "cuda") return null;
    if (!world.exists(NVIDIA)) return `no ${NVIDIA}`;
    const library = join(world.folder(), CUDA_LIBRARY);
    return world.exists(library) ? null : `${library}: no such file`;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** `auto` is CUDA where it is, else the CPU; never WebGPU, whose drivers are of every quality. */
export function chooseProvider(
  { wanted, report }: Pick<DenseUse, "wanted" | "report">,
  world: World = WORLD,
): Provider {
  if (wanted === "cpu") return "cpu";
  const provider = wanted === "auto" ? "cuda" : wanted;
  const absent = probeProvider(provider, world);
  if (absent === null) return provider;
  if (wanted !== "auto") {
    const none = { input: [], found: [], expected: [] };
    report({ backend: `dense ${provider}`, when: "self-test", why: absent, ...none });
  }
  return "cpu";
}
