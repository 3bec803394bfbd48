//! One session with one OPC UA server, from connect to its end: subscription, heartbeat, bindings.
//! It never repairs itself; it says why it ended, and opcua.ts opens the next one.
import type { ClientSession, ClientSubscription, DataValue, OPCUAClient } from "node-opcua-client";
import type { Log } from "../base/log.js";
import type { Channel, Intake } from "../base/telemetry.js";
import { bind, type OpcuaBinding, type Refusals } from "./opcua-bind.js";
import {
  clientOptions,
  closeStore,
  identityOf,
  type OpcuaLibrary,
  type OpcuaOptions,
  openStore,
} from "./opcua-security.js";
import { takeReading } from "./opcua-value.js";

export type OpcuaTiming = {
  /** No heartbeat and no data for this long: connected but silent. */
  readonly silence_ms: number;
  readonly retry_min_ms: number;
  readonly retry_max_ms: number;
  /** Refused nodes are tried again at this period. */
  readonly recheck_ms: number;
};

export type OpcuaWiring = {
  readonly name: string;
  readonly options: OpcuaOptions;
  readonly bindings: readonly OpcuaBinding[];
  readonly timing: OpcuaTiming;
  readonly pki_dir: string;
  readonly intake: Intake;
  readonly log: Log;
  /** What was refused and why, over all sessions of the source. */
  readonly said: Refusals;
};

/** A running session; `ended` resolves once, with the reason. */
export type OpcuaSession = { readonly ended: Promise<string>; close(): Promise<void> };

const OPEN_ms = 30_000;
const CLOSE_ms = 2_000;
const HEARTBEAT_ms = 1_000;
const LIFETIME_ms = 30_000;
// Info bit of a StatusCode: unit or range of the node changed (OPC 10000-8, 5.2).
const SEMANTICS_CHANGED = 0x4000;

type Line = {
  readonly client: OPCUAClient;
  readonly session: ClientSession;
  readonly subscription: ClientSubscription;
  readonly release: () => Promise<void>;
};

/** Resolves when all that can be monitored is; throws, with nothing left open, when it cannot. */
export async function openSession(
  ua: OpcuaLibrary,
  wiring: OpcuaWiring,
  signal: AbortSignal,
): Promise<OpcuaSession> {
  const store = await openStore(wiring.pki_dir);
  const client = ua.OPCUAClient.create(clientOptions(ua, wiring.options, store));
  const release = async (): Promise<void> => {
    await settle(client.disconnect(), CLOSE_ms);
    await closeStore(store);
  };
  let abandon: (why: string) => void = () => {};
  const abandoned = new Promise<never>((_, reject) => {
    abandon = (why) => reject(new Error(why));
  });
  const onAbort = (): void => abandon("stopped");
  const late = setTimeout(() => abandon(`no session within ${OPEN_ms / 1000} s`), OPEN_ms);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort(); // while the store opened: the event does not come again
  try {
    const dialled = dial(ua, wiring.options, client);
    const { session, subscription } = await Promise.race([dialled, abandoned]);
    clearTimeout(late);
    return await attend(ua, wiring, { client, session, subscription, release }, signal);
  } catch (error) {
    await release();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", onAbort);
  }
}

async function dial(
  ua: OpcuaLibrary,
  options: OpcuaOptions,
  client: OPCUAClient,
): Promise<Pick<Line, "session" | "subscription">> {
  await client.connect(options.endpoint);
  const session = await client.createSession(identityOf(ua, options));
  // The library would answer BadSessionIdInvalid with a CreateSession of its own; as if that were
  // under way already, it reports the fault instead, and reconnection keeps its one owner.
  Reflect.set(session, "recursive_repair_detector", 1);
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: options.publishingInterval_ms,
    requestedMaxKeepAliveCount: 10,
    requestedLifetimeCount: Math.ceil(LIFETIME_ms / options.publishingInterval_ms) + 30,
    publishingEnabled: true,
  });
  return { session, subscription };
}

/** Watches for the end of a session, whatever its kind; the first reason counts. */
type Vigil = {
  readonly ended: Promise<string>;
  over: boolean;
  end(why: string): void;
  alive(): void;
  quit(): void;
};

function keepVigil(line: Line, timing: OpcuaTiming, signal: AbortSignal): Vigil {
  const { client, session, subscription } = line;
  const { promise, resolve } = Promise.withResolvers<string>();
  const silence_ms = Math.max(timing.silence_ms, 4 * subscription.publishingInterval);
  const watchdog = setTimeout(
    () => vigil.end(`connected but silent: no heartbeat for ${silence_ms / 1000} s`),
    silence_ms,
  );
  const onAbort = (): void => vigil.end("stopped");
  const vigil: Vigil = {
    ended: promise,
    over: false,
    end(why): void {
      vigil.over = true;
      resolve(why);
    },
    alive: () => void watchdog.refresh(),
    quit(): void {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", onAbort);
    },
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  client.on("connection_lost", () => vigil.end("the connection was lost"));
  client.on("close", () => vigil.end("the connection was closed"));
  session.on("session_closed", (s) => vigil.end(`the server closed the session (${s.name})`));
  subscription.on("terminated", () => vigil.end("the server ended the subscription"));
  subscription.on("internal_error", (error: Error) => vigil.end(error.message));
  return vigil;
}

async function attend(
  ua: OpcuaLibrary,
  wiring: OpcuaWiring,
  line: Line,
  signal: AbortSignal,
): Promise<OpcuaSession> {
  const { bindings, timing, intake, log, name, said } = wiring;
  const { session, subscription } = line;
  const vigil = keepVigil(line, timing, signal);
  const onChange = (channel: Channel, node: string, value: DataValue): void => {
    if (vigil.over) return;
    vigil.alive();
    if ((value.statusCode.value & SEMANTICS_CHANGED) !== 0) {
      // The value may be in the new unit already: not data before the unit is read again.
      vigil.end(`the server changed unit or range of ${node}; reading them again`);
      return;
    }
    takeReading(channel, value, intake.now(), intake, node);
  };
  const binder = { ua, session, subscription, server: name, intake, log, said, onChange };
  let refused: readonly OpcuaBinding[];
  try {
    watchHeartbeat(ua, subscription, vigil.alive, log);
    const cut = vigil.ended.then((why): never => {
      throw new Error(why);
    });
    refused = await Promise.race([bind(binder, bindings), cut]);
  } catch (error) {
    vigil.quit();
    throw error;
  }
  const recheck = setInterval(() => {
    const again = refused;
    refused = [];
    bind(binder, again).then(
      (still) => (refused = [...refused, ...still]),
      (error: Error) => vigil.end(error.message),
    );
  }, timing.recheck_ms);
  return {
    ended: vigil.ended,
    async close(): Promise<void> {
      clearInterval(recheck);
      vigil.quit();
      await settle(session.close(true), CLOSE_ms);
      await line.release();
    },
  };
}

/**
 * The server's own clock ticks, so its silence is the server's, not the plant's. Keep-alives don't
 * count: a server that lost our items still sends them.
 */
function watchHeartbeat(
  ua: OpcuaLibrary,
  subscription: ClientSubscription,
  alive: () => void,
  log: Log,
): void {
  const group = ua.ClientMonitoredItemGroup.create(
    subscription,
    [{ nodeId: "i=2258", attributeId: ua.AttributeIds.Value }],
    { samplingInterval: HEARTBEAT_ms, queueSize: 1, discardOldest: true },
    ua.TimestampsToReturn.Both,
  );
  group.on("changed", alive);
  group.on("initialized", () => {
    if (group.monitoredItems[0]?.statusCode.isGood()) return;
    log.warn({}, "the server does not show its CurrentTime; its keep-alives serve as heartbeat");
    subscription.on("keepalive", alive);
  });
}

/** Waits for a farewell, but not for ever: the peer may be gone. */
async function settle(farewell: Promise<unknown>, wait_ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, wait_ms);
  });
  await Promise.race([farewell.catch(() => {}), enough]);
  clearTimeout(timer);
}
