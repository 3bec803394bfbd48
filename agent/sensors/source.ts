//! The one contract every source of data meets: mqtt, opcua, simulated, replay. A source turns
//! bytes into Items in SI, or into a named Reject, and hands both to the Intake; its callbacks end
//! there. It never waits for the pipeline, never throws at it, and alone owns its reconnection.
import type { Intake } from "../base/telemetry.js";

export type Source = {
  readonly name: string;
  /** Returns once it is trying: an absent peer is not an error, it is `link(name, false, why)`. */
  start(intake: Intake): Promise<void>;
  stop(): Promise<void>;
};
