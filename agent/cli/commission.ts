import { createHash } from "node:crypto";
import { createReadStream, existsSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Config } from "../../config/config.js";
import { type Assembly, assemble, type Member } from "../assembly.js";
import { OperatingError } from "../base/errors.js";
import { judgeRecording } from "../judge-units.js";
import { revertAdaptation } from "../learning.js";
import { isRefused } from "../models/commission.js";
import type { Baseline } from "../models/setup.js";
import { advance } from "../pipeline.js";
import { findOrOpen, readRecording } from "../sensors/recording.js";
import type { Noted } from "../watch.js";
import { type Arguments, EXIT } from "./command.js";
import { configOf } from "./load.js";

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
  if (!(span.from_ms < span.to_ms)) {
    return say("--from and --to are times such as 2026-03-01 or 2026-03-01T06:00Z");
  }
  if (typeof out === "string" && chosen.length > 1)
    return say("--out takes one asset: name it by --asset");
  const files = new Map(
    chosen.map((id) => [id, typeof out === "string" ? out : `${id}.baseline.json`]),
  );
  for (const file of files.values()) {
    if (existsSync(file)) return say(`${file} exists; delete it or name another by --out`);
  }
  const assembly = assemble(config, false, "by-hand");
  await feed(assembly, config, recording, span);
  const hash = await hashOf(recording);
  // By a reading of its own: a wrong unit puts readings out of the plausible range, and what is
  // learnt from never sees those.
  const judged = await judgeRecording(assembly, recording, span, () => {});
  const members = assembly.members.filter((member) => chosen.includes(member.config.id));
  const done = members.map((member) => {
    const { id } = member.config;
    const found = judged.find(({ asset }) => asset === id);
    const suspects = (found?.suspects ?? []).map(({ text }) => text);
    if (found !== undefined && found.slow !== null) console.log(`${id}: ${found.slow}`);
    for (const text of suspects) console.log(`${id}: unit suspect: ${text}`);
    return finish(member, basename(recording), hash, suspects, files.get(id) ?? "");
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

/** As `replay`, but what the monitors say is learnt from instead of judged. */
async function feed(assembly: Assembly, config: Config, path: string, span: Span): Promise<void> {
  const find = findOrOpen(assembly.find, assembly.level);
  let begun = false;
  for await (const read of readRecording(path, find)) {
    if (read.kind === "reject" || read.r_ms < span.from_ms || read.r_ms > span.to_ms) continue;
    if (!begun) for (const watch of assembly.watches) watch.begin(read.r_ms);
    begun = true;
    const changes: Noted[] = [];
    advance(assembly.watches, read.r_ms, changes);
    if (read.kind !== "tick") assembly.watchOf(read.channel)?.accept(read, config.time, changes);
  }
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
  { config, stage }: Member,
  name: string,
  hash: string,
  suspects: readonly string[],
  file: string,
): boolean {
  const { id } = config;
  const outcome = stage.monitors.length === 0 ? null : stage.finish(name, hash, { suspects });
  if (outcome === null) {
    console.log(`${id}: nothing to learn: it has no channels that its kind knows`);
    return false;
  }
  if (isRefused(outcome)) {
    for (const why of outcome.refused) console.log(`${id}: refused: ${why}`);
    return false;
  }
  writeFileSync(file, `${JSON.stringify(outcome, null, 2)}\n`);
  for (const line of summaryOf(outcome)) console.log(`${id}: ${line}`);
  console.log(`${id}: written to ${file}; put "baseline: ${file}" under the asset`);
  return true;
}

function summaryOf({ kind, values, vectors = {}, provenance }: Baseline): string[] {
  if (provenance === undefined) return [];
  const { amount, from_ms, to_ms, states, excluded, notLearnt, advice = [] } = provenance;
  const time = (t_ms: number): string => new Date(t_ms).toISOString().slice(0, 16);
  const learnt = Object.keys(values).length + Object.keys(vectors).length;
  const byState = Object.entries(states).map(([state, much]) => `${state}: ${much}`);
  return [
    `${kind}, ${amount} from ${time(from_ms)} to ${time(to_ms)} UTC, ${learnt} values`,
    `hours or cycles by operating state: ${byState.join(", ")}`,
    ...excluded.map((what) => `left out: ${what}`),
    ...(notLearnt.length === 0 ? [] : [`not learnt, for want of data: ${notLearnt.join(", ")}`]),
    ...advice,
  ];
}
