import { existsSync } from "node:fs";
import { assemble } from "../assembly.js";
import { wallClock } from "../base/clock.js";
import { boundless } from "../judge-units.js";
import { recordingWriter } from "../sensors/recorder.js";
import { intakeCounts, intakeOf, sourcesOf } from "../sources.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";
import { openLog } from "./log.js";
import { ended, secondsOf } from "./signals.js";

const IDLE_ms = 1_000;

/** Writes what the config's sources send to a file until stopped; raises no alarm. */
export async function record(args: Arguments): Promise<number> {
  const config = configOf("record", args);
  if (typeof config === "number") return config;
  const { out, duration } = args.values;
  if (typeof out !== "string") {
    console.error("sterna record: --out FILE is missing");
    return EXIT.usage;
  }
  if (existsSync(out)) {
    console.error(`sterna record: ${out} exists; name a new file`);
    return EXIT.usage;
  }
  const duration_s = secondsOf(duration);
  if (!(duration_s > 0)) {
    console.error("sterna record: --duration is a number of seconds, such as 60 or 60s");
    return EXIT.usage;
  }
  const log = openLog(config.log.level, process.stderr);
  const clock = wallClock();
  const assembly = assemble(config);
  const counts = intakeCounts();
  const recorder = await recordingWriter(out, (id) => assembly.channels[id]);
  let last = 0;
  const intake = intakeOf(assembly, counts, log, clock, (item) => void recorder.write(item));
  // Its own role: as "telemetry" it would take the connection of the daemon.
  // What arrived is recorded, plausible or not: a replay rejects it again, and a reading that a
  // wrong unit puts out of range is what `check --recording` needs to see.
  const wide = { ...assembly, channels: assembly.channels.map(boundless) };
  const sources = sourcesOf(config, wide, "record", log);
  for (const source of sources) await source.start(intake);
  const idle = setInterval(() => {
    if (counts.items === last) recorder.tick(clock.now());
    last = counts.items;
  }, IDLE_ms);
  log.info({ out }, "recording");
  await ended(duration_s);
  clearInterval(idle);
  for (const source of sources) await source.stop();
  await recorder.close();
  const lost = recorder.dropped;
  console.error(`${out}: ${counts.items - lost} item(s)${lost === 0 ? "" : `, ${lost} lost`}`);
  return lost === 0 ? EXIT.done : EXIT.failed;
}
