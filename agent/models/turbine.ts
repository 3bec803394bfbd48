//! The monitor of a wind turbine's scalar channels. One step a second of source time: believe or
//! doubt each reading, then hold what is believed against the balances of the machine. What it
//! withholds or cannot tell it writes as NaN, and a rule on NaN neither raises nor clears.
import {
  airDensity,
  powerCoefficient,
  TURBINE,
  TURBINE_NODES,
  turbineHeat,
} from "../base/physics.js";
import { unit } from "../units/quantity.js";
import { DriveBalance } from "./chain/drivetrain.js";
import { NacelleWatch } from "./chain/nacelle.js";
import { PitchWatch } from "./chain/pitch.js";
import { RotorWatch } from "./chain/rotor.js";
import { ThermalWatch } from "./chain/thermal.js";
import { TowerWatch } from "./chain/tower.js";
import { SUSPICIONS, Validity } from "./chain/validity.js";
import { powerModel, stressModel } from "./laws.js";
import type { Finding, Frame, Monitor } from "./monitor.js";
import { learnt, plateValue, type Setup } from "./setup.js";
import { COMPONENTS, explainHeat, INPUTS, OUTPUTS, SCALARS } from "./turbine-outputs.js";
import { TURBINE_PLATE } from "./turbine-ports.js";

const STEP_ms = 1000;
const GAP_s = 600;
const SETTLE_s = 120; // after a change of state
const STATES_RUNNING = [2, 4];
const kelvin = unit("K");
const pascal = unit("Pa");
const watt = unit("W");
/** Power coefficient at the best tip-speed ratio, fine pitch. */
const CP_BEST = powerCoefficient(7.76, 0);
/** Below this no deviation of a temperature is worth an alarm, whatever its spread. */
const RESIDUAL_K = 4;
const SIGMAS = 6;

const at = (name: string): number => INPUTS.indexOf(name);

export function createTurbineMonitor(setup: Setup): Monitor {
  const core = new TurbineCore(setup);
  return {
    name: "turbine",
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

class TurbineCore {
  readonly off: string[] = [];
  readonly #validity: Validity;
  readonly #rated_W: number;
  readonly #ratedSpeed: number;
  readonly #radius_m: number;
  readonly #ratio: number;
  readonly #efficiency: number;
  readonly #commissioned: boolean;
  readonly #thermal: readonly ThermalWatch[];
  readonly #nacelle: NacelleWatch;
  readonly #rotor: RotorWatch;
  readonly #tower: TowerWatch;
  readonly #pitch = new PitchWatch();
  readonly #balance: DriveBalance;
  readonly #best: ReturnType<typeof powerModel>;
  readonly #values = new Float64Array(INPUTS.length);
  readonly #power = { got: Number.NaN, expected: Number.NaN };
  #step_ms = Number.NaN;
  #state = Number.NaN;
  #inState_s = 0;

  constructor(setup: Setup) {
    this.#validity = new Validity(SCALARS, (name) => learnt(setup, `noise.${name}`, Number.NaN));
    const plate = (key: string): number => plateValue(setup, TURBINE_PLATE, key);
    this.#rated_W = plate("ratedPower");
    this.#ratedSpeed = plate("ratedSpeed");
    this.#radius_m = plate("rotorRadius");
    this.#ratio = plate("gearRatio");
    this.#efficiency = plate("generatorEfficiency");
    this.#commissioned = setup.baseline !== null;
    this.#explainOff();
    this.#thermal = COMPONENTS.map(
      ({ name, node, credible }) =>
        new ThermalWatch(TURBINE_NODES[node], credible, {
          heat: learnt(setup, `${name}.heat`, 1),
          offset_K: learnt(setup, `${name}.offset`, 0),
          sigma_K: learnt(setup, `${name}.sigma`, Number.NaN),
        }),
    );
    this.#nacelle = new NacelleWatch({
      heat: 1,
      offset_K: learnt(setup, "nacelle.offset", 0),
      sigma_K: learnt(setup, "nacelle.sigma", Number.NaN),
    });
    this.#rotor = new RotorWatch(this.#radius_m, this.#rated_W, this.#efficiency, {
      ratio: learnt(setup, "wind.ratio", 1),
      sigma: learnt(setup, "wind.sigma", Number.NaN),
    });
    this.#tower = new TowerWatch({ ratio: learnt(setup, "tower.ratio", 1) });
    this.#best = powerModel(CP_BEST * this.#efficiency);
    this.#balance = new DriveBalance(
      this.#ratio,
      this.#rated_W,
      this.#ratedSpeed,
      this.#efficiency,
    );
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    const before_ms = this.#validity.now_ms;
    this.#validity.take(input, frame.get(input), t_ms);
    // A step falls due when time moves on, so that it sees every channel of its instant.
    if (!(this.#validity.now_ms > before_ms)) return;
    if (Number.isNaN(this.#step_ms)) this.#step_ms = this.#validity.now_ms;
    if (before_ms - this.#step_ms < STEP_ms) return;
    const dt_s = (before_ms - this.#step_ms) / 1000;
    this.#step_ms = before_ms;
    this.#step(frame, dt_s);
  }

  explain(output: string): Finding | null {
    const channel = output.endsWith(".fault") ? output.slice(0, -".fault".length) : "";
    if (channel !== "") {
      const code = this.#validity.code(at(channel));
      if (code === 0) return null;
      const evidence = [`${channel}: ${SUSPICIONS[code]}`, "withheld from every model"];
      return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
    }
    const which = COMPONENTS.findIndex(({ name }) => output === `${name}.residual`);
    const watch = this.#thermal[which];
    const component = COMPONENTS[which];
    if (watch === undefined || component === undefined || Number.isNaN(watch.residual_K))
      return null;
    return explainHeat(component, watch);
  }

  #explainOff(): void {
    if (Number.isNaN(this.#rated_W)) this.off.push("temperatures, power: no nameplate ratedPower");
    if (Number.isNaN(this.#radius_m)) this.off.push("rotor, yaw, wind: no nameplate rotorRadius");
    if (Number.isNaN(this.#ratio)) this.off.push("drive-train balance: no nameplate gearRatio");
    if (!this.#commissioned) this.off.push("limits of residuals: no baseline (uncommissioned)");
  }

  #step(frame: Frame, dt_s: number): void {
    for (let i = 0; i < INPUTS.length; i++) {
      this.#values[i] = Number.isNaN(frame.get(i)) ? Number.NaN : this.#validity.value(i);
    }
    if (dt_s > GAP_s) {
      this.#rotor.pause();
      this.#pitch.pause();
    } else {
      this.#heat(dt_s);
      this.#drive(dt_s);
    }
    this.#write(frame, dt_s);
  }

  #value(name: string): number {
    return this.#values[at(name)] as number;
  }

  /** For the tests that accuse: what was said, even while they themselves speak against it. */
  #heard(name: string): number {
    return this.#validity.heard(at(name));
  }

  /** The speed of the high-speed shaft from whichever sensor is believed. */
  #shaft_radps(): number {
    const own = this.#value("generatorSpeed");
    return Number.isNaN(own) ? this.#value("rotorSpeed") * this.#ratio : own;
  }

  #heat(dt_s: number): void {
    // The nodes are those of the 5-MW machine: heat, capacity and loss grow together with size.
    const scale = TURBINE.ratedPower_W / this.#rated_W;
    const shaft_W = (Math.max(0, this.#value("power")) / this.#efficiency) * scale;
    const speed = Math.max(0, this.#shaft_radps()) / this.#ratedSpeed;
    const heard_K = this.#heard("nacelleTemp");
    this.#nacelle.step(dt_s, this.#value("nacelleTemp"), heard_K, this.#heard("ambientTemp"));
    this.#accuseAir(this.#nacelle.suspect);
    const measured_K = this.#value("nacelleTemp");
    const nacelle_K = Number.isNaN(measured_K) ? this.#nacelle.expected_K : measured_K;
    COMPONENTS.forEach(({ node, channel, reference }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      const oil_K = this.#value("oilTemp");
      const expectedOil_K = this.#thermal[1]?.expected_K ?? Number.NaN;
      const around_K =
        reference === "nacelleTemp" ? nacelle_K : Number.isNaN(oil_K) ? expectedOil_K : oil_K;
      const heat_W = turbineHeat(node, shaft_W, speed);
      watch.step(dt_s, this.#value(channel), this.#heard(channel), heat_W, around_K);
      if (watch.incredible) this.#validity.accuse(at(channel));
      const back = Math.abs(this.#validity.raw(at(channel)) - watch.expected_K);
      if (back < RESIDUAL_K / 2) this.#validity.absolve(at(channel));
    });
  }

  /** The first verdict stands: later a drift stands out less than where it has led. */
  #accuseAir(suspect: "nacelleTemp" | "ambientTemp" | null): void {
    if (suspect === null || !this.#commissioned) return;
    const known = ["nacelleTemp", "ambientTemp"].find(
      (name) => this.#validity.code(at(name)) !== 0,
    );
    this.#validity.accuse(at(known ?? suspect));
  }

  #drive(dt_s: number): void {
    const state = this.#value("state");
    this.#inState_s = state === this.#state ? this.#inState_s + dt_s : 0;
    if (!Number.isNaN(state)) this.#state = state;
    const running = STATES_RUNNING.includes(state) && this.#inState_s > SETTLE_s;
    const allowed = this.#heard("gridCurtailment");
    const share = Number.isNaN(allowed) ? 1 : allowed;
    const power_W = this.#value("power");
    const suspect = this.#balance.step(dt_s, {
      rotor_radps: this.#heard("rotorSpeed"),
      generator_radps: this.#heard("generatorSpeed"),
      torque_Nm: this.#heard("generatorTorque"),
      power_W: this.#heard("power"),
      steady: running,
      allowed: share,
    });
    if (suspect !== null) this.#validity.accuse(at(suspect));
    if (running && power_W > share * this.#rated_W * 1.06)
      this.#validity.accuse(at("gridCurtailment"));
    const speed = this.#shaft_radps() / this.#ratedSpeed;
    this.#watchPitch(dt_s, running ? speed : Number.NaN);
    if (!running) {
      this.#rotor.pause();
      return;
    }
    this.#watchRotor(dt_s, power_W);
    const wind = this.#value("windSpeed");
    const wind_mps = Number.isNaN(wind) ? this.#rotor.wind_mps : wind;
    this.#tower.step(dt_s, this.#heard("towerAccel"), wind_mps, speed);
    if (this.#commissioned && this.#tower.sensorOff) this.#validity.accuse(at("towerAccel"));
  }

  #watchPitch(dt_s: number, speed: number): void {
    this.#pitch.step(dt_s, this.#heard("pitch"), this.#heard("pitchDemand"), speed);
    if (this.#pitch.demandOff) this.#validity.accuse(at("pitchDemand"));
    const demanded = this.#validity.code(at("pitchDemand")) === 0;
    if (this.#pitch.sensorOff && demanded) this.#validity.accuse(at("pitch"));
  }

  #watchRotor(dt_s: number, power_W: number): void {
    const pressure_Pa = this.#value("ambientPressure");
    const temperature_K = this.#value("ambientTemp");
    this.#rotor.step(dt_s, {
      wind_mps: this.#heard("windSpeed"),
      rotor_radps: this.#shaft_radps() / this.#ratio,
      pitch_rad: this.#value("pitch"),
      power_W,
      pressure_Pa: Number.isNaN(pressure_Pa) ? 101_325 : pressure_Pa,
      temperature_K: Number.isNaN(temperature_K) ? 288.15 : temperature_K,
      yaw_rad: this.#heard("yawError"),
    });
    if (!this.#commissioned) return;
    if (this.#rotor.windOff) this.#validity.accuse(at("windSpeed"));
    if (this.#rotor.vaneOff) this.#validity.accuse(at("yawError"));
  }

  #write(frame: Frame, dt_s: number): void {
    let output = 0;
    const put = (value: number): void => frame.set(output++, value);
    for (let i = 0; i < INPUTS.length; i++) put(this.#validity.code(i));
    COMPONENTS.forEach(({ channel }, i) => {
      const watch = this.#thermal[i] as ThermalWatch;
      const believed = !Number.isNaN(this.#value(channel));
      put(believed ? watch.residual_K : Number.NaN);
      put(Math.max(RESIDUAL_K, SIGMAS * watch.fit.sigma_K)); // NaN before commissioning
    });
    const rise_K = this.#value("hssBearingTemp") - this.#value("oilTemp");
    put(pascal.of(stressModel.infer(kelvin(rise_K))));
    this.#writePower(put, dt_s);
    const { loss, evidence, misalignment_rad } = this.#rotor;
    const winded = !Number.isNaN(this.#value("windSpeed"));
    put(winded ? loss : Number.NaN);
    put(winded && this.#commissioned ? evidence : Number.NaN);
    put(Number.isNaN(this.#value("yawError")) ? Number.NaN : misalignment_rad);
    const pitched = !Number.isNaN(this.#value("pitch") + this.#value("pitchDemand"));
    put(pitched ? this.#pitch.jam_rad : Number.NaN);
    const shaking = Number.isNaN(this.#value("towerAccel")) || !this.#commissioned;
    put(shaking ? Number.NaN : this.#tower.imbalance_mps2);
    put(this.#nacelle.residual_K);
    put(this.#rotor.ratio);
    put(this.#tower.ratio);
  }

  #writePower(put: (value: number) => void, dt_s: number): void {
    const density = airDensity(this.#value("ambientPressure"), this.#value("ambientTemp"));
    const wind_mps = this.#value("windSpeed");
    const disc_m2 = Math.PI * this.#radius_m ** 2;
    const blown = watt(0.5 * density * disc_m2 * wind_mps ** 3);
    const within = wind_mps >= TURBINE.cutIn_mps && wind_mps <= TURBINE.cutOut_mps;
    const best_W = watt.of(this.#best.infer(blown));
    const allowed = this.#value("gridCurtailment");
    const curtailed = allowed < 1;
    const most_W = this.#rated_W * (curtailed ? allowed : 1);
    const expected = within ? Math.min(most_W, best_W) : Number.NaN;
    put(expected);
    const power_W = this.#value("power");
    if (!Number.isNaN(expected + power_W) && !curtailed && STATES_RUNNING.includes(this.#state)) {
      const keep = Math.exp(-dt_s / 600);
      const blend = (old: number, now: number): number =>
        Number.isNaN(old) ? now : now + (old - now) * keep;
      this.#power.got = blend(this.#power.got, power_W);
      this.#power.expected = blend(this.#power.expected, expected);
    }
    put(this.#power.got / this.#power.expected);
  }
}
