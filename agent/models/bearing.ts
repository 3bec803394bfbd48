//! The monitor of a rolling bearing: VibNet's opinion of each block accumulated over blocks, loudness
//! against the healthy period, and friction told twice, by torque and by heat. NaN: cannot tell.
import { readFileSync } from "node:fs";
import { BEARING_RIG, frictionTorque } from "../base/bearing-rig.js";
import { packageFile } from "../base/files.js";
import { type Bearing, bearingOrders } from "../base/physics.js";
import type { Block, BlockAnalysis } from "../base/telemetry.js";
import { BEARING_PLATE, BEARING_PORTS } from "./bearing-ports.js";
import { TrendWatch } from "./bearing-trend.js";
import { Cusum, Smooth } from "./chain/smooth.js";
import { ThermalWatch } from "./chain/thermal.js";
import { SUSPICIONS, Validity } from "./chain/validity.js";
import { Analysers } from "./features/analyser.js";
import { faultAxis, normalise, ORDER_BINS, ORDER_STEP, PLAIN_AXIS } from "./features/orders.js";
import type { Finding, Frame, Monitor, Port, Spectrum } from "./monitor.js";
import { loadNetwork, type Network } from "./network.js";
import { type Learnt, learnt, plateValue, type Setup } from "./setup.js";

const MODEL_FILE = "agent/models/vibnet.onnx";
const SCALARS = BEARING_PORTS.filter((port) => port.shape === "scalar");
const INPUTS = BEARING_PORTS.map((port) => port.name);
const ACCEL = INPUTS.indexOf("accel");
const PARTS = ["outer", "inner", "ball"] as const;
const STEP_ms = 1000;
const GAP_s = 600;
const SPEED_MIN_radps = 20;
const SPEED_OFF = 0.03;
const QUIET = -1.5; // ln: a fifth of the usual; no bearing mends itself
const SLACK = 1;
const EVIDENCE_MAX = 20;
const HEAT_OFF_K = 4;
const FRICTION = { same: 0.3, most: 3, low: -0.15 } as const; // excess over the friction law
const WAIT_s = 300;
const HEAT_s = 1500; // three time constants: heat must have followed the torque
const AIR_OFF_K = 2;
const AIR_s = 1800;

const port = (name: string, unit: string, about: string): Port => ({
  name,
  unit,
  point: false,
  about,
});
const OUTPUTS: readonly Port[] = [
  ...INPUTS.map((name) => port(`${name}.fault`, "1", `0 well, else ${SUSPICIONS.join(", ")}`)),
  port("friction.excess", "1", "torque over the friction law, less one"),
  port("heat.residual", "K", "temperature beyond what friction law and air explain"),
  port("friction.ratio", "1", "torque over the friction law, for commissioning"),
  port("accel.peak", "m/s2{peak}", "greatest deviation from the mean of the block"),
  port("accel.rms", "m/s2{rms}", "of the whole block"),
  port("accel.velocityRms", "m/s{rms}", "10-1000 Hz"),
  port("accel.kurtosis", "1", "3 for noise, more with impulses"),
  port("accel.level", "1", "ln of the rms in m/s2, for commissioning"),
  port("vibration.rise", "1", "ln of how much louder than in the healthy period"),
  port("bearing.damage", "1", "accumulated log odds of damage over blocks"),
];
export const BEARING_LEARNT: readonly Learnt[] = [
  "heat.residual",
  "friction.ratio",
  "accel.level",
].map((output) => ({ output, middle: `${output}.middle`, spread: `${output}.sigma` }));
const FIRST_FEATURE = OUTPUTS.findIndex(({ name }) => name === "accel.peak");

const at = (name: string): number => INPUTS.indexOf(name);

export function createBearingMonitor(setup: Setup): Monitor {
  const core = new BearingCore(setup);
  return {
    name: "bearing",
    inputs: INPUTS,
    outputs: OUTPUTS,
    model: core.network?.hash ?? "physics@1",
    tier: core.network?.tier ?? "exact",
    off: core.off,
    onSample: (frame, input, t_ms) => core.onSample(frame, input, t_ms),
    onBlock: (frame, input, block) => core.onBlock(frame, input, block),
    explain: (output) => core.explain(OUTPUTS[output]?.name ?? ""),
    spectrum: () => core.spectrum(),
  };
}

class BearingCore {
  readonly off: string[] = [];
  readonly network: Network | null = null;
  readonly #commissioned: boolean;
  readonly #bearing: Bearing | null;
  readonly #validity: Validity;
  readonly #heat: ThermalWatch;
  readonly #usualFriction: number;
  readonly #usualLevel: number;
  readonly #trend: TrendWatch;
  readonly #friction = new Smooth(60);
  readonly #air = new Smooth(AIR_s);
  readonly #held = new Map<string, number>();
  readonly #analysers = new Analysers();
  readonly #cells = new Float32Array(ORDER_BINS);
  readonly #lines = new Float32Array(ORDER_BINS);
  readonly #sorted = new Float32Array(ORDER_BINS);
  readonly #logits = new Float32Array(PARTS.length + 1);
  readonly #shares = new Float64Array(PARTS.length);
  readonly #evidence = new Cusum(SLACK, EVIDENCE_MAX);
  #accelFault = Number.NaN;
  #blockSpeed_radps = Number.NaN;
  #shown_ms = Number.NaN;
  #step_ms = Number.NaN;

  constructor(setup: Setup) {
    const plate = (key: string): number => plateValue(setup, BEARING_PLATE, key);
    this.#commissioned = setup.baseline !== null;
    this.#validity = new Validity(SCALARS, (name) => learnt(setup, `noise.${name}`, Number.NaN));
    this.#heat = new ThermalWatch(BEARING_RIG, FRICTION.most, {
      heat: learnt(setup, "friction.ratio.middle", 1),
      offset_K: learnt(setup, "heat.residual.middle", 0),
      sigma_K: learnt(setup, "heat.residual.sigma", Number.NaN),
    });
    this.#usualFriction = learnt(setup, "friction.ratio.middle", 1);
    this.#usualLevel = learnt(setup, "accel.level.middle", Number.NaN);
    this.#trend = new TrendWatch(this.#usualLevel);
    const bearing: Bearing = {
      rollers: plate("rollers"),
      ball_m: plate("ballDiameter"),
      pitch_m: plate("pitchDiameter"),
      contact_rad: plate("contactAngle"),
    };
    this.#bearing = Object.values(bearing).some(Number.isNaN) ? null : bearing;
    if (!this.#commissioned) this.off.push("loudness, friction: no baseline (uncommissioned)");
    if (this.#bearing === null) {
      this.off.push("bearing condition: no nameplate rollers and diameters");
      return;
    }
    const network = loadNetwork(readFileSync(packageFile(MODEL_FILE)), setup.backend);
    if (typeof network === "string") this.off.push(`bearing condition: ${MODEL_FILE}: ${network}`);
    else this.network = network;
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    if (input === ACCEL) return;
    const before_ms = this.#validity.now_ms;
    this.#validity.take(input, frame.get(input), t_ms);
    if (!(this.#validity.now_ms > before_ms)) return;
    if (Number.isNaN(this.#step_ms)) this.#step_ms = this.#validity.now_ms;
    if (before_ms - this.#step_ms < STEP_ms) return;
    const dt_s = (before_ms - this.#step_ms) / 1000;
    this.#step_ms = before_ms;
    const heard = (name: string): number =>
      Number.isNaN(frame.get(at(name))) ? Number.NaN : this.#validity.heard(at(name));
    if (dt_s <= GAP_s) this.#step(dt_s, heard);
    for (let i = 0; i < SCALARS.length; i++) frame.set(i, this.#validity.code(i));
    const driven = ["shaftSpeed", "load"].every((name) => this.#validity.code(at(name)) === 0);
    const well = (name: string): boolean => driven && this.#validity.code(at(name)) === 0;
    const excess = this.#friction.value / this.#usualFriction - 1;
    const known = well("torque") && this.#commissioned;
    frame.set(INPUTS.length, known ? excess : Number.NaN);
    const warm = well("bearingTemp") && well("ambientTemp");
    frame.set(INPUTS.length + 1, warm ? this.#heat.residual_K : Number.NaN);
    frame.set(INPUTS.length + 2, this.#friction.value);
  }

  onBlock(frame: Frame, input: number, block: Block): void {
    if (input !== ACCEL) return;
    const analyser = this.#analysers.for(block.values);
    if (analyser === null) return;
    const own = this.#validity.value(at("shaftSpeed"));
    const speed_radps = block.speed_radps ?? own;
    this.#blockSpeed_radps = block.speed_radps ?? Number.NaN;
    if (!(speed_radps > SPEED_MIN_radps)) return;
    const found = analyser.of(block);
    const level = Math.log(found.rms);
    this.#accelFault = found.rms < 1e-4 ? 1 : level - this.#usualLevel < QUIET ? 7 : 0;
    frame.set(ACCEL, this.#accelFault);
    if (this.#accelFault !== 0) {
      for (let i = FIRST_FEATURE; i < OUTPUTS.length; i++) frame.set(i, Number.NaN);
      return;
    }
    this.#writeFeatures(frame, found, level);
    analyser.orders(PLAIN_AXIS, speed_radps, this.#lines);
    this.#shown_ms = block.t_ms;
    if (this.network === null || this.#bearing === null) return;
    analyser.orders(faultAxis(this.#bearing), speed_radps, this.#cells);
    normalise(this.#cells, this.#sorted);
    this.network.infer(this.#cells, this.#logits);
    this.#weigh();
    frame.set(OUTPUTS.length - 1, this.#evidence.value);
  }

  explain(output: string): Finding | null {
    const channel = output.endsWith(".fault") ? output.slice(0, -".fault".length) : "";
    const code = channel === "accel" ? this.#accelFault : this.#validity.code(at(channel));
    if (channel !== "" && code > 0) {
      const evidence = [`${channel}: ${SUSPICIONS[code]}`, "withheld from every model"];
      return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
    }
    if (output !== "bearing.damage" || this.#bearing === null) return null;
    const part = PARTS[this.#shares.indexOf(Math.max(...this.#shares))] ?? "outer";
    const order = bearingOrders(this.#bearing)[part].toFixed(2);
    const evidence = [`${part} race or element at order ${order} of shaft speed`];
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  spectrum(): Spectrum | null {
    if (Number.isNaN(this.#shown_ms)) return null;
    const orders = this.#bearing === null ? null : bearingOrders(this.#bearing);
    return {
      t_ms: this.#shown_ms,
      channel: "accel",
      orderStep: ORDER_STEP,
      values: this.#lines.slice(),
      unit: "m/s2",
      markers: orders === null ? [] : PARTS.map((label) => ({ order: orders[label], label })),
    };
  }

  #writeFeatures(frame: Frame, found: BlockAnalysis, level: number): void {
    const plain = [found.peak, found.rms, found.velocityRms, found.kurtosis, level];
    for (const [i, value] of plain.entries()) frame.set(FIRST_FEATURE + i, value);
    frame.set(FIRST_FEATURE + plain.length, this.#trend.add(found.rms));
  }

  #weigh(): void {
    const top = Math.max(...this.#logits);
    const p = Array.from(this.#logits, (v) => Math.exp(v - top));
    const sum = p.reduce((a, b) => a + b, 0);
    const healthy = Math.max(1e-6, (p[0] as number) / sum);
    this.#evidence.add(Math.log(Math.max(1e-6, 1 - healthy) / healthy));
    PARTS.forEach((_, i) => {
      const share = (p[i + 1] as number) / sum;
      const old = this.#shares[i] as number;
      this.#shares[i] = old + 0.3 * (share - old);
    });
  }

  #suspect(name: string, off: boolean, after_s: number, dt_s: number): void {
    const held_s = off ? (this.#held.get(name) ?? 0) + dt_s : 0;
    this.#held.set(name, held_s);
    if (held_s > after_s) this.#validity.accuse(at(name));
  }

  #step(dt_s: number, heard: (name: string) => number): void {
    const speed_radps = heard("shaftSpeed");
    const load_N = heard("load");
    const air_K = heard("ambientTemp");
    const temp_K = heard("bearingTemp");
    const law_Nm = frictionTorque(load_N, speed_radps);
    const heat_W = law_Nm * Math.max(0, speed_radps);
    this.#heat.step(dt_s, temp_K, temp_K, heat_W, air_K);
    const turning = speed_radps > SPEED_MIN_radps;
    this.#friction.add(turning ? heard("torque") / law_Nm : Number.NaN, dt_s);
    const stated = this.#blockSpeed_radps;
    const apart = Math.abs(speed_radps / stated - 1) > SPEED_OFF;
    this.#suspect("shaftSpeed", turning && apart, 150, dt_s);
    const airBefore_K = this.#air.value;
    this.#air.add(air_K, dt_s);
    const airOff = Math.abs(air_K - airBefore_K) > AIR_OFF_K;
    this.#suspect("ambientTemp", airOff, 60, dt_s);
    if (!this.#commissioned || !turning) return;
    this.#arbitrate(dt_s, this.#validity.code(at("ambientTemp")) !== 0);
  }

  /** Torque and heat tell the same friction; the one that speaks alone is its sensor's fault. */
  #arbitrate(dt_s: number, airOff: boolean): void {
    const excess = this.#friction.value / this.#usualFriction - 1;
    const hot_K = this.#heat.residual_K;
    const torqueOff = Math.abs(excess) > FRICTION.same;
    const cool = hot_K < HEAT_OFF_K / 2;
    const both = excess < FRICTION.low && hot_K < -HEAT_OFF_K / 4;
    const drivers = this.#validity.code(at("shaftSpeed")) !== 0;
    this.#suspect("load", both && !drivers, WAIT_s, dt_s);
    const known = drivers || this.#validity.code(at("load")) !== 0 || both;
    this.#suspect("torque", excess > FRICTION.most && !known, 30, dt_s);
    if (torqueOff && cool && !known) this.#suspect("torque", true, HEAT_s, dt_s);
    const alone = Math.abs(hot_K) > HEAT_OFF_K && !torqueOff && !airOff && !known;
    this.#suspect("bearingTemp", alone, WAIT_s, dt_s);
  }
}
