import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
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
    { name: "mem0", ram_bytes: 2 ** 30, pmem_bytes: Number.NaN, node: 10 },
    { name: "mem1", ram_bytes: Number.NaN, pmem_bytes: Number.NaN, node: -1 },
  ]);
  expect(map.dax).toEqual(["/dev/dax0.0"]);
});

test("as Linux 6.1 shows QEMU's CXL type-3 device (test/qemu/cxl.sh): links among ports and decoders", () => {
  const own = join(root, "qemu");
  const device = "sys/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0/mem0";
  const files = {
    [`${device}/ram/size`]: "0x0\n",
    [`${device}/pmem/size`]: "0x10000000\n",
    [`${device}/numa_node`]: "-1\n",
    [`${device}/serial`]: "0x0\n",
    [`${device}/pmem0/devtype`]: "cxl_nvdimm\n",
    "sys/devices/platform/ACPI0017:00/root0/decoder0.0/size": "0x100000000\n",
    "sys/devices/system/node/node0/cpulist": "0\n",
    "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:         401936 kB\n",
    "sys/devices/system/node/node1/cpulist": "\n",
    "sys/devices/system/node/node1/meminfo": "Node 1 MemTotal:         262144 kB\n",
    "dev/cxl/mem0": "",
  };
  for (const [name, text] of Object.entries(files)) put({ [join("qemu", name)]: text });
  const bus = join(own, "sys/bus/cxl/devices");
  mkdirSync(bus, { recursive: true });
  symlinkSync(join(own, device), join(bus, "mem0"));
  symlinkSync(join(own, device, "pmem0"), join(bus, "pmem0"));
  for (const name of ["root0", "root0/decoder0.0"]) {
    symlinkSync(join(own, "sys/devices/platform/ACPI0017:00", name), join(bus, basename(name)));
  }
  const { nodes, cxl, dax } = probeMemory(own);
  expect(cxl).toEqual([{ name: "mem0", ram_bytes: 0, pmem_bytes: 2 ** 28, node: -1 }]);
  expect(nodes.map(({ cpuLess }) => cpuLess)).toEqual([false, true]);
  expect(dax).toEqual([]);
});

test("this machine, and one that has nothing", () => {
  expect(probeMemory(join(root, "empty"))).toEqual({ nodes: [], cxl: [], dax: [] });
  const { nodes } = probeMemory();
  for (const node of nodes) expect(node.total_bytes).toBeGreaterThanOrEqual(node.free_bytes);
});
