//! The monitor of a vibration channel: plain figures of each block, and VibNet's opinion of the
//! bearing, accumulated over blocks so that no single one raises an alarm.
import { readFileSync } from "node:fs";
import { packageFile } from "../base/files.js";
import { type Bearing, bearingOrders } from "../base/physics.js";
import type { Block } from "../base/telemetry.js";
import { Cusum } from "./chain/smooth.js";
import { Analysers } from "./features/analyser.js";
import {
  faultAxis,
  normalise,
  ORDER_BINS,
  ORDER_STEP,
  PLAIN_AXIS,
  SPEED_CHANGE_MAX,
} from "./features/orders.js";
import type { Finding, Frame, Monitor, Port, Spectrum } from "./monitor.js";
import { loadNetwork, type Network } from "./network.js";
import { plateValue, type Setup } from "./setup.js";
import { TURBINE_PLATE } from "./turbine-ports.js";

const INPUTS = ["hssAccel", "generatorSpeed", "state"] as const;
const [BLOCK, SPEED, STATE] = [0, 1, 2];
const MODEL_FILE = "agent/models/vibnet.onnx";
const STATES_RUNNING = [2, 4];
const SPEED_MIN = 0.4; // of rated: below it a block holds too few turns
const BLANK_ms = 120_000; // after a change of state
/** Log odds count at most 3 a block: four blocks in a row raise, whatever the network says. */
const SLACK = 1;
const EVIDENCE_MAX = 20;
const SMOOTH = 0.3;
const PARTS = ["outer", "inner", "ball"] as const;

const port = (name: string, unit: string, about: string): Port => ({
  name,
  unit,
  point: false,
  about,
});
const OUTPUTS: readonly Port[] = [
  port("hssAccel.peak", "m/s2{peak}", "greatest deviation from the mean of the block"),
  port("hssAccel.rms", "m/s2{rms}", "of the whole block"),
  port("hssAccel.velocityRms", "m/s{rms}", "10-1000 Hz"),
  port("hssAccel.crest", "1", "peak over rms"),
  port("hssAccel.kurtosis", "1", "3 for noise, more with impulses"),
  port("vibration.peak", "m/s2{peak}", "the same as hssAccel.peak"),
  ...PARTS.map((part) =>
    port(`hssBearing.${part}`, "1", "share of recent blocks that point to it"),
  ),
  port("hssBearing.damage", "1", "accumulated log odds of damage over blocks"),
  port("hssAccel.fault", "1", "0 well, 1 dead, 2 clipped"),
];

export function createVibrationMonitor(setup: Setup): Monitor {
  const core = new VibrationCore(setup);
  return {
    name: "vibration",
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

class VibrationCore {
  readonly off: string[] = [];
  readonly network: Network | null = null;
  readonly #bearing: Bearing | null;
  readonly #ratedSpeed: number;
  readonly #analysers = new Analysers();
  readonly #cells = new Float32Array(ORDER_BINS);
  readonly #lines = new Float32Array(ORDER_BINS);
  readonly #sorted = new Float32Array(ORDER_BINS);
  readonly #logits = new Float32Array(PARTS.length + 1);
  readonly #shares = new Float64Array(PARTS.length);
  readonly #evidence = new Cusum(SLACK, EVIDENCE_MAX);
  #blocks = 0;
  #shown_ms = Number.NaN;
  #state = Number.NaN;
  #since_ms = Number.NEGATIVE_INFINITY;
  /** Shaft speeds of the last seconds, for blocks whose sender states none. */
  readonly #speeds: { t_ms: number; radps: number }[] = [];

  constructor(setup: Setup) {
    const plate = (key: string): number => plateValue(setup, TURBINE_PLATE, `hssBearing.${key}`);
    const bearing: Bearing = {
      rollers: plate("rollers"),
      ball_m: plate("ballDiameter"),
      pitch_m: plate("pitchDiameter"),
      contact_rad: plate("contactAngle"),
    };
    this.#ratedSpeed = plateValue(setup, TURBINE_PLATE, "ratedSpeed");
    this.#bearing = Object.values(bearing).some(Number.isNaN) ? null : bearing;
    if (this.#bearing === null) {
      this.off.push("bearing condition: no nameplate hssBearing (rollers and diameters)");
      return;
    }
    const network = loadNetwork(readFileSync(packageFile(MODEL_FILE)), setup.backend);
    if (typeof network === "string") this.off.push(`bearing condition: ${MODEL_FILE}: ${network}`);
    else this.network = network;
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    if (input === STATE) {
      const state = frame.get(STATE);
      if (state !== this.#state && !Number.isNaN(this.#state)) this.#since_ms = t_ms;
      this.#state = state;
    } else if (input === SPEED) {
      this.#speeds.push({ t_ms, radps: frame.get(SPEED) });
      if (this.#speeds.length > 8) this.#speeds.shift();
    }
  }

  onBlock(frame: Frame, input: number, block: Block): void {
    if (input !== BLOCK) return;
    const analyser = this.#analysers.for(block.values);
    if (analyser === null) return;
    const found = analyser.of(block);
    const fault = found.rms < 1e-4 ? 1 : clipped(block.values, found.peak) ? 2 : 0;
    const plain = [
      found.peak,
      found.rms,
      found.velocityRms,
      found.crest,
      found.kurtosis,
      found.peak,
    ];
    for (const [i, value] of plain.entries()) frame.set(i, fault === 1 ? Number.NaN : value);
    frame.set(OUTPUTS.length - 1, fault);
    const speed_radps = this.#speedOf(block);
    if (fault !== 0 || Number.isNaN(speed_radps) || !this.#running(block.t_ms)) return;
    analyser.orders(PLAIN_AXIS, speed_radps, this.#lines);
    this.#shown_ms = block.t_ms;
    if (this.network === null || this.#bearing === null) return;
    analyser.orders(faultAxis(this.#bearing), speed_radps, this.#cells);
    normalise(this.#cells, this.#sorted);
    this.network.infer(this.#cells, this.#logits);
    this.#weigh();
    for (const [i, share] of this.#shares.entries()) frame.set(plain.length + i, share);
    frame.set(plain.length + PARTS.length, this.#evidence.value);
  }

  explain(output: string): Finding | null {
    if (!output.startsWith("hssBearing.") || this.#blocks === 0) return null;
    const top = this.#shares.indexOf(Math.max(...this.#shares));
    const part = PARTS[top] ?? "outer";
    const order = this.#bearing === null ? Number.NaN : bearingOrders(this.#bearing)[part];
    const evidence = [
      `${part} race or element at order ${order.toFixed(2)} of shaft speed and its harmonics`,
      `${this.#blocks} blocks judged, evidence ${this.#evidence.value.toFixed(1)}`,
    ];
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  spectrum(): Spectrum | null {
    if (Number.isNaN(this.#shown_ms)) return null;
    const markers = this.#bearing === null ? [] : markersOf(this.#bearing);
    return {
      t_ms: this.#shown_ms,
      channel: "hssAccel",
      orderStep: ORDER_STEP,
      values: this.#lines.slice(),
      unit: "m/s2",
      markers,
    };
  }

  #weigh(): void {
    const top = Math.max(...this.#logits);
    const p = Array.from(this.#logits, (v) => Math.exp(v - top));
    const sum = p.reduce((a, b) => a + b, 0);
    const healthy = Math.max(1e-6, (p[0] as number) / sum);
    this.#blocks += 1;
    this.#evidence.add(Math.log(Math.max(1e-6, 1 - healthy) / healthy));
    PARTS.forEach((_, i) => {
      const share = (p[i + 1] as number) / sum;
      this.#shares[i] =
        (this.#shares[i] as number) + SMOOTH * (share - (this.#shares[i] as number));
    });
  }

  /** NaN: unknown, too slow, or changing by more than 2 % within the block. */
  #speedOf(block: Block): number {
    const length_ms = (1000 * block.values.length) / block.fs_hz;
    const around = this.#speeds.filter(
      ({ t_ms, radps }) =>
        t_ms >= block.t_ms - 1500 && t_ms <= block.t_ms + length_ms + 1500 && !Number.isNaN(radps),
    );
    const speeds = around.map((s) => s.radps);
    const [first, last] = [around[0], around[around.length - 1]];
    const mean = speeds.reduce((a, b) => a + b, 0) / speeds.length;
    const speed = block.speed_radps ?? mean;
    if (!(speed > SPEED_MIN * this.#ratedSpeed)) return Number.NaN;
    if (first === undefined || last === undefined || last.t_ms === first.t_ms) return speed;
    const change = (Math.abs(last.radps - first.radps) * length_ms) / (last.t_ms - first.t_ms);
    // A speed channel at odds with the block is its sensor's problem, not a change of speed.
    return change > SPEED_CHANGE_MAX * speed && change < 0.2 * speed ? Number.NaN : speed;
  }

  #running(t_ms: number): boolean {
    const known = !Number.isNaN(this.#state) && Number.isInteger(this.#state);
    if (known && !STATES_RUNNING.includes(this.#state) && this.#state <= 5) return false;
    return t_ms - this.#since_ms > BLANK_ms;
  }
}

function markersOf(bearing: Bearing): Spectrum["markers"] {
  const orders = bearingOrders(bearing);
  return [
    { order: 1, label: "1P" },
    ...PARTS.flatMap((part) =>
      [1, 2].map((h) => ({ order: h * orders[part], label: h === 1 ? part : `${h} x ${part}` })),
    ),
  ];
}

/** More than one sample in a thousand at the very top is no peak but a rail. */
function clipped(values: Float32Array, peak: number): boolean {
  let count = 0;
  for (const value of values) if (Math.abs(value) > 0.999 * peak) count += 1;
  return count > values.length / 1000 && count > 8;
}
