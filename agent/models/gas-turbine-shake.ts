//! Vibration of a gas turbine's housing at both ends against what load explains: a rotor out of
//! balance shakes both, an instrument that lies stands alone.
import { Smooth } from "./chain/smooth.js";
import { ratios } from "./gas-turbine-outputs.js";
import type { Readings, Said } from "./monitor-machine.js";
import type { Setup } from "./setup.js";

const ENDS = ["vibration1", "vibration2"] as const;
const USUAL_mps = [1.6e-3, 1.9e-3] as const;
const LARGE = 0.5; // log ratio
const BESIDE = 0.2;
const MEAN_s = 60;
const ACCUSE_s = 60;

export class HousingShake {
  readonly says: Said;
  readonly #on: Readings;
  readonly #commissioned: boolean;
  readonly #levels = [new Smooth(MEAN_s), new Smooth(MEAN_s)] as const;
  readonly #speeds = [new Smooth(MEAN_s), new Smooth(MEAN_s)] as const;

  constructor(readings: Readings, setup: Setup) {
    this.#on = readings;
    this.#commissioned = setup.baseline !== null;
    this.says = {
      "rotor.imbalance": () => this.#imbalance_mps(),
      "vibration1.ratio": () => Math.exp(this.#levels[0].value),
      "vibration2.ratio": () => Math.exp(this.#levels[1].value),
    };
  }

  step(dt_s: number, load: number): void {
    ENDS.forEach((channel, i) => {
      const now_mps = this.#on.heard(channel);
      const usual_mps = (USUAL_mps[i] as number) * (0.8 + 0.2 * load);
      this.#speeds[i]?.add(now_mps, dt_s);
      this.#levels[i]?.add(Math.log(Math.max(1e-3, now_mps / usual_mps)), dt_s);
    });
    if (!this.#commissioned) return;
    const [one, two] = this.#rises;
    const alone = (own: number, other: number): boolean =>
      Math.abs(own) > LARGE && !(own > 0 && other > BESIDE);
    this.#on.suspect("vibration1", alone(one, two), ACCUSE_s, dt_s);
    this.#on.suspect("vibration2", alone(two, one), ACCUSE_s, dt_s);
  }

  pause(): void {
    for (const level of this.#levels) level.reset();
  }

  /** ln of the level over that of the healthy machine, by end. */
  get #rises(): readonly [number, number] {
    const rise = (i: 0 | 1): number =>
      this.#levels[i].value - Math.log(this.#on.normal(`${ratios[i]}.middle`, 1));
    return [rise(0), rise(1)];
  }

  /** Vibration at the worse end once both shake; else 0; NaN: not known. */
  #imbalance_mps(): number {
    const [one, two] = this.#rises;
    if (ENDS.some((channel) => Number.isNaN(this.#on.value(channel)))) return Number.NaN;
    // Of a machine at rest nothing is known, and what was found stands.
    if (!this.#commissioned || Number.isNaN(one + two)) return Number.NaN;
    const both = Math.min(one, two) > BESIDE && Math.max(one, two) > LARGE;
    return both ? Math.max(this.#speeds[0].value, this.#speeds[1].value) : 0;
  }
}
