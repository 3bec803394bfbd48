//! One accelerometer block of a gearbox high-speed shaft: shaft harmonics, gear mesh with
//! sidebands, white noise, and the ringing impulses of a damaged bearing. Pure; 3 ms a block.
import { BEARING_6205, type Bearing, type BearingPart, bearingOrders } from "../../base/physics.js";
import type { Prng } from "../../base/prng.js";

export type Vibration = {
  readonly fs_hz: number;
  readonly count: number;
  /** Shaft speed at the start of the block, and its slope within it. */
  readonly speed_radps: number;
  readonly slope_radps2: number;
  /** Torque as a fraction of rated: drives the gear mesh and how hard a bearing is hit. */
  readonly load: number;
  /** Amplitude at the shaft's own rate at rated speed, beyond the small healthy one. */
  readonly imbalance_mps2: number;
  /** The damaged part; severity 0 is healthy, 1 gives impulses of `impulse_mps2` at full load. */
  readonly part: BearingPart;
  readonly severity: number;
  readonly bearing: Bearing;
  readonly impulse_mps2: number;
  /** The structure that an impulse sets ringing: a exp(-decay t) sin(2 pi resonance t). */
  readonly resonance_hz: number;
  readonly decay_ps: number;
  readonly noise_mps2: number;
  readonly teeth: number;
  readonly mesh_mps2: number;
  readonly ratedSpeed_radps: number;
};

/** The 5-MW turbine at rated, healthy. */
export const VIBRATION: Vibration = {
  fs_hz: 25_600,
  count: 32_768,
  speed_radps: 122.91,
  slope_radps2: 0,
  load: 1,
  imbalance_mps2: 0,
  part: "outer",
  severity: 0,
  bearing: BEARING_6205,
  impulse_mps2: 12,
  resonance_hz: 3600,
  decay_ps: 900,
  noise_mps2: 1,
  teeth: 25,
  mesh_mps2: 2,
  ratedSpeed_radps: 122.91,
};

const SHAFT_mps2 = [0.12, 0.08, 0.05, 0.03]; // orders 1..4 of a healthy, well-aligned shaft
const MESH = [1, 0.5, 0.25]; // harmonics of the mesh, relative
const SIDEBANDS = [0.2, 0.08]; // of each mesh harmonic, at +-1 and +-2 shaft orders
const SLIP = 0.01; // rollers slip: each interval varies by 1 %, and the error accumulates
const RING_END = 1e-5; // an impulse is followed until it is this part of its height

/** Acceleration in m/s2; the same `params` and `random` state give the same block. */
export function synthesizeVibration(params: Vibration, random: Prng): Float32Array {
  const speed = params.speed_radps / params.ratedSpeed_radps;
  const values = new Float32Array(params.count);
  const noise = params.noise_mps2 * (0.1 + 0.9 * speed);
  for (let i = 0; i < values.length; i++) values[i] = noise * random.normal();
  const start_rad = 2 * Math.PI * random.next();
  for (const [order, amplitude] of tones(params, speed)) {
    const jittered = amplitude * (1 + 0.05 * random.normal());
    addTone(values, params, order, jittered, order * start_rad + 2 * Math.PI * random.next());
  }
  if (params.severity > 0 && speed > 0.02) addImpulses(values, params, start_rad, random);
  return values;
}

/** Order of the shaft and amplitude of every steady tone. */
function tones(params: Vibration, speed: number): [order: number, amplitude: number][] {
  const list: [number, number][] = SHAFT_mps2.map((a, i) => [i + 1, a * speed * speed]);
  list.push([1, params.imbalance_mps2 * speed * speed]);
  const mesh = params.mesh_mps2 * (0.3 + 0.7 * params.load) * speed;
  MESH.forEach((part, harmonic) => {
    const centre = params.teeth * (harmonic + 1);
    list.push([centre, mesh * part]);
    SIDEBANDS.forEach((side, i) => {
      list.push([centre - i - 1, mesh * part * side], [centre + i + 1, mesh * part * side]);
    });
  });
  return list.filter(([order, amplitude]) => {
    const f_hz = (order * params.speed_radps) / (2 * Math.PI);
    return amplitude > 0 && f_hz < 0.45 * params.fs_hz;
  });
}

// A phasor turned by a phasor that is itself turned: a tone that follows a sloping speed for eight
// multiplications a sample, no sine. The error after 32,768 turns is below 1e-11.
function addTone(
  values: Float32Array,
  { fs_hz, speed_radps, slope_radps2 }: Vibration,
  order: number,
  amplitude: number,
  phase: number,
): void {
  const turn = (order * (speed_radps + slope_radps2 / (2 * fs_hz))) / fs_hz;
  const bend = (order * slope_radps2) / (fs_hz * fs_hz);
  let re = amplitude * Math.cos(phase);
  let im = amplitude * Math.sin(phase);
  let turnRe = Math.cos(turn);
  let turnIm = Math.sin(turn);
  const bendRe = Math.cos(bend);
  const bendIm = Math.sin(bend);
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) + im;
    const nextRe = re * turnRe - im * turnIm;
    im = re * turnIm + im * turnRe;
    re = nextRe;
    const nextTurnRe = turnRe * bendRe - turnIm * bendIm;
    turnIm = turnRe * bendIm + turnIm * bendRe;
    turnRe = nextTurnRe;
  }
}

function addImpulses(
  values: Float32Array,
  params: Vibration,
  start_rad: number,
  random: Prng,
): void {
  const orders = bearingOrders(params.bearing);
  const order = orders[params.part];
  const height = params.severity * params.impulse_mps2 * (0.5 + 0.5 * params.load);
  const end_s = params.count / params.fs_hz;
  const speedAt = (t_s: number): number => params.speed_radps + params.slope_radps2 * t_s;
  let t_s = -random.next() * ((2 * Math.PI) / (order * params.speed_radps));
  while (t_s < end_s) {
    const shaft_rad = start_rad + params.speed_radps * t_s + 0.5 * params.slope_radps2 * t_s * t_s;
    // A hit is hard in the loaded zone: the inner race passes it once a turn, a ball with the cage.
    const zone =
      params.part === "inner"
        ? 0.5 + 0.5 * Math.cos(shaft_rad)
        : params.part === "ball"
          ? 0.6 + 0.4 * Math.cos(orders.cage * shaft_rad)
          : 1;
    addRing(values, params, t_s, height * zone * (1 + 0.1 * random.normal()));
    const speed = Math.max(1, speedAt(t_s));
    t_s += ((2 * Math.PI) / (order * speed)) * (1 + SLIP * random.normal());
  }
}

function addRing(values: Float32Array, params: Vibration, t_s: number, height: number): void {
  const { fs_hz, decay_ps, resonance_hz } = params;
  const first = Math.max(0, Math.ceil(t_s * fs_hz));
  const last = Math.min(values.length, first + Math.ceil((-Math.log(RING_END) / decay_ps) * fs_hz));
  const since = first / fs_hz - t_s;
  const phase = 2 * Math.PI * resonance_hz * since;
  const turn = (2 * Math.PI * resonance_hz) / fs_hz;
  const fade = Math.exp(-decay_ps / fs_hz);
  const turnRe = fade * Math.cos(turn);
  const turnIm = fade * Math.sin(turn);
  let re = height * Math.exp(-decay_ps * since) * Math.cos(phase);
  let im = height * Math.exp(-decay_ps * since) * Math.sin(phase);
  for (let i = first; i < last; i++) {
    values[i] = (values[i] as number) + im;
    const nextRe = re * turnRe - im * turnIm;
    im = re * turnIm + im * turnRe;
    re = nextRe;
  }
}
