//! The monitor of a rolling bearing: VibNet's opinion of each block accumulated over blocks, loudness
//! against the healthy period, and friction told twice, by torque and by heat. NaN: cannot tell.
import { BEARING_RIG, frictionTorque } from "../base/bearing-rig.js";
import type { Block, BlockAnalysis } from "../base/telemetry.js";
import { BearingAccel } from "./bearing-accel.js";
import { BEARING_BALANCES } from "./bearing-balances.js";
import { BEARING_PLATE, BEARING_PORTS, FIGURES } from "./bearing-ports.js";
import { Loudness } from "./bearing-trend.js";
import { Smooth } from "./chain/smooth.js";
import { fitOf, ThermalWatch } from "./chain/thermal.js";
import { SUSPICIONS } from "./chain/validity.js";
import type { Finding, Monitor } from "./monitor.js";
import {
  createMachineMonitor,
  type Machine,
  machineOutputs,
  output,
  type Physics,
  type Readings,
  type Said,
} from "./monitor-machine.js";
import type { Recalled } from "./recall.js";
import { type Learnt, learnt, plateValue, type Setup } from "./setup.js";
import { BlockWatch } from "./vibration-block.js";

const SPEED_MIN_radps = 20;
const SPEED_OFF = 0.03;
const SPEED_s = 90;
/** Blocks further apart say nothing of the speed between them. */
const OPEN_s = 900;
const HEAT_OFF_K = 4;
const FRICTION = { same: 0.3, most: 3, low: -0.15 } as const; // excess over the friction law
const WAIT_s = 300;
/** ln by which the law falls with the load's reading; torque that falls by half as much follows. */
const LOAD_FALLS = 0.25;
const LOAD_s = 60;
const HEAT_s = 1500; // three time constants: heat must have followed the torque
const AIR_OFF_K = 2;
const AIR_s = 1800;
/** Evidence from which a bearing counts as damaged: its loudness is no normal then. */
const DAMAGED = 8;

const MACHINE: Machine = {
  name: "bearing",
  ports: BEARING_PORTS,
  plate: BEARING_PLATE,
  outputs: machineOutputs(BEARING_PORTS, [
    output("friction.excess", "1", "torque over the friction law, less one"),
    output("heat.residual", "K", "temperature beyond what friction law and air explain"),
    output("friction.ratio", "1", "torque over the friction law, for commissioning"),
    output("accel.peak", "m/s2{peak}", "greatest deviation from the mean of the block"),
    output("accel.rms", "m/s2{rms}", "of the whole block"),
    output("accel.velocityRms", "m/s{rms}", "10-1000 Hz"),
    output("accel.kurtosis", "1", "3 for noise, more with impulses"),
    output("accel.level", "1", "ln of the rms in m/s2, for commissioning"),
    ...FIGURES.map((name) => output(`${name}.level`, "1", "the same of a reading")),
    output("vibration.rise", "1", "ln of how much louder than in the healthy period"),
    output("bearing.damage", "1", "accumulated log odds of damage over blocks"),
  ]),
  step_ms: 1000,
  gap_s: 600,
  needs: [],
  learns: "loudness, friction",
  balances: BEARING_BALANCES,
  physics: (readings, setup) => new BearingPhysics(readings, setup),
};
const row = (
  name: string,
  about: Learnt["about"],
  credible: readonly [number, number],
  drift: number,
): Learnt => ({
  output: name,
  middle: `${name}.middle`,
  spread: `${name}.sigma`,
  about,
  credible,
  drift,
});
export const BEARING_LEARNT: readonly Learnt[] = [
  row("heat.residual", "zero", [-15, 15], 1),
  row("friction.ratio", "middle", [0.05, 20], 0.05),
  ...["accel", ...FIGURES].map((name) => row(`${name}.level`, "middle", [-12, 8], 0.1)), // ln
];

export const createBearingMonitor = (setup: Setup): Monitor => createMachineMonitor(MACHINE, setup);

class BearingPhysics implements Physics {
  readonly #on: Readings;
  readonly #commissioned: boolean;
  readonly #blocks: BlockWatch;
  readonly #heat: ThermalWatch;
  readonly #usualFriction: number;
  readonly #accel = new BearingAccel();
  readonly #figures = new Map(FIGURES.map((name) => [name as string, new Loudness()]));
  readonly #friction = new Smooth(60);
  readonly #air = new Smooth(AIR_s);
  /** ln of the torque by the law and as measured: of the last minute, and of the last half hour. */
  readonly #torques = [LOAD_s, HEAT_s].map(
    (tau_s) => [new Smooth(tau_s), new Smooth(tau_s)] as const,
  );
  #loadLies = false;
  #found: BlockAnalysis | null = null;
  /** Shaft speed of the last block, by itself and by its channel at that time; and its age. */
  #blockSpeed_radps = Number.NaN;
  #heardSpeed_radps = Number.NaN;
  #block_s = 0;
  /** It has left the last block's speed, and no block has told yet whether the shaft did. */
  #speedOpen = false;

  constructor(readings: Readings, setup: Setup) {
    this.#on = readings;
    this.#commissioned = setup.baseline !== null;
    this.#usualFriction = learnt(setup, "friction.ratio.middle", 1);
    this.#heat = new ThermalWatch(
      BEARING_RIG,
      FRICTION.most,
      fitOf(readings, "heat.residual.middle", "heat.residual.sigma", this.#usualFriction),
    );
    const plate = (key: string): number => plateValue(setup, BEARING_PLATE, key);
    this.#blocks = new BlockWatch("accel", plate, "rollers and diameters", setup);
  }

  readonly recalled: Recalled = {
    recollect: () => ({
      ...this.#blocks.recollect(),
      ...Object.fromEntries(this.#heard.map(([name, { kept }]) => [`${name}.steady`, kept])),
      heat: this.#heat.kept_K,
    }),
    recall: (kept, gap_s) => {
      this.#blocks.recall(kept);
      for (const [name, loudness] of this.#heard) loudness.resume(kept[`${name}.steady`]);
      this.#heat.resume(kept["heat"], gap_s);
    },
  };

  get network() {
    return this.#blocks.network;
  }

  get off(): readonly string[] {
    return this.#blocks.off;
  }

  readonly says: Said = {
    "friction.excess": () =>
      this.#well("torque") && this.#commissioned && !this.#speedOpen ? this.#excess : Number.NaN,
    "heat.residual": () =>
      this.#well("bearingTemp") && this.#on.believed("ambientTemp")
        ? this.#heat.toldBeyond(HEAT_OFF_K)
        : Number.NaN,
    "friction.ratio": () => this.#friction.value,
  };

  readonly saysOfBlocks: Said = {
    "accel.fault": () => this.#accel.fault,
    "accel.peak": () => this.#found?.peak ?? Number.NaN,
    "accel.rms": () => this.#found?.rms ?? Number.NaN,
    "accel.velocityRms": () => this.#found?.velocityRms ?? Number.NaN,
    "accel.kurtosis": () => this.#found?.kurtosis ?? Number.NaN,
    "accel.level": () =>
      this.#found === null || this.#blocks.damage > DAMAGED
        ? Number.NaN
        : this.#accel.loudness.level,
    ...Object.fromEntries(FIGURES.map((name) => [`${name}.level`, () => this.#of(name).level])),
    "vibration.rise": () => this.#rise,
    "bearing.damage": () => (this.#accel.readable ? this.#blocks.damage : Number.NaN),
  };

  onBlock(block: Block): boolean {
    const found = this.#blocks.figures(block);
    if (found === null) return false;
    this.#blockSpeed_radps = block.speed_radps ?? Number.NaN;
    this.#heardSpeed_radps = this.#on.heard("shaftSpeed");
    this.#block_s = 0;
    const speed_radps = block.speed_radps ?? this.#on.value("shaftSpeed");
    if (!(speed_radps > SPEED_MIN_radps)) return false;
    const heard = Math.abs(this.#on.value("shaftSpeed") / speed_radps - 1) < SPEED_OFF;
    const usual = this.#usualLevel("accel");
    const confirmed = heard && block.speed_radps !== null;
    this.#accel.take(block, found, speed_radps, { usual, confirmed });
    this.#found = this.#accel.fault === 0 ? found : null;
    if (this.#accel.readable) this.#blocks.judge(block, speed_radps);
    return true;
  }

  /** A figure is a block without its waveform; of a shaft that stands it says nothing. */
  onRecord(name: string): boolean {
    const speed_radps = this.#on.value("shaftSpeed");
    if (speed_radps <= SPEED_MIN_radps || !this.#on.believed(name)) return false;
    const heard = this.#of(name).take(this.#on.raw(name), this.#usualLevel(name));
    if (!heard) this.#on.accuse(name);
    return true;
  }

  step(dt_s: number): void {
    const { heard } = this.#on;
    const speed_radps = heard("shaftSpeed");
    const air_K = heard("ambientTemp");
    const temp_K = heard("bearingTemp");
    const law_Nm = frictionTorque(heard("load"), speed_radps);
    this.#heat.step(dt_s, temp_K, temp_K, law_Nm * Math.max(0, speed_radps), air_K);
    const turning = speed_radps > SPEED_MIN_radps;
    this.#friction.add(turning ? heard("torque") / law_Nm : Number.NaN, dt_s);
    if (turning) this.#followLoad(law_Nm, heard("torque"), dt_s);
    this.#block_s += dt_s;
    this.#followSpeed(dt_s, turning, speed_radps);
    const airBefore_K = this.#air.value;
    this.#air.add(air_K, dt_s);
    const airOff = Math.abs(air_K - airBefore_K) > AIR_OFF_K;
    this.#on.suspect("ambientTemp", airOff, 60, dt_s);
    if (!this.#commissioned || !turning) return;
    this.#arbitrate(dt_s, !this.#on.believed("ambientTemp"));
  }

  expects(channel: string): number {
    return channel === "bearingTemp" ? this.#heat.expected_K : Number.NaN;
  }

  explain(name: string): Finding | null {
    if (name === "bearing.damage") return this.#blocks.explain();
    if (name !== "accel.fault" || !(this.#accel.fault > 0)) return null;
    const evidence = [`accel: ${SUSPICIONS[this.#accel.fault]}`, "withheld from every model"];
    return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
  }

  spectrum() {
    return this.#blocks.spectrum();
  }

  state(): number {
    const speed_radps = this.#on.value("shaftSpeed");
    return Number.isNaN(speed_radps) ? speed_radps : Number(speed_radps > SPEED_MIN_radps);
  }

  /** Middle of ln(rms) in the healthy period; NaN before commissioning. */
  #usualLevel(name: string): number {
    return this.#on.normal(`${name}.level.middle`, Number.NaN);
  }

  /** Every sensor of its loudness, by name. */
  get #heard(): readonly (readonly [string, Loudness])[] {
    return [["accel", this.#accel.loudness], ...this.#figures];
  }

  #of(name: string): Loudness {
    return this.#figures.get(name) as Loudness;
  }

  /** Of the sensor that has grown loudest; NaN while none is known. */
  get #rise(): number {
    const rises = this.#heard.map(([, { rise }]) => rise);
    const known = rises.filter((rise) => !Number.isNaN(rise));
    return known.length === 0 ? Number.NaN : Math.max(...known);
  }

  get #excess(): number {
    return this.#friction.value / this.#on.normal("friction.ratio.middle", 1) - 1;
  }

  /** Itself and what drives it. */
  #well(name: string): boolean {
    return ["shaftSpeed", "load", name].every((channel) => this.#on.believed(channel));
  }

  /** Odd at a block and no other since, it lies; else the next block tells. */
  #followSpeed(dt_s: number, turning: boolean, speed_radps: number): void {
    const apart = (a: number, b: number): boolean => Math.abs(a / b - 1) > SPEED_OFF;
    const left = turning && apart(speed_radps, this.#blockSpeed_radps);
    const lies =
      left &&
      apart(this.#heardSpeed_radps, this.#blockSpeed_radps) &&
      !apart(speed_radps, this.#heardSpeed_radps);
    this.#on.suspect("shaftSpeed", lies, SPEED_s, dt_s);
    this.#speedOpen = left && !lies && this.#block_s < OPEN_s;
  }

  /** A load that falls takes torque with it at once; where it does not, its reading alone fell. */
  #followLoad(law_Nm: number, torque_Nm: number, dt_s: number): void {
    if (!(law_Nm > 0 && torque_Nm > 0)) return;
    for (const [law, torque] of this.#torques) {
      law.add(Math.log(law_Nm), dt_s);
      torque.add(Math.log(torque_Nm), dt_s);
    }
    const [now, before] = this.#torques;
    if (now === undefined || before === undefined) return;
    const [law, torque] = [now[0].value - before[0].value, now[1].value - before[1].value];
    const fell = law < -LOAD_FALLS && torque > law / 2;
    this.#loadLies = fell || (this.#loadLies && this.#excess > FRICTION.same);
  }

  /** Torque and heat tell the same friction; the one that speaks alone is its sensor's fault. */
  #arbitrate(dt_s: number, airOff: boolean): void {
    const { suspect, believed } = this.#on;
    const excess = this.#excess;
    const hot_K = this.#heat.residual_K;
    const torqueOff = Math.abs(excess) > FRICTION.same;
    const cool = hot_K < HEAT_OFF_K / 2;
    const both = excess < FRICTION.low && hot_K < -HEAT_OFF_K / 4;
    const drivers = !believed("shaftSpeed");
    const lies = this.#loadLies;
    suspect("load", (both || lies) && !drivers, lies ? LOAD_s : WAIT_s, dt_s);
    const known = drivers || !believed("load") || both || lies;
    suspect("torque", excess > FRICTION.most && !known, 30, dt_s);
    if (torqueOff && cool && !known) suspect("torque", true, HEAT_s, dt_s);
    // Friction that is still too small to count alone is the same heat.
    const beside_K = hot_K - excess * this.#heat.rise_K;
    const hot = Math.abs(hot_K) > HEAT_OFF_K && Math.abs(beside_K) > HEAT_OFF_K;
    const alone = hot && !torqueOff && !airOff && !known;
    suspect("bearingTemp", alone, WAIT_s, dt_s);
  }
}
