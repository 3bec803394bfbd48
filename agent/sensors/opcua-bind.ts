//! Binds channels to nodes within one session: reads what the server declares of each node, refuses
//! what contradicts the config, monitors the rest. Respects the server's OperationLimits.
import type {
  ClientMonitoredItemGroup,
  ClientSession,
  ClientSubscription,
  DataValue,
  NodeId,
} from "node-opcua-client";
import type { Log } from "../base/log.js";
import type { Channel, Intake } from "../base/telemetry.js";
import type { DeclaredUnit } from "./eu.js";
import type { OpcuaLibrary } from "./opcua-security.js";

export type OpcuaBinding = {
  readonly channel: Channel;
  readonly node: string;
  readonly sampling_ms: number;
  /** False: the config gives no unit, so the server must. */
  readonly unitStated: boolean;
  /** The config's unit holds even where the server declares another. */
  readonly overrideUnit: boolean;
};

/** Said once a change: a refusal that stands is not repeated at each retry. */
export type Refusals = Map<OpcuaBinding, string>;

export type Binder = {
  readonly ua: OpcuaLibrary;
  readonly session: ClientSession;
  readonly subscription: ClientSubscription;
  readonly server: string;
  readonly intake: Intake;
  readonly log: Log;
  readonly said: Refusals;
  readonly onChange: (channel: Channel, node: string, value: DataValue) => void;
};

/** `as`: the channel with the scale that config and server agreed on. */
type Located = { readonly binding: OpcuaBinding; readonly nodeId: NodeId; readonly as: Channel };

// For servers that state no limit, or "none" (0): still bounded.
const ITEMS_PER_CALL_MAX = 500;
const QUEUE_MAX = 100;

/** Monitors what it can; returns the bindings that it refused, to be tried again later. */
export async function bind(
  to: Binder,
  bindings: readonly OpcuaBinding[],
): Promise<readonly OpcuaBinding[]> {
  const refused: OpcuaBinding[] = [];
  const refuse = (binding: OpcuaBinding, why: string): void => {
    refused.push(binding);
    if (to.said.get(binding) === why) return;
    to.said.set(binding, why);
    to.intake.refuse(binding.channel.id, `${to.server} ${binding.node}: ${why}`);
  };
  const located: Located[] = [];
  for (const binding of bindings) {
    const nodeId = readNodeId(to.ua, binding.node);
    if (binding.channel.shape === "block") {
      refuse(binding, "a waveform cannot come over OPC UA (no sampling rate); send it over MQTT");
    } else if (nodeId === null) {
      refuse(binding, 'this is no node id; write one like "ns=2;s=WT07.Power" or "ns=2;i=1001"');
    } else located.push({ binding, nodeId, as: binding.channel });
  }
  // Loaded here: its table of UNECE codes is for agents that speak OPC UA only.
  const { rangeDoubt, unitBridge } = await import("./eu.js");
  const limits = await to.ua.readOperationLimits(to.session).catch(() => ({}) as Limits);
  const fit: Located[] = [];
  for (const part of chunks(located, limits.maxNodesPerTranslateBrowsePathsToNodeIds, 2)) {
    const declared = await readDeclared(to, part, limits.maxNodesPerRead);
    part.forEach((one, i) => {
      const { channel, node, overrideUnit, unitStated } = one.binding;
      const { unit = null, range = null } = declared[i] ?? {};
      const as = overrideUnit ? channel : unitBridge(channel, unit, unitStated);
      if (typeof as === "string") {
        refuse(one.binding, as);
        return;
      }
      const doubt = range === null ? null : rangeDoubt(as, range.low, range.high);
      if (doubt !== null) to.log.warn({ channel: channel.name, node }, doubt);
      fit.push({ ...one, as });
    });
  }
  for (const alike of Map.groupBy(fit, (one) => one.binding.sampling_ms).values()) {
    for (const part of chunks(alike, limits.maxMonitoredItemsPerCall, 1)) {
      await monitor(to, part, refuse);
    }
  }
  for (const { binding } of fit) if (!refused.includes(binding)) to.said.delete(binding);
  return refused;
}

type Limits = Awaited<ReturnType<OpcuaLibrary["readOperationLimits"]>>;

function readNodeId(ua: OpcuaLibrary, text: string): NodeId | null {
  if (!/^(ns=\d+;)?[isgb]=./.test(text)) return null;
  try {
    return ua.coerceNodeId(text);
  } catch {
    return null;
  }
}

/** Slices so that `each` operations an element stay within the server's limit a call. */
function chunks<T>(all: readonly T[], limit: number | undefined, each: number): T[][] {
  const bound = limit === undefined || limit === 0 ? ITEMS_PER_CALL_MAX : limit;
  const size = Math.max(1, Math.floor(Math.min(bound, ITEMS_PER_CALL_MAX) / each));
  const parts: T[][] = [];
  for (let i = 0; i < all.length; i += size) parts.push(all.slice(i, i + size));
  return parts;
}

type Declared = { unit?: DeclaredUnit; range?: { low: number; high: number } };

async function readDeclared(
  to: Binder,
  part: readonly Located[],
  reads_max: number | undefined,
): Promise<Declared[]> {
  const { ua, session } = to;
  const found = await session.translateBrowsePath(
    part.flatMap(({ nodeId }) => [
      ua.makeBrowsePath(nodeId, ".EngineeringUnits"),
      ua.makeBrowsePath(nodeId, ".EURange"),
    ]),
  );
  const wanted = found.flatMap((result, i) => {
    const nodeId = result.targets?.[0]?.targetId;
    return result.statusCode.isGood() && nodeId ? [{ i, nodeId }] : [];
  });
  const declared: Declared[] = part.map(() => ({}));
  for (const some of chunks(wanted, reads_max, 1)) {
    const values = await session.read(
      some.map(({ nodeId }) => ({ nodeId, attributeId: ua.AttributeIds.Value })),
    );
    values.forEach((value, k) => {
      const i = some[k]?.i ?? 0;
      const into = declared[i >> 1];
      const held: unknown = value.value.value;
      if (into === undefined || !value.statusCode.isGood() || !isObject(held)) return;
      if (i % 2 === 0) into.unit = asUnit(held);
      else if (typeof held["low"] === "number" && typeof held["high"] === "number") {
        into.range = { low: held["low"], high: held["high"] };
      }
    });
  }
  return declared;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function asUnit(held: Record<string, unknown>): DeclaredUnit {
  const { namespaceUri, unitId, displayName } = held;
  const text = isObject(displayName) ? displayName["text"] : null;
  return {
    namespaceUri: typeof namespaceUri === "string" ? namespaceUri : null,
    unitId: typeof unitId === "number" ? unitId : -1,
    displayName: typeof text === "string" ? text : null,
  };
}

async function monitor(
  to: Binder,
  part: readonly Located[],
  refuse: (binding: OpcuaBinding, why: string) => void,
): Promise<void> {
  const { ua } = to;
  // A value that stays the same is still news: without timestamps in the trigger a steady channel
  // would look stale.
  const statuses = await monitorItems(to, part, true);
  const again: Located[] = [];
  statuses.forEach((status, i) => {
    const one = part[i];
    if (one === undefined || status.isGood()) return;
    if (/BadMonitoredItemFilterUnsupported|BadFilterNotAllowed/.test(status.name)) again.push(one);
    else if (status.equals(ua.StatusCodes.BadNodeIdUnknown)) {
      refuse(one.binding, "the server has no such node; correct the node id");
    } else refuse(one.binding, `the server refuses to monitor it: ${status.description}`);
  });
  if (again.length === 0) return;
  const plain = await monitorItems(to, again, false);
  plain.forEach((status, i) => {
    const one = again[i];
    if (one === undefined || status.isGood()) return;
    refuse(one.binding, `the server refuses to monitor it: ${status.description}`);
  });
}

type Status = ClientMonitoredItemGroup["monitoredItems"][number]["statusCode"];

/** Listens before the items exist, so that no first value is lost. */
function monitorItems(
  to: Binder,
  part: readonly Located[],
  timestamps: boolean,
): Promise<Status[]> {
  const { ua, subscription } = to;
  const sampling_ms = part[0]?.binding.sampling_ms ?? 0;
  const queue = Math.ceil((2 * subscription.publishingInterval) / Math.max(sampling_ms, 1)) + 1;
  const group = ua.ClientMonitoredItemGroup.create(
    subscription,
    part.map(({ nodeId }) => ({ nodeId, attributeId: ua.AttributeIds.Value })),
    {
      samplingInterval: sampling_ms,
      discardOldest: true,
      queueSize: Math.min(QUEUE_MAX, queue),
      ...(timestamps
        ? {
            filter: new ua.DataChangeFilter({
              trigger: ua.DataChangeTrigger.StatusValueTimestamp,
              deadbandType: ua.DeadbandType.None,
            }),
          }
        : {}),
    },
    ua.TimestampsToReturn.Both,
  );
  group.on("changed", (_item, value, index) => {
    const one = part[index];
    if (one !== undefined) to.onChange(one.as, one.binding.node, value);
  });
  return new Promise((resolve, reject) => {
    group.on("initialized", () => resolve(group.monitoredItems.map((item) => item.statusCode)));
    group.on("err", (message) => reject(new Error(message)));
    group.on("terminated", () => reject(new Error("the subscription ended while it was built")));
  });
}
