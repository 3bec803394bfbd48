import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { probeMemory } from "../../agent/base/memory-nodes.js";

const root = mkdtempSync(join(tmpdir(), "sterna-sysfs-"));
afterAll(() => rmSync(root, { recursive: true }));

/** As a machine with two sockets and a CXL expander of 1 GiB shows itself. */
function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

test("nodes with and without processors, CXL devices and dax files", () => {
  const node = "sys/devices/system/node";
  put({
    [`${node}/node0/cpulist`]: "0-7\n",
    [`${node}/node0/meminfo`]: "Node 0 MemTotal:  16 kB\nNode 0 MemFree:  8 kB\n",
    [`${node}/node10/cpulist`]: "\n",
    [`${node}/node10/meminfo`]: "Node 10 MemTotal:  1048576 kB\nNode 10 MemFree: 1048000 kB\n",
    [`${node}/node2/cpulist`]: "8-15\n",
    [`${node}/possible`]: "0-10\n",
    "sys/bus/cxl/devices/mem0/ram/size": "0x40000000\n",
    "sys/bus/cxl/devices/mem0/numa_node": "10\n",
    "sys/bus/cxl/devices/mem1/serial": "0x1\n",
    "sys/bus/cxl/devices/root0/uevent": "",
    "dev/dax0.0": "",
  });
  const map = probeMemory(root);
  expect(map.nodes.map(({ id, cpuLess }) => [id, cpuLess])).toEqual([
    [0, false],
    [2, false],
    [10, true],
  ]);
  expect(map.nodes[2]).toMatchObject({ total_bytes: 2 ** 30, free_bytes: 1_048_000 * 1024 });
  expect(map.cxl).toEqual([
    { name: "mem0", ram_bytes: 2 ** 30, node: 10 },
    { name: "mem1", ram_bytes: Number.NaN, node: -1 },
  ]);
  expect(map.dax).toEqual(["/dev/dax0.0"]);
});

test("this machine, and one that has nothing", () => {
  expect(probeMemory(join(root, "empty"))).toEqual({ nodes: [], cxl: [], dax: [] });
  const { nodes } = probeMemory();
  for (const node of nodes) expect(node.total_bytes).toBeGreaterThanOrEqual(node.free_bytes);
});
