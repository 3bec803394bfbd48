import { alarmsOf } from "../agent.js";
import { transitionDocument } from "../alerts/message.js";
import { assemble } from "../assembly.js";
import { unitSamples } from "../judge-units.js";
import { placeOf } from "../outgoing.js";
import { advance } from "../pipeline.js";
import { findOrOpen, readRecording } from "../sensors/recording.js";
import type { Noted } from "../watch.js";
import type { Arguments } from "./command.js";
import { configOf } from "./load.js";
import { sayUnused, Tally } from "./tally.js";

/**
 * Prints the transition documents of a recording, one a line, at full speed and without a broker.
 * The recording's arrival times are the clock, so two runs print the same bytes.
 */
export async function replay(args: Arguments): Promise<number> {
  const config = configOf("replay", args);
  if (typeof config === "number") return config;
  const file = args.positionals[0] as string;
  const assembly = assemble(config);
  const alarms = alarmsOf(config, assembly, []);
  const place = placeOf(config);
  const tally = new Tally(file, assembly);
  const find = findOrOpen(assembly.find, assembly.level);
  const samples = unitSamples(assembly);
  let begun = false;
  for await (const read of readRecording(file, find, tally.at)) {
    if (read.kind === "reject") {
      tally.take(read);
      continue;
    }
    if (!begun) for (const watch of assembly.watches) watch.begin(read.r_ms);
    begun = true;
    if (read.kind !== "tick") samples.take(read);
    const changes: Noted[] = [];
    advance(assembly.watches, read.r_ms, changes);
    const watch = read.kind === "tick" ? undefined : assembly.watchOf(read.channel);
    const reason = read.kind === "tick" ? null : watch?.accept(read, config.time, changes);
    tally.take(read, reason ?? null);
    for (const change of changes) {
      for (const { alarm, transition } of alarms.apply(change)) {
        console.log(transitionDocument(alarm, transition, place));
      }
    }
  }
  for (const text of samples.slow()) console.error(text);
  return sayUnused("replay", tally);
}
