//! What the OPC UA tests share: an Intake that remembers, channels, and waiting for a condition.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../agent/base/log.js";
import type { Channel, Intake, Sample } from "../../agent/base/telemetry.js";
import type { OpcuaNode } from "../../agent/cli/demo/opcua-server.js";
import { type DeclaredUnit, unitBridge } from "../../agent/sensors/eu.js";
import type { OpcuaBinding, OpcuaOptions, OpcuaTiming } from "../../agent/sensors/opcua.js";
import { opcuaSource } from "../../agent/sensors/opcua.js";
import type { Source } from "../../agent/sensors/source.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";

/** On a loaded machine server, client and test, which share a thread, stand still for seconds. */
export const QUICK: OpcuaTiming = {
  silence_ms: 15_000,
  retry_min_ms: 100,
  retry_max_ms: 1_000,
  recheck_ms: 300,
};

export function channel(id: number, name: string, unit: string): Channel {
  const parsed = parseUnit(unit);
  if (isUnitFault(parsed)) throw new Error(parsed.fault);
  return {
    id,
    asset: "wt07",
    name,
    shape: "scalar",
    dim: parsed.dim,
    unitKind: parsed.kind,
    point: parsed.affine,
    unit,
    factor: parsed.factor,
    offset: parsed.offset,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    staleAfter_ms: null,
    codes: null,
    pattern: false,
  };
}

/** Why the server's unit and the config's cannot both be right; null when they can. */
export function unitConflict(own: Channel, declared: DeclaredUnit): string | null {
  const found = unitBridge(own, declared, true);
  return typeof found === "string" ? found : null;
}

export const bound = (channel: Channel, node: string, overrideUnit = false): OpcuaBinding => ({
  channel,
  node,
  sampling_ms: 50,
  unitStated: true,
  overrideUnit,
});

export type Gathered = {
  readonly intake: Intake;
  readonly samples: Sample[];
  readonly rejects: string[];
  readonly links: string[];
  readonly refusals: Map<number, string>;
};

export function gather(): Gathered {
  const samples: Sample[] = [];
  const rejects: string[] = [];
  const links: string[] = [];
  const refusals = new Map<number, string>();
  const intake: Intake = {
    push: (item) => {
      if (item.kind === "sample") samples.push(item);
    },
    reject: (reason, id, where) => void rejects.push(`${reason} ${id} ${where}`),
    level: () => null,
    link: (name, up, why) => void links.push(up ? `${name} up` : `${name} down: ${why}`),
    refuse: (id, why) => void refusals.set(id, why),
    now: () => performance.timeOrigin + performance.now(),
  };
  return { intake, samples, rejects, links, refusals };
}

export function options(endpoint: string, more: Partial<OpcuaOptions> = {}): OpcuaOptions {
  return {
    endpoint,
    security: "None",
    policy: "None",
    username: null,
    password: null,
    certificate: null,
    privateKey: null,
    publishingInterval_ms: 100,
    ...more,
  };
}

export const unitNode = (
  nodeId: string,
  unitId: number,
  displayName: string,
  range: readonly [number, number] = [-1e9, 1e9],
): OpcuaNode => ({
  nodeId,
  name: nodeId,
  unit: { unitId, displayName, description: "" },
  range,
});

/** Polls until it holds, for at most 80 s of waiting, and says which wait failed. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1_600; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never happened: ${what}`);
}

/** Folders and sources of one test file, all put away at its end. */
export function stage(): {
  folder(): string;
  source(
    opts: OpcuaOptions,
    bindings: readonly OpcuaBinding[],
    pki_dir: string,
    got: Gathered,
    timing?: OpcuaTiming,
  ): Promise<Source>;
  clear(): Promise<void>;
} {
  const folders: string[] = [];
  const sources: Source[] = [];
  return {
    folder(): string {
      const made = mkdtempSync(join(tmpdir(), "sterna-opcua-"));
      folders.push(made);
      return made;
    },
    async source(opts, bindings, pki_dir, got, timing = QUICK): Promise<Source> {
      const made = opcuaSource("plc", opts, bindings, silentLog, pki_dir, timing);
      sources.push(made);
      await made.start(got.intake);
      return made;
    },
    async clear(): Promise<void> {
      await Promise.all(sources.splice(0).map((s) => s.stop()));
      for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
    },
  };
}
