import { DRIVERS, driversOf, probeAll } from "../accel/registry.js";
import { type MemoryMap, probeMemory } from "../base/memory-nodes.js";
import { chooseProvider, PROVIDERS, probeProvider } from "../models/dense-provider.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";

/** Names of software that stands in for a device. */
const EMULATED: ReadonlySet<string> = new Set(["emulator", "rtl"]);

/**
 * Prints every compute backend and why each can or cannot be used here; devices as the config
 * names them, by their paths alone: the agent may be using them.
 */
export async function devices(args: Arguments): Promise<number> {
  const config = args.values["config"] === undefined ? null : configOf("devices", args);
  if (typeof config === "number") return config;
  const drivers = config === null ? DRIVERS : driversOf(config.accel);
  for (const { name, tier, available, why, device } of probeAll(drivers)) {
    const of = device === undefined ? "" : `, on ${device}`;
    const able = EMULATED.has(device ?? "")
      ? `no device in the config: emulated in software, ${tier}, to try it out by name`
      : `available, ${tier}${of}`;
    console.log(`${name.padEnd(14)} ${available ? able : `absent: ${why}`}`);
  }
  const wanted = config?.accel.dense ?? "auto";
  const chosen = chooseProvider({ wanted, report: () => {} });
  for (const provider of PROVIDERS) {
    const absent = probeProvider(provider);
    const named = provider === "webgpu" ? ", by name, where a driver is" : "";
    const use = provider === chosen ? ", chosen for other models" : named;
    const able = `available, within 1e-4 relative${use}`;
    console.log(
      `${`dense ${provider}`.padEnd(14)} ${absent === null ? able : `absent: ${absent}`}`,
    );
  }
  for (const line of memoryLines(probeMemory())) console.log(line);
  return EXIT.done;
}

const giB = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Memory beyond the nearest; nothing where a machine has one node and no device. */
function memoryLines({ nodes, cxl, dax }: MemoryMap): string[] {
  const far = nodes.length > 1 ? nodes : [];
  return [
    ...far.map(({ id, total_bytes, free_bytes, cpuLess }) => {
      const what = cpuLess ? "memory alone" : "with processors";
      return `memory node ${id}  ${what}, ${giB(free_bytes)} of ${giB(total_bytes)} free`;
    }),
    ...cxl.map(({ name, ram_bytes, pmem_bytes, node }) => {
      const parts = [
        ...(ram_bytes > 0 ? [`${giB(ram_bytes)} volatile`] : []),
        ...(pmem_bytes > 0 ? [`${giB(pmem_bytes)} persistent`] : []),
      ];
      const size = parts.join(" and ") || "size unknown";
      return `CXL ${name}  ${size}, ${node < 0 ? "on no memory node" : `memory node ${node}`}`;
    }),
    ...dax.map((file) => `${file}  memory that the kernel has not taken`),
  ];
}
