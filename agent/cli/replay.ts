import { loadConfig } from "../../config/load.js";
import { Alarms, placeOf } from "../agent.js";
import { assemble } from "../assembly.js";
import type { Reject } from "../base/telemetry.js";
import { advance } from "../pipeline.js";
import type { Change } from "../rules/rule.js";
import { readRecording } from "../sensors/recording.js";
import { type Arguments, EXIT } from "./command.js";

/**
 * Prints the transition documents of a recording, one a line, at full speed and without a broker.
 * The recording's arrival times are the clock, so two runs print the same bytes.
 */
export async function replay({ positionals, values }: Arguments): Promise<number> {
  const file = values["config"];
  if (typeof file !== "string") {
    console.error("sterna replay: --config FILE is missing");
    return EXIT.usage;
  }
  const config = loadConfig(file);
  const assembly = assemble(config);
  const alarms = new Alarms(placeOf(config));
  const rejects = new Map<Reject, { count: number; line: number }>();
  const find = (asset: string, name: string) => {
    const known = assembly.find(asset, name);
    const dot = name.indexOf(".");
    if (known !== null || dot < 0) return known?.pattern ? null : known;
    const pattern = assembly.find(asset, name.slice(0, dot));
    if (!pattern?.pattern) return null;
    const id = assembly.level(pattern.id, name.slice(dot + 1));
    return id === null ? null : (assembly.channels[id] ?? null);
  };
  const rejected = (reason: Reject, line: number): void => {
    const { count, line: first } = rejects.get(reason) ?? { count: 0, line };
    rejects.set(reason, { count: count + 1, line: first });
  };
  let records = 0;
  for await (const read of readRecording(positionals[0] as string, find)) {
    records += 1;
    const changes: Change[] = [];
    if (read.kind === "reject") rejected(read.reason, read.line);
    else if (read.kind === "tick") advance(assembly.watches, read.r_ms, changes);
    else {
      const { item } = read;
      advance(assembly.watches, item.r_ms, changes);
      const watch = assembly.watchOf(item.channel);
      const reason = watch?.accept(item, config.time, changes) ?? null;
      if (reason !== null) rejected(reason, records);
    }
    for (const change of changes) {
      const moved = alarms.apply(change);
      if (moved !== null) console.log(moved.document);
    }
  }
  for (const [reason, { count, line }] of rejects) {
    console.error(`not used: ${count} record(s) ${reason}, first at line ${line}`);
  }
  return EXIT.done;
}
