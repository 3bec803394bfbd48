//! Is a block of the bearing's accelerometer to be believed, and may its loudness be compared with
//! the healthy period? What is wrong with the sensor alone must never count against the bearing.
import type { Block, BlockAnalysis } from "../base/telemetry.js";
import { Loudness } from "./bearing-trend.js";
import { SUSPICIONS } from "./chain/validity.js";
import { isClipped, isDead } from "./vibration-block.js";

const codeOf = (name: (typeof SUSPICIONS)[number]): number => SUSPICIONS.indexOf(name);
const WELL = 0;
const SCALED = codeOf("step");

const GAIN_LEAST = 0.6; // ln: nearly twice
const GAIN_SAME = 0.2; // ln: a peak of 10,000 samples varies by a tenth
const SPEED_SAME = 0.03;
const SPEED_OTHER = 0.4; // ln: a machine half as fast again is loud for another reason
/** So many blocks in a row at another speed are no mistake of the sender. */
const SPEED_BLOCKS = 12;

export class BearingAccel {
  readonly loudness = new Loudness();
  /** Index of SUSPICIONS; NaN before the first block. */
  fault = Number.NaN;
  /** The last block that nothing spoke against. */
  #sound: { readonly found: BlockAnalysis; readonly speed_radps: number } | null = null;
  #strange = 0;

  /**
   * `usual`: middle of the level in the healthy period, or NaN. `confirmed`: another channel tells
   * the same speed as the block.
   */
  take(
    block: Block,
    found: BlockAnalysis,
    speed_radps: number,
    { usual, confirmed }: { readonly usual: number; readonly confirmed: boolean },
  ): void {
    this.#strange = !confirmed && this.#isOther(speed_radps) ? this.#strange + 1 : 0;
    const strange = this.#strange > 0 && this.#strange < SPEED_BLOCKS;
    this.fault = this.#faultOf(block, found, speed_radps, usual);
    if (this.fault === WELL && !strange) {
      if (this.loudness.take(found.rms, usual)) {
        this.#sound = { found, speed_radps };
        return;
      }
      this.fault = codeOf("too quiet");
    }
    this.loudness.doubt();
  }

  /** Fault orders may be read: they stand in proportion to each other, whatever the scale. */
  get readable(): boolean {
    return this.fault === WELL || this.fault === SCALED;
  }

  #isOther(speed_radps: number): boolean {
    const { speed_radps: before = speed_radps } = this.#sound ?? {};
    return Math.abs(Math.log(speed_radps / before)) > SPEED_OTHER;
  }

  #faultOf(block: Block, found: BlockAnalysis, speed_radps: number, usual: number): number {
    if (isDead(found)) return codeOf("stuck");
    if (isClipped(block.values)) return codeOf("range");
    // Back at its healthy level it is right again, whatever was believed between.
    if (Math.abs(Math.log(found.rms) - usual) < GAIN_LEAST || this.#sound === null) return WELL;
    const same = Math.abs(speed_radps / this.#sound.speed_radps - 1) < SPEED_SAME;
    return same && isGain(found, this.#sound.found) ? SCALED : WELL;
  }
}

/**
 * True where a block differs from one that was believed by a factor on everything: rms, peak and
 * velocity alike. Damage rings high up and leaves velocity alone; a changed scale spares nothing.
 */
function isGain(now: BlockAnalysis, before: BlockAnalysis): boolean {
  const gain = Math.log(now.rms / before.rms);
  const alike = (a: number, b: number): boolean => Math.abs(Math.log(a / b) - gain) < GAIN_SAME;
  return (
    Math.abs(gain) > GAIN_LEAST &&
    alike(now.peak, before.peak) &&
    alike(now.velocityRms, before.velocityRms)
  );
}
