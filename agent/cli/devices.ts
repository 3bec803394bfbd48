import { probeAll } from "../accel/registry.js";
import { EXIT } from "./command.js";

/** Prints every compute backend, best first, and why each can or cannot be used here. */
export async function devices(): Promise<number> {
  for (const { name, tier, available, why } of probeAll()) {
    console.log(`${name.padEnd(14)} ${available ? `available, ${tier}` : `absent: ${why}`}`);
  }
  return EXIT.done;
}
