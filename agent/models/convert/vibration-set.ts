//! Labelled order spectra from the simulator: every block has its own speed, load, noise, mesh,
//! resonance and bearing geometry, so that only the fault orders tell the classes apart.
import { type Bearing, bearingOrders } from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { synthesizeVibration, VIBRATION, type Vibration } from "../../sensors/plants/vibration.js";
import { BlockAnalyser } from "../features/analyser.js";
import { faultAxis, normalise, ORDER_BINS } from "../features/orders.js";

export const CLASSES = ["healthy", "outer", "inner", "ball"] as const;

export type Draw = {
  readonly params: Vibration;
  readonly label: number;
  readonly stated_radps: number;
  /** Height of an impulse over the standard deviation of the noise; 0 when healthy. */
  readonly strength: number;
};

/** Below the first even the envelope shows nothing; above the second every line does. */
const STRENGTHS = [1.5, 16] as const;
const HEALTHY_SHARE = 0.4;

export type VibrationSet = {
  readonly count: number;
  /** count x 512, normalised. */
  readonly x: Float64Array;
  readonly label: Uint8Array;
  readonly speed_radps: Float64Array;
  readonly strength: Float64Array;
};

/** One block's circumstances. Geometries whose fault orders nearly coincide are drawn again. */
export function draw(random: Prng): Draw {
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const logBetween = (low: number, high: number): number =>
    low * Math.exp(random.next() * Math.log(high / low));
  const label = random.next() < HEALTHY_SHARE ? 0 : 1 + Math.floor(3 * random.next());
  const speed_radps = between(60, 130);
  const load = between(0.1, 1);
  const noise_mps2 = logBetween(0.5, 2);
  const strength = label === 0 ? 0 : logBetween(...STRENGTHS);
  const heard_mps2 = noise_mps2 * (0.1 + (0.9 * speed_radps) / VIBRATION.ratedSpeed_radps);
  const params: Vibration = {
    ...VIBRATION,
    speed_radps,
    slope_radps2: (speed_radps * between(-0.01, 0.01)) / 1.28,
    load,
    imbalance_mps2: between(0, 1.5),
    part: label === 0 ? "outer" : (CLASSES[label] as "outer" | "inner" | "ball"),
    severity: label === 0 ? 0 : 1,
    bearing: drawBearing(random),
    impulse_mps2: (strength * heard_mps2) / (0.5 + 0.5 * load),
    resonance_hz: between(2600, 5200),
    decay_ps: between(600, 1500),
    noise_mps2,
    teeth: Math.floor(between(17, 41)),
    mesh_mps2: between(0.5, 5),
  };
  // A tachometer is off by up to half a per cent.
  const middle = speed_radps + params.slope_radps2 * 0.64;
  return { params, label, stated_radps: middle * (1 + between(-0.005, 0.005)), strength };
}

function drawBearing(random: Prng): Bearing {
  if (random.next() < 0.4) return VIBRATION.bearing;
  for (;;) {
    const rollers = 7 + Math.floor(random.next() * 12);
    const q = 0.13 + 0.17 * random.next();
    const bearing: Bearing = { rollers, ball_m: q, pitch_m: 1, contact_rad: 0 };
    const { outer, inner, ball } = bearingOrders(bearing);
    if (outer - ball > 0.5 && inner - outer > 0.8) return bearing;
  }
}

export function makeSet(count: number, seed: number, purpose: string): VibrationSet {
  const analyser = new BlockAnalyser(VIBRATION.count);
  const row = new Float32Array(ORDER_BINS);
  const sorted = new Float32Array(ORDER_BINS);
  const x = new Float64Array(count * ORDER_BINS);
  const label = new Uint8Array(count);
  const speed_radps = new Float64Array(count);
  const strength = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    // Its own stream a block: a smaller set is the beginning of a larger one.
    const random = prng(seed, `vibnet/${purpose}/${i}`);
    const { params, label: truth, stated_radps, strength: height } = draw(random);
    analyser.analyse(synthesizeVibration(params, random), params.fs_hz);
    analyser.orders(faultAxis(params.bearing), stated_radps, row);
    normalise(row, sorted);
    x.set(row, i * ORDER_BINS);
    label[i] = truth;
    speed_radps[i] = params.speed_radps;
    strength[i] = height;
  }
  return { count, x, label, speed_radps, strength };
}
