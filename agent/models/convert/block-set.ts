//! Labelled recordings cut into blocks and turned into what a network reads: the spectrum around a
//! bearing's fault orders, or the colour of one or more waveforms over 32 bands.
import type { Prng } from "../../base/prng.js";
import { Analysers } from "../features/analyser.js";
import { BANDS, BandAnalyser } from "../features/bands.js";
import { faultAxis, normalise, ORDER_BINS } from "../features/orders.js";
import type { Labelled } from "./labelled.js";
import type { Examples } from "./trainer.js";
import { CLASSES } from "./vibration-set.js";

export type Features = "orders" | "bands";
/** Value of one int8 step: spectra of log2 reach 8, bands stand within 8 of their mean. */
export const INPUT_STEP = Math.fround(8 / 127);

/** One block of a recording as the network reads it. */
export type Sample = { readonly record: Labelled; readonly x: Float32Array };

/** A tachometer is off by up to half a per cent. */
const SPEED_OFF = 0.005;

export type Cut = {
  readonly features: Features;
  /** Samples of a block, and how far apart two begin. */
  readonly count: number;
  readonly hop: number;
  /** Blocks that teach: each is read at a speed off by what this draws. */
  readonly random?: Prng;
};

/** Throws an Error that names a record which cannot be read so. */
export function cut(records: readonly Labelled[], how: Cut): Sample[] {
  const { features, count, hop, random } = how;
  const read = features === "orders" ? orderReader() : bandReader();
  return records.flatMap((record) => {
    const whole = record.channels[0]?.length ?? 0;
    if (whole < count) {
      throw new Error(`${record.name} has ${whole} samples, a block takes ${count}`);
    }
    const samples: Sample[] = [];
    for (let at = 0; at + count <= whole; at += hop) {
      const off = random === undefined ? 0 : SPEED_OFF * (2 * random.next() - 1);
      const x = read(record, at, count, 1 + off);
      if (!x.every(Number.isFinite)) {
        throw new Error(
          `${record.name}: nothing to learn from sample ${at} on: dead, or no number`,
        );
      }
      samples.push({ record, x });
    }
    return samples;
  });
}

type Reader = (record: Labelled, at: number, count: number, speed: number) => Float32Array;

function orderReader(): Reader {
  const analysers = new Analysers();
  const sorted = new Float32Array(ORDER_BINS);
  return ({ name, channels, bearing, speed_radps, fs_hz }, at, count, speed) => {
    const what = bearing === null ? "rollers, ball_mm and pitch_mm" : "rpm";
    if (bearing === null || Number.isNaN(speed_radps)) {
      throw new Error(`${name}: fault orders need ${what} in index.csv`);
    }
    const values = (channels[0] as Float32Array).subarray(at, at + count);
    const analyser = analysers.for(values);
    if (analyser === null) throw new Error(`a block of ${count} samples is too short for orders`);
    analyser.analyse(values, fs_hz);
    const x = new Float32Array(ORDER_BINS);
    analyser.orders(faultAxis(bearing), speed_radps * speed, x);
    normalise(x, sorted);
    return x;
  };
}

function bandReader(): Reader {
  const analyser = new BandAnalyser();
  return ({ channels }, at, count) => {
    const x = new Float32Array(BANDS * channels.length);
    channels.forEach((values, channel) => {
      analyser.levels(values.subarray(at, at + count), x, channel * BANDS);
    });
    return x;
  };
}

/** Names of the classes, in the order of the network's outputs; healthy first where there is one. */
export function classesOf(records: readonly Labelled[], features: Features): readonly string[] {
  const found = [...new Set(records.map(({ label }) => label))].sort();
  if (features === "bands") {
    return found.sort((a, b) => Number(b === "healthy") - Number(a === "healthy"));
  }
  const known: readonly string[] = CLASSES;
  const strange = found.filter((label) => !known.includes(label));
  if (strange.length > 0) {
    throw new Error(`label "${strange[0]}": with orders write one of ${known.join(", ")}`);
  }
  if (!found.includes(CLASSES[0])) throw new Error(`no record is labelled ${CLASSES[0]}`);
  return known;
}

/** Every class gets the same count by repetition: none is right for being frequent. */
export function examplesOf(samples: readonly Sample[], classes: readonly string[]): Examples {
  const byClass = classes
    .map((name) => samples.filter(({ record }) => record.label === name))
    .filter((own) => own.length > 0);
  const most = Math.max(...byClass.map((own) => own.length));
  const size = samples[0]?.x.length ?? 0;
  const count = most * byClass.length;
  const x = new Float64Array(count * size);
  const y = new Float64Array(count * classes.length);
  let at = 0;
  for (const own of byClass) {
    for (let i = 0; i < most; i++) {
      const sample = own[i % own.length] as Sample;
      x.set(sample.x, at * size);
      y[at * classes.length + classes.indexOf(sample.record.label)] = 1;
      at += 1;
    }
  }
  return { count, x, y };
}
