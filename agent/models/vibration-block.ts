//! What a vibration block says of the machine that made it: plain figures, a spectrum over shaft
//! orders, and VibNet's opinion of the bearing, accumulated so that no single block raises an alarm.
import { readFileSync } from "node:fs";
import type { Backend } from "../accel/backend.js";
import { packageFile } from "../base/files.js";
import { type Bearing, bearingOrders } from "../base/physics.js";
import type { Block, BlockAnalysis } from "../base/telemetry.js";
import { Cusum } from "./chain/smooth.js";
import { Analysers, type BlockAnalyser } from "./features/analyser.js";
import { faultAxis, normalise, ORDER_BINS, ORDER_STEP, PLAIN_AXIS } from "./features/orders.js";
import type { Finding, Spectrum } from "./monitor.js";
import { loadNetwork, type Network } from "./network.js";
import type { Recalled } from "./recall.js";
import type { Setup } from "./setup.js";

export const PARTS = ["outer", "inner", "ball"] as const;
const NAMES = { outer: "outer race", inner: "inner race", ball: "rolling elements" } as const;
const HEALTHY = "healthy";
const MODEL_FILE = "agent/models/vibnet.onnx";
/** Log odds count at most 3 a block: four blocks in a row raise, whatever the network says. */
const SLACK = 1;
const EVIDENCE_MAX = 20;
const SMOOTH = 0.3;
const DEAD_mps2 = 1e-4;

export class BlockWatch implements Recalled {
  readonly off: string[] = [];
  readonly network: Network | null = null;
  readonly #channel: string;
  readonly #bearing: Bearing | null;
  readonly #analysers = new Analysers();
  readonly #cells = new Float32Array(ORDER_BINS);
  readonly #lines = new Float32Array(ORDER_BINS);
  readonly #sorted = new Float32Array(ORDER_BINS);
  #logits = new Float32Array(0);
  /** Where the network's outputs have each class; -1: a part that it does not know. */
  #healthy = -1;
  #places: readonly number[] = [];
  readonly #shares = new Float64Array(PARTS.length);
  readonly #evidence = new Cusum(SLACK, EVIDENCE_MAX);
  #analyser: BlockAnalyser | null = null;
  #blocks = 0;
  #shown_ms = Number.NaN;

  /** `plate`: keys of the bearing's geometry; `named` is where the nameplate keeps them. */
  constructor(channel: string, plate: (key: string) => number, named: string, setup: Setup) {
    this.#channel = channel;
    const bearing: Bearing = {
      rollers: plate("rollers"),
      ball_m: plate("ballDiameter"),
      pitch_m: plate("pitchDiameter"),
      contact_rad: plate("contactAngle"),
    };
    this.#bearing = Object.values(bearing).some(Number.isNaN) ? null : bearing;
    if (this.#bearing === null) {
      this.off.push(`bearing condition: no nameplate ${named}`);
      return;
    }
    const bytes = setup.network ?? readFileSync(packageFile(MODEL_FILE));
    const network = bearingNetwork(bytes, setup.backend);
    if (typeof network === "string") {
      this.off.push(`bearing condition: ${network}`);
      return;
    }
    this.network = network;
    const classes = network.outputs[0]?.classes ?? [];
    this.#healthy = classes.indexOf(HEALTHY);
    this.#places = PARTS.map((part) => classes.indexOf(part));
    this.#logits = new Float32Array(classes.length);
  }

  /** Figures of the block, null where it is too short to say anything. */
  figures(block: Block): BlockAnalysis | null {
    this.#analyser = this.#analysers.for(block.values);
    return this.#analyser?.of(block) ?? null;
  }

  /** Weighs the block last given to `figures`, turning at this speed; false: no network to ask. */
  judge(block: Block, speed_radps: number): boolean {
    const analyser = this.#analyser;
    if (analyser === null) return false;
    analyser.orders(PLAIN_AXIS, speed_radps, this.#lines);
    this.#shown_ms = block.t_ms;
    if (this.network === null || this.#bearing === null) return false;
    analyser.orders(faultAxis(this.#bearing), speed_radps, this.#cells);
    normalise(this.#cells, this.#sorted);
    this.network.infer(this.#cells, this.#logits);
    this.#weigh();
    return true;
  }

  /** Accumulated log odds of damage; NaN until a block was judged. */
  get damage(): number {
    return this.#blocks === 0 ? Number.NaN : this.#evidence.value;
  }

  recollect(): Readonly<Record<string, number>> {
    return { damage: this.damage };
  }

  /** Told with the next block, which weighs on it. */
  recall(kept: Readonly<Record<string, number>>): void {
    this.#evidence.resume(kept["damage"] ?? 0);
  }

  /** Share of recent blocks that point to this part. */
  share(part: number): number {
    return this.#blocks === 0 ? Number.NaN : (this.#shares[part] as number);
  }

  explain(): Finding | null {
    if (this.#blocks === 0 || this.#bearing === null) return null;
    const part = PARTS[this.#shares.indexOf(Math.max(...this.#shares))] ?? "outer";
    const order = bearingOrders(this.#bearing)[part].toFixed(2);
    const evidence = [
      `most like the ${NAMES[part]}: order ${order} of shaft speed and its harmonics`,
      `${this.#blocks} blocks judged, evidence ${this.#evidence.value.toFixed(1)}`,
    ];
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  spectrum(): Spectrum | null {
    if (Number.isNaN(this.#shown_ms)) return null;
    return {
      t_ms: this.#shown_ms,
      channel: this.#channel,
      orderStep: ORDER_STEP,
      values: this.#lines.slice(),
      unit: "m/s2",
      markers: this.#bearing === null ? [] : markersOf(this.#bearing),
    };
  }

  #weigh(): void {
    const top = Math.max(...this.#logits);
    const p = Array.from(this.#logits, (v) => Math.exp(v - top));
    const sum = p.reduce((a, b) => a + b, 0);
    const healthy = Math.max(1e-6, (p[this.#healthy] as number) / sum);
    this.#blocks += 1;
    this.#evidence.add(Math.log(Math.max(1e-6, 1 - healthy) / healthy));
    PARTS.forEach((_, i) => {
      const share = (p[this.#places[i] ?? -1] ?? 0) / sum;
      const old = this.#shares[i] as number;
      this.#shares[i] = old + SMOOTH * (share - old);
    });
  }
}

/** A network that reads spectra around fault orders and tells healthy from damaged parts. */
export function bearingNetwork(bytes: Uint8Array, backend: Backend): Network | string {
  const network = loadNetwork(bytes, backend);
  if (typeof network === "string") return network;
  const [input] = network.inputs;
  if (input?.size !== ORDER_BINS) {
    return `the network reads ${input?.size ?? 0} values, a spectrum has ${ORDER_BINS}`;
  }
  const classes = network.outputs[0]?.classes ?? [];
  const known: readonly string[] = [HEALTHY, ...PARTS];
  const fits = classes.includes(HEALTHY) && classes.length > 1;
  if (fits && classes.every((name) => known.includes(name))) return network;
  return `its classes are [${classes.join(", ")}], known are ${known.join(", ")}`;
}

/** Also of a block that holds a sample that is no number. */
export const isDead = (found: BlockAnalysis): boolean => !(found.rms >= DEAD_mps2);

/** More than one sample in a thousand at the very top or bottom is no peak but a rail. */
export function isClipped(values: Float32Array): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const near = (high - low) / 2000;
  let [bottom, top] = [0, 0];
  for (const value of values) {
    if (value > high - near) top += 1;
    if (value < low + near) bottom += 1;
  }
  const most = Math.max(top, bottom);
  return most > values.length / 1000 && most > 8;
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
