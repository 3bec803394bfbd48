import type { Quality } from "./base/telemetry.js";
import type { Cost } from "./cost-meter.js";
import type { Finding, Monitor } from "./models/monitor.js";
import type { Change } from "./rules/rule.js";

/** A change with what only the moment knew: when it is stored, all of it may be different. */
export type Noted = Change & {
  /** The expectation of the monitor whose output the rule reads. */
  readonly finding: Finding | null;
  readonly monitor: Monitor | null;
  readonly quality: Quality;
  /** What it has cost since its onset; absent where the asset has no price, null where unknown. */
  readonly cost?: Cost | null;
};
