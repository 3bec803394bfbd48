import { createHash } from "node:crypto";
import { accessSync, constants, createReadStream, existsSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, relative } from "node:path";
import type { Config } from "../../config/config.js";
import { type Assembly, assemble, type Member } from "../assembly.js";
import { OperatingError } from "../base/errors.js";
import { judgeRecording } from "../judge-units.js";
import { revertAdaptation } from "../learning.js";
import { isRefused } from "../models/commission.js";
import type { Stage } from "../models/commission-stage.js";
import type { Baseline } from "../models/setup.js";
import { advance } from "../pipeline.js";
import { findOrOpen, readRecording } from "../sensors/recording.js";
import type { Noted } from "../watch.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";
import { sayUnused, Tally } from "./tally.js";

type Span = { readonly from_ms: number; readonly to_ms: number };

/** Learns the normal of the assets of a recording, or takes back what adaptation has moved. */
export async function commission(args: Arguments): Promise<number> {
  const [recording] = args.positionals;
  const { asset, out, from, to, revert } = args.values;
  const say = (text: string): number => {
    console.error(`sterna commission: ${text}`);
    return EXIT.usage;
  };
  if ((recording === undefined) !== (revert === true)) return say("name a RECORDING, or --revert");
  const config = configOf("commission", args);
  if (typeof config === "number") return config;
  const chosen = config.assets
    .map(({ id }) => id)
    .filter((id) => asset === undefined || id === asset);
  if (chosen.length === 0) return say(`there is no asset "${String(asset)}" in the config`);
  if (recording === undefined) return takeBack(config, chosen);
  const span = {
    from_ms: timeOf(from, Number.NEGATIVE_INFINITY),
    to_ms: timeOf(to, Number.POSITIVE_INFINITY),
  };
  if (Number.isNaN(span.from_ms) || Number.isNaN(span.to_ms)) {
    return say("--from and --to are times such as 2026-03-01 or 2026-03-01T06:00Z");
  }
  if (span.from_ms >= span.to_ms) return say(`--to ${to} is not after --from ${from}`);
  if (typeof out === "string" && chosen.length > 1)
    return say("--out takes one asset: name it by --asset");
  const files = new Map(
    chosen.map((id) => [id, typeof out === "string" ? out : `${id}.baseline.json`]),
  );
  for (const file of files.values()) {
    if (existsSync(file)) return say(`${file} exists; delete it or name another by --out`);
    const refused = unwritable(file);
    if (refused !== null) return say(`${file} cannot be written (${refused}); mend --out`);
  }
  const assembly = assemble(config, false, "by-hand");
  const tally = await feed(assembly, config, recording, span);
  const usable = sayUnused("commission", tally);
  if (usable !== EXIT.done) return usable;
  const hash = await hashOf(recording);
  // By a reading of its own: a wrong unit puts readings out of the plausible range, and what is
  // learnt from never sees those.
  const judged = await judgeRecording(assembly, recording, span);
  const members = assembly.members.filter((member) => chosen.includes(member.config.id));
  const done = members.map((member) => {
    const { id } = member.config;
    const found = judged.find(({ asset }) => asset === id);
    const suspects = (found?.suspects ?? []).map(({ text }) => text);
    if (found !== undefined && found.slow !== null) console.log(`${id}: ${found.slow}`);
    for (const text of suspects) console.log(`${id}: unit suspect: ${text}`);
    const useless = uselessFor(id, tally);
    if (useless !== null) {
      console.log(`${id}: refused: ${useless}`);
      return false;
    }
    return finish(member, basename(recording), hash, suspects, files.get(id) ?? "", config.file);
  });
  return done.every(Boolean) ? EXIT.done : EXIT.failed;
}

function takeBack(config: Config, assets: readonly string[]): number {
  for (const id of assets) {
    const there = revertAdaptation(config.store.dir, id);
    const then = "a running agent follows within a minute";
    console.log(`${id}: ${there ? `back to its baseline; ${then}` : "nothing had been adapted"}`);
  }
  return EXIT.done;
}

function timeOf(text: unknown, otherwise: number): number {
  return typeof text === "string" ? Date.parse(text) : otherwise;
}

/** Half of the records and more cannot be left out of a normal unseen. */
const LOST_MAX = 0.5;

/** Why nothing may be learnt of this asset whatever its monitors say; null: something may. */
function uselessFor(id: string, tally: Tally): string | null {
  if (tally.usedOf(id) === 0) {
    const span = `it spans ${tally.span}`;
    return tally.outside > 0
      ? `no reading of ${id} lies between --from and --to; the recording: ${span}`
      : `the recording has no reading of ${id} that could be used; ${span}`;
  }
  const lost = tally.lostOf(id);
  if (lost <= LOST_MAX) return null;
  return `${Math.round(100 * lost)} % of the records could not be used, as said above`;
}

/** Why the folder cannot hold the file; null: it can. */
function unwritable(file: string): string | null {
  try {
    accessSync(dirname(file), constants.W_OK);
    return null;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** As `replay`, but what the monitors say is learnt from instead of judged. */
async function feed(assembly: Assembly, config: Config, path: string, span: Span): Promise<Tally> {
  const find = findOrOpen(assembly.find, assembly.level);
  const tally = new Tally(path, assembly);
  let begun = false;
  for await (const read of readRecording(path, find, tally.at)) {
    if (read.kind === "reject") {
      tally.take(read);
      continue;
    }
    if (read.r_ms < span.from_ms || read.r_ms > span.to_ms) {
      tally.leave(read);
      continue;
    }
    if (!begun) for (const watch of assembly.watches) watch.begin(read.r_ms);
    begun = true;
    const changes: Noted[] = [];
    advance(assembly.watches, read.r_ms, changes);
    const watch = read.kind === "tick" ? undefined : assembly.watchOf(read.channel);
    const reason = read.kind === "tick" ? null : watch?.accept(read, config.time, changes);
    tally.take(read, reason ?? null);
  }
  return tally;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (error) {
    throw new OperatingError("recording-unreadable", `${path} cannot be read`, error);
  }
  return `sha256:${hash.digest("hex")}`;
}

/** Prints the outcome of one asset; true: written. */
function finish(
  { config, stage, off }: Member,
  name: string,
  hash: string,
  suspects: readonly string[],
  file: string,
  configFile: string,
): boolean {
  const { id } = config;
  const outcome = stage.monitors.length === 0 ? null : stage.finish(name, hash, { suspects });
  if (outcome === null) {
    console.log(`${id}: nothing to learn: it has no channels that its kind knows`);
    return false;
  }
  if (isRefused(outcome)) {
    for (const why of outcome.refused) console.log(`${id}: refused: ${why}`);
    if (outcome.refused.some((why) => why.startsWith("nothing could be learnt"))) {
      for (const what of off) console.log(`${id}: off: ${what}`);
    }
    return false;
  }
  for (const line of summaryOf(outcome, stage)) console.log(`${id}: ${line}`);
  try {
    writeFileSync(file, `${JSON.stringify(outcome, null, 2)}\n`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatingError("baseline-unwritable", why, error);
  }
  // As the config reads it: from its own folder.
  const named = isAbsolute(file) ? file : relative(dirname(configFile), file);
  const where = config.commission === null ? "under" : "in the place of commission: under";
  console.log(`${id}: written to ${file}; put "baseline: ${named}" ${where} the asset`);
  return true;
}

function summaryOf(
  { kind, values, vectors = {}, provenance }: Baseline,
  { countedIn }: Stage,
): string[] {
  if (provenance === undefined) return [];
  const { amount, from_ms, to_ms, states, excluded, notLearnt, advice = [] } = provenance;
  const time = (t_ms: number): string => new Date(t_ms).toISOString().slice(0, 16);
  const learnt = Object.keys(values).length + Object.keys(vectors).length;
  const known = Object.entries(states).filter(([state]) => state !== "unknown");
  const byState = known.map(([state, much]) => `${state}: ${much}`);
  return [
    `${kind}, ${amount} from ${time(from_ms)} to ${time(to_ms)} UTC, ${learnt} values`,
    ...(byState.length === 0 ? [] : [`${countedIn} by operating state: ${byState.join(", ")}`]),
    ...excluded.map((what) => `left out: ${what}`),
    ...notLearnt.map((what) => `not learnt: ${what}`),
    ...advice,
  ];
}
