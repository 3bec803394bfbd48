//! What memory this machine has beyond the nearest: NUMA nodes without processors, and devices of
//! Compute Express Link (CXL). Read only, from sysfs; a machine without any gives empty lists.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type MemoryNode = {
  readonly id: number;
  readonly total_bytes: number;
  readonly free_bytes: number;
  /** True for a node that is memory alone, as CXL expanders and persistent memory are. */
  readonly cpuLess: boolean;
};

export type CxlDevice = {
  readonly name: string;
  /** Volatile and persistent capacity as the device states it; NaN where the kernel is silent. */
  readonly ram_bytes: number;
  readonly pmem_bytes: number;
  /** The node its memory was given to, -1 for none. */
  readonly node: number;
};

export type MemoryMap = {
  readonly nodes: readonly MemoryNode[];
  readonly cxl: readonly CxlDevice[];
  /** Device files of memory that the kernel has not taken as ordinary memory. */
  readonly dax: readonly string[];
};

/** `root` stands for `/`, so that a test may bring a machine of its own. */
export function probeMemory(root = "/"): MemoryMap {
  const nodes = join(root, "sys/devices/system/node");
  const cxl = join(root, "sys/bus/cxl/devices");
  return {
    nodes: list(nodes, /^node(\d+)$/).map((name) => nodeOf(join(nodes, name), name)),
    cxl: list(cxl, /^mem\d+$/).map((name) => ({
      name,
      ram_bytes: numberIn(join(cxl, name, "ram/size"), Number.NaN),
      pmem_bytes: numberIn(join(cxl, name, "pmem/size"), Number.NaN),
      node: numberIn(join(cxl, name, "numa_node"), -1),
    })),
    dax: list(join(root, "dev"), /^dax\d/).map((name) => `/dev/${name}`),
  };
}

function nodeOf(folder: string, name: string): MemoryNode {
  const info = read(join(folder, "meminfo"));
  const bytes = (key: string): number => {
    const found = new RegExp(`${key}:\\s+(\\d+) kB`).exec(info);
    return 1024 * Number(found?.[1] ?? 0);
  };
  return {
    id: Number(name.slice("node".length)),
    total_bytes: bytes("MemTotal"),
    free_bytes: bytes("MemFree"),
    cpuLess: read(join(folder, "cpulist")).trim() === "",
  };
}

function list(folder: string, pattern: RegExp): string[] {
  const number = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0);
  try {
    const names = readdirSync(folder).filter((name) => pattern.test(name));
    return names.sort((a, b) => number(a) - number(b));
  } catch {
    return [];
  }
}

function numberIn(file: string, otherwise: number): number {
  const text = read(file).trim();
  return text === "" ? otherwise : Number(text);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
