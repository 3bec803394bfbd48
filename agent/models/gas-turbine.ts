//! The equations of a single-shaft gas turbine: cycle, oil, bearings and vibration are held against
//! each other. NaN says "cannot tell".
import {
  cycleEfficiency,
  exhaustLimit,
  GAS_TURBINE_NODES,
  gasTurbineHeat,
} from "../base/brayton.js";
import { Smooth } from "./chain/smooth.js";
import { OperatingState } from "./chain/state.js";
import { fitOf, ThermalWatch } from "./chain/thermal.js";
import { GAS_TURBINE_BALANCES } from "./gas-turbine-balances.js";
import {
  DRIVERS,
  expectedOf,
  expectedReadings,
  explain,
  MEASURES,
  residuals,
  WEAR,
} from "./gas-turbine-bank.js";
import { NODES, OUTPUTS, REFERENCES } from "./gas-turbine-outputs.js";
import { GAS_TURBINE_PLATE, GAS_TURBINE_PORTS } from "./gas-turbine-ports.js";
import { HousingShake } from "./gas-turbine-shake.js";
import type { Finding, Monitor } from "./monitor.js";
import {
  createMachineMonitor,
  type Machine,
  type Physics,
  type Readings,
  type Said,
} from "./monitor-machine.js";
import type { Recalled } from "./recall.js";
import { plateValue, type Setup } from "./setup.js";

const JUDGE_s = 10;
const MEAN_s = 60;
const SETTLE_s = 900; // after a change of state: metal warms, loads ramp
const RUN = 2;
const WARM_s = 2700; // oil, bearings and thermometers that lag are as warm as their load by then
const LOAD_LEAST = 0.35;
const ACCUSE_s = 60;
const SPEED_OFF = 0.02;
const DEMAND_OFF = 0.04;
const LIMIT_K = 15; // nearer than this the governor may be holding the exhaust, not the load
const RESIDUAL_K = 4;
const SIGMAS = 6;
const OIL_OFF_K = 2.5;

const MACHINE: Machine = {
  name: "gas-turbine",
  ports: GAS_TURBINE_PORTS,
  plate: GAS_TURBINE_PLATE,
  outputs: OUTPUTS,
  step_ms: 1000,
  gap_s: 600,
  needs: [{ key: "ratedPower", what: "cycle, temperatures" }],
  learns: "wear, vibration",
  balances: GAS_TURBINE_BALANCES,
  physics: (readings, setup) => new GasTurbinePhysics(readings, setup),
};

export const createGasTurbineMonitor = (setup: Setup): Monitor =>
  createMachineMonitor(MACHINE, setup);

class GasTurbinePhysics implements Physics {
  readonly #on: Readings;
  readonly #setup: Setup;
  readonly #rated_W: number;
  readonly #ratedSpeed: number;
  readonly #currentPerWatt: number;
  readonly #thermal: readonly ThermalWatch[];
  readonly #gaps = MEASURES.map(() => new Smooth(MEAN_s));
  readonly #shake: HousingShake;
  #wear: readonly number[] = WEAR.map(() => Number.NaN);
  readonly #operating = new OperatingState();
  #now = Number.NaN;
  /** The last state that was known. */
  #state = Number.NaN;
  #inState_s = 0;
  #seenToStart = false;
  /** It runs and is warm: as it stops, temperatures follow their thermometers' lag. */
  #works = false;
  /** What the healthy cycle asks of MEASURES. */
  #expected: readonly number[] = [];
  #judge_s = 0;
  #judged_s = 0;
  readonly says: Said;

  constructor(readings: Readings, setup: Setup) {
    this.#on = readings;
    this.#setup = setup;
    const plate = (key: string): number => plateValue(setup, GAS_TURBINE_PLATE, key);
    this.#rated_W = plate("ratedPower");
    this.#ratedSpeed = plate("ratedSpeed");
    this.#currentPerWatt = 1 / (Math.sqrt(3) * plate("voltage") * plate("powerFactor"));
    this.#thermal = NODES.map(({ node, credible }) => {
      const fit = fitOf(readings, `${node}.residual.middle`, `${node}.residual.sigma`);
      return new ThermalWatch(GAS_TURBINE_NODES[node], credible, fit);
    });
    this.#shake = new HousingShake(readings, setup);
    this.says = this.#said();
  }

  readonly recalled: Recalled = {
    recollect: () =>
      Object.fromEntries(this.#thermal.map((watch, i) => [`${NODES[i]?.node}.free`, watch.kept_K])),
    recall: (kept, gap_s) => {
      NODES.forEach(({ node }, i) => {
        this.#thermal[i]?.resume(kept[`${node}.free`], gap_s);
      });
    },
  };

  state(): number {
    return this.#now;
  }

  expects(channel: string): number {
    const node = NODES.findIndex((of) => of.channel === channel);
    if (node >= 0) return this.#thermal[node]?.expected_K ?? Number.NaN;
    const gap = this.#on.normal(`${channel}.gap.middle`, 0);
    return expectedOf(channel, this.#expected, gap);
  }

  explain(name: string): Finding | null {
    if (!name.endsWith(".wear")) return null;
    const evidence = MEASURES.map((measure, i) => {
      const gap = this.#gaps[i]?.value ?? Number.NaN;
      return `${measure} off the healthy cycle by ${gap.toPrecision(2)}`;
    });
    return { expected: 0, sigma: 0.1, unit: "1", evidence };
  }

  step(dt_s: number): void {
    const { heard, value } = this.#on;
    const state = this.#operating.step(value("state"), this.#on.raw("state"), {
      load: value("power") / this.#rated_W,
      speed: value("shaftSpeed") / this.#ratedSpeed,
      allowed: Number.NaN,
    });
    this.#now = state;
    this.#inState_s = state === this.#state ? this.#inState_s + dt_s : 0;
    this.#judged_s += dt_s;
    // A machine found running is not one that has just started.
    this.#seenToStart ||= !Number.isNaN(state + this.#state) && state !== this.#state;
    if (!Number.isNaN(state)) this.#state = state;
    const load = heard("generatorCurrent") / this.#currentPerWatt / this.#rated_W;
    const loaded = load > LOAD_LEAST || value("power") / this.#rated_W > LOAD_LEAST;
    const runs_s = state === RUN ? this.#inState_s : 0;
    this.#works = runs_s > (this.#seenToStart ? WARM_s : 60);
    const settled = loaded && runs_s > (this.#seenToStart ? SETTLE_s : 60);
    this.#heat(dt_s, Number.isNaN(load) ? value("power") / this.#rated_W : load);
    if (!settled) {
      for (const gap of this.#gaps) gap.reset();
      this.#shake.pause();
      this.#on.pardon();
      this.#wear = WEAR.map(() => Number.NaN);
      this.#judge_s = 0;
      return;
    }
    this.#witness(dt_s);
    this.#cycle(dt_s);
    this.#shake.step(dt_s, load);
  }

  /** Speed is the grid's; power never exceeds its reference, and falls short at a limit only. */
  #witness(dt_s: number): void {
    const { heard, value } = this.#on;
    const speed = heard("shaftSpeed") / this.#ratedSpeed;
    this.#on.suspect("shaftSpeed", Math.abs(speed - 1) > SPEED_OFF, ACCUSE_s, dt_s);
    const short = (heard("loadDemand") - value("power")) / this.#rated_W;
    const over = value("generatorCurrent") / this.#currentPerWatt - value("power");
    const agreed = Math.abs(over) < 0.02 * this.#rated_W;
    const ratio = value("dischargePressure") / value("ambientPressure");
    const free = value("exhaustTempA") < exhaustLimit(ratio) - LIMIT_K;
    const off = short < -DEMAND_OFF || (free && short > DEMAND_OFF);
    this.#on.suspect("loadDemand", agreed && off, ACCUSE_s, dt_s);
  }

  #cycle(dt_s: number): void {
    const { heard } = this.#on;
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
    this.#expected = whole ? expectedReadings(now, scale, this.#currentPerWatt) : [];
    const found = residuals(MEASURES.map(heard), this.#expected);
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
      this.#on.normal(`${name}.gap.${part}`, otherwise);
    const gaps = MEASURES.map((name, i) => (this.#gaps[i]?.value ?? 0) - fit(name, "middle", 0));
    const sigmas = MEASURES.map((name) => fit(name, "sigma", 0));
    const found = explain(gaps, sigmas, now, scale, this.#currentPerWatt);
    const { sensors } = found;
    for (const name of [...MEASURES, ...DRIVERS]) {
      this.#on.suspect(name, sensors.includes(name), ACCUSE_s, Math.max(JUDGE_s, dt_s));
    }
    // While a driver is in doubt, wear measured against it is too.
    this.#wear = found.wear;
  }

  #heat(dt_s: number, load: number): void {
    const { heard, value } = this.#on;
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
    if (this.#setup.baseline !== null && this.#works && oilOff && !Number.isNaN(oil_K)) {
      this.#on.accuse("oilTemp");
    }
    NODES.forEach(({ channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      if (watch.incredible && (i === 0 || !oilOff)) this.#on.accuse(channel);
      if (i > 0 && watch.residual_K < -RESIDUAL_K && !oilOff) this.#on.accuse(channel);
    });
  }

  #said(): Said {
    const { value, believed } = this.#on;
    const wear = WEAR.map((name, i) => [
      `${name}.wear`,
      () => (DRIVERS.every(believed) ? (this.#wear[i] ?? Number.NaN) : Number.NaN),
    ]);
    const heat = NODES.flatMap(({ node, channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      const known = (): boolean =>
        this.#works && !Number.isNaN(value(channel) + value(REFERENCES[node]));
      const limit = (): number => Math.max(RESIDUAL_K, SIGMAS * watch.fit.sigma_K);
      return [
        [`${node}.residual`, () => (known() ? watch.toldBeyond(limit()) : Number.NaN)],
        [`${node}.limit`, limit],
      ];
    });
    const gaps = MEASURES.map((name, i) => [
      `${name}.gap`,
      () => this.#gaps[i]?.value ?? Number.NaN,
    ]);
    return {
      ...Object.fromEntries([...wear, ...heat, ...gaps]),
      efficiency: () =>
        this.#state === RUN ? cycleEfficiency(value("power"), value("fuelFlow")) : Number.NaN,
      ...this.#shake.says,
    };
  }
}
