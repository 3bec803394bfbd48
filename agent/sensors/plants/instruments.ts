//! Between the true value and the wire: noise, quantisation, and everything that can be wrong with
//! an instrument. The noise stream draws the same whether or not an instrument is broken, so that a
//! fault changes its own channel and no other.

import { assert } from "../../base/errors.js";
import type { Prng } from "../../base/prng.js";
import { parseUnit } from "../../units/parse.js";
import type { PlantChannel, PlantOutput, SensorFault, SensorFaultMode } from "./plant.js";

// At full severity; a span is the channel's usual range. A monitor should notice each of them.
const BIAS_SPANS = 0.25;
const SPIKE_SPANS = 0.5;
const SPIKE_CHANCE = 0.1;
const DRIFT_SPANS_PER_HOUR = 1;
const DELAY_ms = 10_000;
const CLOCK_JUMP_ms = 3_600_000;
const SATURATION_SPANS = 0.4;

export type Instruments = {
  fault(fault: SensorFault, severity: number): void;
  /** Emits one reading of every scalar channel, in table order, late ones first. */
  read(t_ms: number, truth: Float64Array, output: PlantOutput): void;
};

type Instrument = {
  readonly index: number;
  readonly noise: number;
  readonly step: number;
  readonly span: number;
  readonly low: number;
  readonly dim: string;
  /** A speed or a count: noise around zero must not read as a negative one. */
  readonly counts: boolean;
  /** Severity of each active fault; absent is none. */
  readonly faults: Map<SensorFaultMode, number>;
  drift: number;
  last: number;
};

export function createInstruments(
  channels: readonly PlantChannel[],
  noise: Prng,
  chance: Prng,
): Instruments {
  const list = channels.flatMap((c, index) => (c.shape === "scalar" ? [build(c, index)] : []));
  const swaps = new Map<number, number>();
  const measured = new Float64Array(channels.length);
  const late: { due_ms: number; channel: number; t_ms: number; value: number }[] = [];
  let before_ms = Number.NaN;

  return {
    fault({ channel, mode, other }, severity) {
      const instrument = list.find((i) => i.index === channel);
      assert(instrument !== undefined, `no scalar channel ${channel}`);
      if (mode !== "swap") {
        instrument.faults.set(mode, severity);
        if (mode === "drift" && severity === 0) instrument.drift = 0; // mended
      } else if (severity > 0) {
        swaps.set(channel, other).set(other, channel);
      }
    },
    read(t_ms, truth, output) {
      const dt_ms = Number.isNaN(before_ms) ? 0 : t_ms - before_ms;
      before_ms = t_ms;
      while (late.length > 0 && (late[0]?.due_ms ?? 0) <= t_ms) {
        const reading = late.shift();
        if (reading) output.scalar(reading.channel, reading.t_ms, reading.value);
      }
      measured.set(truth);
      for (const [from, to] of swaps) measured[to] = truth[from] as number;
      for (const instrument of list) {
        const { index, faults } = instrument;
        let value = measured[index] as number;
        if (instrument.noise > 0) value += instrument.noise * noise.normal();
        if (instrument.counts) value = Math.max(0, value);
        if (instrument.step > 0) value = Math.round(value / instrument.step) * instrument.step;
        if (faults.size === 0) {
          output.scalar(index, t_ms, value);
          continue;
        }
        value = distort(instrument, value, dt_ms, chance);
        if (chance.next() < (faults.get("dropout") ?? 0)) continue;
        const stamp_ms = t_ms + CLOCK_JUMP_ms * (faults.get("clock_jump") ?? 0);
        const delay_ms = DELAY_ms * (faults.get("delay") ?? 0);
        if (delay_ms === 0) output.scalar(index, stamp_ms, value);
        else late.push({ due_ms: t_ms + delay_ms, channel: index, t_ms: stamp_ms, value });
      }
    },
  };
}

function build(channel: PlantChannel, index: number): Instrument {
  const unit = parseUnit(channel.unit);
  assert(!("fault" in unit), `unit of ${channel.name}`);
  const [low, high] = channel.span;
  return {
    index,
    noise: channel.noise * unit.factor,
    step: channel.step * unit.factor,
    span: (high - low) * unit.factor,
    low: low * unit.factor + unit.offset,
    dim: unit.dim,
    counts: low === 0 && !unit.affine,
    faults: new Map(),
    drift: 0,
    last: Number.NaN,
  };
}

function distort(instrument: Instrument, good: number, dt_ms: number, chance: Prng): number {
  const { faults, span } = instrument;
  const level = (mode: SensorFaultMode): number => faults.get(mode) ?? 0;
  if (level("stuck") > 0 && !Number.isNaN(instrument.last)) return instrument.last;
  let value = good;
  instrument.drift += level("drift") * span * DRIFT_SPANS_PER_HOUR * (dt_ms / 3_600_000);
  value += instrument.drift + level("bias") * span * BIAS_SPANS;
  if (level("scale") > 0) value = wrongUnit(instrument.dim, value, level("scale"));
  if (level("spike") > 0 && chance.next() < SPIKE_CHANCE) {
    value += level("spike") * span * SPIKE_SPANS * (chance.next() < 0.5 ? -1 : 1);
  }
  if (level("saturation") > 0) {
    const ceiling = instrument.low + span * (1 - (1 - SATURATION_SPANS) * level("saturation"));
    value = Math.min(value, ceiling);
  }
  instrument.last = value;
  return value;
}

/** What a wrong unit setting makes of an SI value: degC read as K, rpm as rad/s, kW as W. */
function wrongUnit(dim: string, value: number, severity: number): number {
  if (severity < 1) return value * (1 + severity);
  if (dim === "K") return value - 273.15;
  if (dim === "rad/s") return (value * 60) / (2 * Math.PI);
  return dim === "1" ? value * 100 : value / 1000;
}
