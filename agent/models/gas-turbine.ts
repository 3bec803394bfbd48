//! The monitor of a single-shaft gas turbine: believe or doubt each reading, then hold cycle, oil,
//! bearings and vibration against each other. NaN says "cannot tell".
import {
  cycleEfficiency,
  exhaustLimit,
  GAS_TURBINE_NODES,
  type GasTurbineNode,
  gasTurbineHeat,
} from "../base/brayton.js";
import { Smooth } from "./chain/smooth.js";
import { ThermalWatch } from "./chain/thermal.js";
import { SUSPICIONS, Validity } from "./chain/validity.js";
import {
  DRIVERS,
  expectedReadings,
  explain,
  MEASURES,
  residuals,
  WEAR,
} from "./gas-turbine-bank.js";
import { GAS_TURBINE_PLATE, GAS_TURBINE_PORTS } from "./gas-turbine-ports.js";
import type { Finding, Frame, Monitor, Port } from "./monitor.js";
import { type Learnt, learnt, plateValue, type Setup } from "./setup.js";

const STEP_ms = 1000;
const GAP_s = 600;
const JUDGE_s = 10;
const MEAN_s = 60;
const SETTLE_s = 900; // after a change of state: metal warms, loads ramp
const RUN = 2;
const LOAD_LEAST = 0.35;
const ACCUSE_s = 60;
const SPEED_OFF = 0.02;
const DEMAND_OFF = 0.04;
const LIMIT_K = 15; // nearer than this the governor may be holding the exhaust, not the load
const RESIDUAL_K = 4;
const SIGMAS = 6;
const OIL_OFF_K = 2.5;
const SHAKE = { large: 0.5, beside: 0.2, mean_s: 60 } as const;
const HOUSING_mps = [1.6e-3, 1.9e-3] as const;

const NODES: readonly { node: GasTurbineNode; channel: string; credible: number }[] = [
  { node: "oil", channel: "oilTemp", credible: 1 },
  { node: "bearing1", channel: "bearingTemp1", credible: 0.8 },
  { node: "bearing2", channel: "bearingTemp2", credible: 0.8 },
];
const INPUTS = GAS_TURBINE_PORTS.map((port) => port.name);
const port = (name: string, unit: string, about: string): Port => ({
  name,
  unit,
  point: false,
  about,
});
const OUTPUTS: readonly Port[] = [
  ...INPUTS.map((name) => port(`${name}.fault`, "1", `0 well, else ${SUSPICIONS.join(", ")}`)),
  ...WEAR.map((name) => port(`${name}.wear`, "1", "share of the wear that its rule calls full")),
  ...NODES.flatMap(({ node }) => [
    port(`${node}.residual`, "K", "temperature beyond what load and surroundings explain"),
    port(`${node}.limit`, "K", "residual that the commissioned machine never reaches"),
  ]),
  port("rotor.imbalance", "m/s{rms}", "vibration that both ends share beyond the usual; else 0"),
  port("efficiency", "1", "electrical power over the heat of the fuel"),
  ...MEASURES.map((name) => port(`${name}.gap`, "1", "from the healthy cycle: share, or kelvins")),
  port("vibration1.ratio", "1", "over what speed and load explain"),
  port("vibration2.ratio", "1", "over what speed and load explain"),
];
const ratios = ["vibration1.ratio", "vibration2.ratio"];
export const GAS_TURBINE_LEARNT: readonly Learnt[] = [
  ...MEASURES.map((name) => `${name}.gap`),
  ...NODES.map(({ node }) => `${node}.residual`),
  ...ratios,
].map((output) => ({ output, middle: `${output}.middle`, spread: `${output}.sigma` }));

const at = (name: string): number => INPUTS.indexOf(name);

export function createGasTurbineMonitor(setup: Setup): Monitor {
  const core = new GasTurbineCore(setup);
  return {
    name: "gas-turbine",
    inputs: INPUTS,
    outputs: OUTPUTS,
    model: "physics@1",
    tier: "exact",
    off: core.off,
    onSample: (frame, input, t_ms) => core.onSample(frame, input, t_ms),
    onBlock() {},
    explain: (output) => core.explain(OUTPUTS[output]?.name ?? ""),
    spectrum: () => null,
  };
}

class GasTurbineCore {
  readonly off: string[] = [];
  readonly #setup: Setup;
  readonly #validity: Validity;
  readonly #rated_W: number;
  readonly #ratedSpeed: number;
  readonly #currentPerWatt: number;
  readonly #thermal: readonly ThermalWatch[];
  readonly #gaps = MEASURES.map(() => new Smooth(MEAN_s));
  readonly #shakes = [new Smooth(SHAKE.mean_s), new Smooth(SHAKE.mean_s)] as const;
  readonly #housing = [new Smooth(SHAKE.mean_s), new Smooth(SHAKE.mean_s)] as const;
  readonly #accused = new Map<string, number>();
  #wear: readonly number[] = WEAR.map(() => Number.NaN);
  #step_ms = Number.NaN;
  #state = Number.NaN;
  #inState_s = 0;
  #judge_s = 0;
  #judged_s = 0;

  constructor(setup: Setup) {
    this.#setup = setup;
    const plate = (key: string): number => plateValue(setup, GAS_TURBINE_PLATE, key);
    this.#validity = new Validity(GAS_TURBINE_PORTS, (name) =>
      learnt(setup, `noise.${name}`, Number.NaN),
    );
    this.#rated_W = plate("ratedPower");
    this.#ratedSpeed = plate("ratedSpeed");
    this.#currentPerWatt = 1 / (Math.sqrt(3) * plate("voltage") * plate("powerFactor"));
    this.#thermal = NODES.map(({ node, credible }) => {
      const offset_K = learnt(setup, `${node}.residual.middle`, 0);
      const sigma_K = learnt(setup, `${node}.residual.sigma`, Number.NaN);
      return new ThermalWatch(GAS_TURBINE_NODES[node], credible, { heat: 1, offset_K, sigma_K });
    });
    if (Number.isNaN(this.#rated_W)) this.off.push("cycle, temperatures: no nameplate ratedPower");
    if (setup.baseline === null) this.off.push("wear, vibration: no baseline (uncommissioned)");
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    const before_ms = this.#validity.now_ms;
    this.#validity.take(input, frame.get(input), t_ms);
    if (!(this.#validity.now_ms > before_ms)) return;
    if (Number.isNaN(this.#step_ms)) this.#step_ms = this.#validity.now_ms;
    if (before_ms - this.#step_ms < STEP_ms) return;
    const dt_s = (before_ms - this.#step_ms) / 1000;
    this.#step_ms = before_ms;
    const present = INPUTS.map((_, i) => !Number.isNaN(frame.get(i)));
    const heard = (name: string): number =>
      present[at(name)] ? this.#validity.heard(at(name)) : Number.NaN;
    const value = (name: string): number =>
      present[at(name)] ? this.#validity.value(at(name)) : Number.NaN;
    if (dt_s <= GAP_s) this.#step(dt_s, heard, value);
    this.#write(frame, value);
  }

  explain(output: string): Finding | null {
    const channel = output.endsWith(".fault") ? output.slice(0, -".fault".length) : "";
    const code = channel === "" ? 0 : this.#validity.code(at(channel));
    if (code !== 0) {
      const evidence = [`${channel}: ${SUSPICIONS[code]}`, "withheld from every model"];
      return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
    }
    if (!output.endsWith(".wear")) return null;
    const evidence = MEASURES.map((name, i) => {
      const gap = this.#gaps[i]?.value ?? Number.NaN;
      return `${name} off the healthy cycle by ${gap.toPrecision(2)}`;
    });
    return { expected: 0, sigma: 0.1, unit: "1", evidence };
  }

  #step(dt_s: number, heard: (name: string) => number, value: (name: string) => number): void {
    const state = value("state");
    this.#inState_s = state === this.#state ? this.#inState_s + dt_s : 0;
    this.#judged_s += dt_s;
    if (!Number.isNaN(state)) this.#state = state;
    const load = heard("generatorCurrent") / this.#currentPerWatt / this.#rated_W;
    const loaded = load > LOAD_LEAST || value("power") / this.#rated_W > LOAD_LEAST;
    // A machine found running is not one that has just started.
    const fresh = this.#judged_s > this.#inState_s + 2;
    const settled = state === RUN && loaded && this.#inState_s > (fresh ? SETTLE_s : 60);
    this.#heat(dt_s, heard, value, Number.isNaN(load) ? value("power") / this.#rated_W : load);
    if (!settled) {
      for (const gap of this.#gaps) gap.reset();
      for (const shake of this.#shakes) shake.reset();
      this.#accused.clear();
      this.#wear = WEAR.map(() => Number.NaN);
      this.#judge_s = 0;
      return;
    }
    this.#witness(dt_s, heard, value);
    this.#cycle(dt_s, heard);
    this.#shake(dt_s, heard, load);
  }

  /** Speed is the grid's; power never exceeds its reference, and falls short at a limit only. */
  #witness(dt_s: number, heard: (name: string) => number, value: (name: string) => number): void {
    const speed = heard("shaftSpeed") / this.#ratedSpeed;
    this.#suspect("shaftSpeed", Math.abs(speed - 1) > SPEED_OFF, dt_s);
    const short = (heard("loadDemand") - value("power")) / this.#rated_W;
    const over = value("generatorCurrent") / this.#currentPerWatt - value("power");
    const agreed = Math.abs(over) < 0.02 * this.#rated_W;
    const ratio = value("dischargePressure") / value("ambientPressure");
    const free = value("exhaustTempA") < exhaustLimit(ratio) - LIMIT_K;
    const off = short < -DEMAND_OFF || (free && short > DEMAND_OFF);
    this.#suspect("loadDemand", agreed && off, dt_s);
  }

  #suspect(name: string, off: boolean, dt_s: number): void {
    const spent_s = off ? (this.#accused.get(name) ?? 0) + dt_s : 0;
    this.#accused.set(name, spent_s);
    if (spent_s > ACCUSE_s) this.#validity.accuse(at(name));
  }

  #cycle(dt_s: number, heard: (name: string) => number): void {
    const scale = this.#rated_W / 23.7e6;
    const speed = heard("shaftSpeed") / this.#ratedSpeed;
    const pressure_Pa = heard("ambientPressure");
    const now = {
      temperature_K: heard("inletTemp"),
      pressure_Pa: Number.isNaN(pressure_Pa) ? 101_325 : pressure_Pa,
      power_W: Number.isNaN(heard("power"))
        ? heard("generatorCurrent") / this.#currentPerWatt
        : heard("power"),
      speed: Math.abs(speed - 1) < SPEED_OFF ? speed : 1,
    };
    this.#judge_s += dt_s;
    const whole = now.temperature_K > 220 && now.power_W > 0.2 * this.#rated_W;
    const expected = whole ? expectedReadings(now, scale, this.#currentPerWatt) : [];
    const found = residuals(MEASURES.map(heard), expected);
    this.#gaps.forEach((gap, i) => {
      const value = found[i] ?? Number.NaN;
      if (Number.isFinite(value)) gap.add(value, dt_s);
      else gap.reset();
    });
    if (this.#setup.baseline === null || this.#judge_s < 2 * MEAN_s) return;
    this.#judge(now, scale, Math.max(dt_s, 1));
  }

  #judge(now: Parameters<typeof explain>[2], scale: number, dt_s: number): void {
    if (this.#judged_s % JUDGE_s >= dt_s) return;
    const fit = (name: string, part: string, otherwise: number): number =>
      learnt(this.#setup, `${name}.gap.${part}`, otherwise);
    const gaps = MEASURES.map((name, i) => (this.#gaps[i]?.value ?? 0) - fit(name, "middle", 0));
    const sigmas = MEASURES.map((name) => fit(name, "sigma", 0));
    const found = explain(gaps, sigmas, now, scale, this.#currentPerWatt);
    const { sensors } = found;
    for (const name of [...MEASURES, ...DRIVERS]) {
      this.#suspect(name, sensors.includes(name), Math.max(JUDGE_s, dt_s));
    }
    // While a driver is in doubt, wear measured against it is too.
    this.#wear = found.wear;
  }

  #heat(
    dt_s: number,
    heard: (name: string) => number,
    value: (name: string) => number,
    load: number,
  ): void {
    const speed = value("shaftSpeed") / this.#ratedSpeed;
    const turning = Number.isNaN(speed) ? (this.#state === RUN ? 1 : Number.NaN) : speed;
    const oil_K = value("oilTemp");
    const [oil, one, two] = this.#thermal as [ThermalWatch, ThermalWatch, ThermalWatch];
    const around_K = Number.isNaN(oil_K) ? oil.expected_K : oil_K;
    NODES.forEach(({ node, channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      const reference_K = i === 0 ? value("inletTemp") : around_K;
      const heat_W = gasTurbineHeat(node, turning, load);
      watch.step(dt_s, value(channel), heard(channel), heat_W, reference_K);
    });
    // Both bearings off the oil by as much: it is the oil's reading that is wrong.
    const [a, b] = [one.residual_K, two.residual_K];
    const common = Math.abs(a + b) / 2;
    const oilOff = common > OIL_OFF_K && a * b > 0 && Math.abs(a - b) < common;
    if (this.#setup.baseline !== null && oilOff && !Number.isNaN(oil_K)) {
      this.#validity.accuse(at("oilTemp"));
    }
    NODES.forEach(({ channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      if (watch.incredible && (i === 0 || !oilOff)) this.#validity.accuse(at(channel));
      if (i > 0 && watch.residual_K < -RESIDUAL_K && !oilOff) this.#validity.accuse(at(channel));
    });
  }

  #shake(dt_s: number, heard: (name: string) => number, load: number): void {
    const levels = this.#shakes.map((shake, i) => {
      const channel = i === 0 ? "vibration1" : "vibration2";
      const usual_mps = (HOUSING_mps[i] as number) * (0.8 + 0.2 * load);
      const ratio = heard(channel) / usual_mps;
      this.#housing[i]?.add(heard(channel), dt_s);
      return shake.add(Math.log(Math.max(1e-3, ratio)), dt_s);
    });
    if (this.#setup.baseline === null) return;
    const own = levels.map((v, i) => v - Math.log(learnt(this.#setup, `${ratios[i]}.middle`, 1)));
    own.forEach((v, i) => {
      const other = own[1 - i] as number;
      const alone = Math.abs(v) > SHAKE.large && !(v > 0 && other > SHAKE.beside);
      this.#suspect(i === 0 ? "vibration1" : "vibration2", alone, dt_s);
    });
  }

  #imbalance(value: (name: string) => number): number {
    const [one, two] = this.#shakes.map(
      (shake, i) => shake.value - Math.log(learnt(this.#setup, `${ratios[i]}.middle`, 1)),
    );
    if (Number.isNaN(value("vibration1") + value("vibration2"))) return Number.NaN;
    if (this.#setup.baseline === null || one === undefined || two === undefined) return Number.NaN;
    const both = Math.min(one, two) > SHAKE.beside && Math.max(one, two) > SHAKE.large;
    return both ? Math.max(this.#housing[0].value, this.#housing[1].value) : 0;
  }

  #write(frame: Frame, value: (name: string) => number): void {
    let output = 0;
    const put = (v: number): void => frame.set(output++, v);
    for (let i = 0; i < INPUTS.length; i++) put(this.#validity.code(i));
    const driven = !DRIVERS.some((name) => this.#validity.code(at(name)) !== 0);
    for (const wear of this.#wear) put(driven ? wear : Number.NaN);
    NODES.forEach(({ channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      const referred = i === 0 ? "inletTemp" : "oilTemp";
      put(Number.isNaN(value(channel) + value(referred)) ? Number.NaN : watch.residual_K);
      put(Math.max(RESIDUAL_K, SIGMAS * watch.fit.sigma_K));
    });
    put(this.#imbalance(value));
    put(this.#state === RUN ? cycleEfficiency(value("power"), value("fuelFlow")) : Number.NaN);
    for (const gap of this.#gaps) put(gap.value);
    for (const shake of this.#shakes) put(Math.exp(shake.value));
  }
}
