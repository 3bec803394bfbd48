import { alarmsOf } from "../agent.js";
import { transitionDocument } from "../alerts/message.js";
import { assemble } from "../assembly.js";
import type { Reject } from "../base/telemetry.js";
import { unitSamples } from "../judge-units.js";
import { placeOf } from "../outgoing.js";
import { advance } from "../pipeline.js";
import { findOrOpen, readRecording } from "../sensors/recording.js";
import type { Noted } from "../watch.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";

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
  const rejects = new Map<Reject, { count: number; line: number }>();
  const rejected = (reason: Reject, line: number): void => {
    const { count, line: first } = rejects.get(reason) ?? { count: 0, line };
    rejects.set(reason, { count: count + 1, line: first });
  };
  const find = findOrOpen(assembly.find, assembly.level);
  const samples = unitSamples(assembly);
  let records = 0;
  for await (const read of readRecording(file, find)) {
    if (read.kind === "reject") {
      records += 1;
      rejected(read.reason, read.line);
      continue;
    }
    if (records === 0) for (const watch of assembly.watches) watch.begin(read.r_ms);
    if (read.kind !== "tick") samples.take(read);
    records += 1;
    const changes: Noted[] = [];
    advance(assembly.watches, read.r_ms, changes);
    if (read.kind !== "tick") {
      const watch = assembly.watchOf(read.channel);
      const reason = watch?.accept(read, config.time, changes) ?? null;
      if (reason !== null) rejected(reason, records);
    }
    for (const change of changes) {
      for (const { alarm, transition } of alarms.apply(change)) {
        console.log(transitionDocument(alarm, transition, place));
      }
    }
  }
  for (const text of samples.slow()) console.error(text);
  for (const [reason, { count, line }] of rejects) {
    console.error(`not used: ${count} record(s) ${reason}, first at record ${line}`);
  }
  if (records > 0 && records === rejects.get("malformed")?.count) {
    console.error(`sterna replay: ${file} is no recording; see docs/recording-format.md`);
    return EXIT.failed;
  }
  return EXIT.done;
}
