import { loadConfig } from "../../config/load.js";
import { assemble, faultsOf } from "../assembly.js";
import { CONFIG_KINDS } from "../fitting.js";
import { type Judged, judgeRecording } from "../judge-units.js";
import type { Read } from "../sensors/recording.js";
import { type Arguments, EXIT } from "./command.js";
import { sayUnused, Tally } from "./tally.js";

/**
 * Loads a config, opens its models and compiles its rules; faults arrive as ConfigError. With a
 * recording it also tests the declared units against physics, and fails where one is suspect.
 */
export async function check({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const config = loadConfig(file, CONFIG_KINDS, process.env, faultsOf);
  const assembly = assemble(config);
  const { channels, members } = assembly;
  console.log(`${file}: good; ${config.assets.length} asset(s), ${channels.length} channel(s)`);
  for (const { config: asset, off, commissioned } of members) {
    for (const what of off) console.log(`${asset.id}: off: ${what}`);
    if (!commissioned) console.log(`${asset.id}: not commissioned: no baseline`);
  }
  const { recording } = values;
  if (typeof recording !== "string") return EXIT.done;
  const tally = new Tally(recording, assembly);
  const hear = (read: Read): void => tally.take(read);
  const judged = await judgeRecording(assembly, recording, null, { hear, at: tally.at });
  const usable = sayUnused("check", tally);
  if (usable !== EXIT.done) return usable;
  for (const line of judged.flatMap(wordsOf)) console.log(line);
  return judged.some((one) => one.suspects.length > 0) ? EXIT.failed : EXIT.done;
}

function wordsOf({ asset, kind, suspects, tested, untested, slow }: Judged): string[] {
  const lines = [
    ...(slow === null ? [] : [`${asset}: ${slow}`]),
    ...suspects.map(({ text }) => `${asset}: unit suspect: ${text}`),
  ];
  if (tested.length === 0) {
    return [
      ...lines,
      `${asset}: units: nothing in the recording that physics could test (kind ${kind})`,
    ];
  }
  const well = suspects.length === 0 ? "no unit is suspect" : `${suspects.length} suspect`;
  const rest = untested.length === 0 ? "" : `; no law reads ${untested.join(", ")}`;
  return [...lines, `${asset}: units: ${tested.length} channel(s) tested, ${well}${rest}`];
}
