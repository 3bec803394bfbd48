import { DRIVERS, driversOf, probeAll } from "../accel/registry.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";

/**
 * Prints every compute backend and why each can or cannot be used here; devices as the config
 * names them, by their paths alone: the agent may be using them.
 */
export async function devices(args: Arguments): Promise<number> {
  const config = args.values["config"] === undefined ? null : configOf("devices", args);
  if (typeof config === "number") return config;
  const drivers = config === null ? DRIVERS : driversOf(config.accel);
  for (const { name, tier, available, why, device } of probeAll(drivers)) {
    const of = device === undefined ? "" : ` on ${device}, taken only by name`;
    const state = available ? `available, ${tier}${of}` : `absent: ${why}`;
    console.log(`${name.padEnd(14)} ${state}`);
  }
  return EXIT.done;
}
