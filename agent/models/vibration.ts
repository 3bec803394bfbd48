//! The monitor of a turbine's vibration channel: when its blocks may be judged, and at which speed.
import type { Block, BlockAnalysis } from "../base/telemetry.js";
import { SPEED_CHANGE_MAX } from "./features/orders.js";
import type { Finding, Frame, Monitor, Port } from "./monitor.js";
import { output } from "./monitor-machine.js";
import { Recall } from "./recall.js";
import { plateValue, type Setup } from "./setup.js";
import { TURBINE_PLATE } from "./turbine-ports.js";
import { BlockWatch, isClipped, isDead, PARTS } from "./vibration-block.js";

const INPUTS = ["hssAccel", "generatorSpeed", "state"] as const;
const [BLOCK, SPEED, STATE] = [0, 1, 2];
const STATES_RUNNING = [2, 4];
const SPEED_MIN = 0.4; // of rated: below it a block holds too few turns
const BLANK_ms = 120_000; // after a change of state

const FIGURES: readonly (readonly [Port, (found: BlockAnalysis) => number])[] = [
  [
    output("hssAccel.peak", "m/s2{peak}", "greatest deviation from the mean of the block"),
    (found) => found.peak,
  ],
  [output("hssAccel.rms", "m/s2{rms}", "of the whole block"), (found) => found.rms],
  [output("hssAccel.velocityRms", "m/s{rms}", "10-1000 Hz"), (found) => found.velocityRms],
  [output("hssAccel.crest", "1", "peak over rms"), (found) => found.crest],
  [output("hssAccel.kurtosis", "1", "3 for noise, more with impulses"), (found) => found.kurtosis],
  [output("vibration.peak", "m/s2{peak}", "the same as hssAccel.peak"), (found) => found.peak],
];
const OUTPUTS: readonly Port[] = [
  ...FIGURES.map(([port]) => port),
  ...PARTS.map((part) =>
    output(`hssBearing.${part}`, "1", "share of recent blocks that point to it"),
  ),
  output("hssBearing.damage", "1", "accumulated log odds of damage over blocks"),
  output("hssAccel.fault", "1", "0 well, 1 dead, 2 clipped"),
];

const FAULTS = ["well", "dead", "clipped"] as const;
const AGREES = "channels that agree: hssAccel, generatorSpeed";
const OTHER_BEARING =
  "other explanation: gear mesh or currents near an order of the bearing, or its geometry is another";
const OTHER_SHAKING = "other explanation: the accelerometer sits loose, or is scaled wrongly";

export function createVibrationMonitor(setup: Setup): Monitor {
  const core = new VibrationCore(setup);
  const { blocks } = core;
  return {
    name: "vibration",
    inputs: INPUTS,
    outputs: OUTPUTS,
    model: blocks.network?.hash ?? "physics@1",
    get tier() {
      return blocks.network?.tier ?? "exact";
    },
    off: blocks.off,
    onSample: (frame, input, t_ms) => core.onSample(frame, input, t_ms),
    onBlock: (frame, input, block) => core.onBlock(frame, input, block),
    explain: (index) => core.explain(OUTPUTS[index]?.name ?? ""),
    spectrum: () => blocks.spectrum(),
    memory: core.recall,
  };
}

class VibrationCore {
  readonly blocks: BlockWatch;
  readonly recall: Recall;
  #block_ms = Number.NaN;
  #fault = Number.NaN;
  readonly #ratedSpeed: number;
  #state = Number.NaN;
  #since_ms = Number.NEGATIVE_INFINITY;
  /** Shaft speeds of the last seconds, for blocks whose sender states none. */
  readonly #speeds: { t_ms: number; radps: number }[] = [];

  constructor(setup: Setup) {
    const plate = (key: string): number => plateValue(setup, TURBINE_PLATE, key);
    const named = "hssBearing (rollers and diameters)";
    this.blocks = new BlockWatch("hssAccel", (key) => plate(`hssBearing.${key}`), named, setup);
    this.#ratedSpeed = plate("ratedSpeed");
    this.recall = new Recall([this.blocks], () => this.#block_ms);
  }

  explain(name: string): Finding | null {
    if (name.startsWith("hssBearing.")) {
      const found = this.blocks.explain();
      return found && { ...found, evidence: [...found.evidence, AGREES, OTHER_BEARING] };
    }
    const fault = this.#fault > 0;
    if (Number.isNaN(this.#fault)) return null;
    const sound = fault
      ? `hssAccel: ${FAULTS[this.#fault]}`
      : "the block is whole: no rail, no silence";
    const evidence = [sound, ...(fault ? [] : [AGREES]), OTHER_SHAKING];
    return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
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
    if (Number.isNaN(this.#block_ms)) this.recall.begin(block.t_ms);
    this.#block_ms = block.t_ms;
    const found = this.blocks.figures(block);
    if (found === null) return;
    const fault = isDead(found) ? 1 : isClipped(block.values) ? 2 : 0;
    FIGURES.forEach(([, read], i) => {
      frame.set(i, fault === 1 ? Number.NaN : read(found));
    });
    this.#fault = fault;
    frame.set(OUTPUTS.length - 1, fault);
    const speed_radps = this.#speedOf(block);
    if (fault !== 0 || Number.isNaN(speed_radps) || !this.#running(block.t_ms)) return;
    if (!this.blocks.judge(block, speed_radps)) return;
    PARTS.forEach((_, i) => {
      frame.set(FIGURES.length + i, this.blocks.share(i));
    });
    frame.set(FIGURES.length + PARTS.length, this.blocks.damage);
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
