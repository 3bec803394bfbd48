import { DRIVERS } from "../accel/registry.js";
import { EXIT } from "./command.js";

/** Prints every compute backend, best first, and why each can or cannot be used here. */
export async function devices(): Promise<number> {
  for (const driver of DRIVERS) {
    const absent = driver.probe();
    console.log(`${driver.name.padEnd(12)} ${absent === null ? "available" : `absent: ${absent}`}`);
  }
  return EXIT.done;
}
