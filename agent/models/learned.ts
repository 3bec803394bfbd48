//! A shipped network as chain/correction.ts asks for it: features in, g out, NaN where the features
//! cannot tell.
import type { Tier } from "../base/telemetry.js";
import type { Learned } from "./chain/correction.js";

type Net<Values> = {
  readonly hash: string;
  readonly tier: Tier;
  infer(values: Values, y: Float32Array): void;
};

type Features<Values> = {
  readonly values: Values;
  /** False: something is missing. */
  step(value: (channel: string) => number, dt_s: number): boolean;
};

export function learnedBy<Values>(
  net: Net<Values>,
  features: Features<Values>,
  corrects: Learned["corrects"],
): Learned {
  const y = new Float32Array(corrects.length);
  return {
    hash: net.hash,
    // Asked anew: a device that is taken out changes it.
    get tier() {
      return net.tier;
    },
    corrects,
    infer(value, dt_s, g): void {
      if (!features.step(value, dt_s)) {
        g.fill(Number.NaN);
        return;
      }
      net.infer(features.values, y);
      g.set(y);
    },
  };
}
