//! The equations of a wind turbine's scalar channels, one step a second of source time: what is
//! believed is held against the balances of heat, drive train, rotor, pitch and tower.
import { airDensity, powerCoefficient, TURBINE } from "../base/physics.js";
import { unit } from "../units/quantity.js";
import { DriveBalance } from "./chain/drivetrain.js";
import { PitchWatch } from "./chain/pitch.js";
import { RotorWatch } from "./chain/rotor.js";
import { Smooth } from "./chain/smooth.js";
import { OperatingState } from "./chain/state.js";
import { TowerWatch } from "./chain/tower.js";
import { powerModel, stressModel } from "./laws.js";
import type { Finding, Monitor } from "./monitor.js";
import {
  createMachineMonitor,
  type Machine,
  type Physics,
  type Readings,
  type Said,
} from "./monitor-machine.js";
import type { Recalled } from "./recall.js";
import { learnt, plateValue, type Setup } from "./setup.js";
import { TURBINE_BALANCES } from "./turbine-balances.js";
import { TurbineHeat } from "./turbine-heat.js";
import { shippedThermal } from "./turbine-learned.js";
import { OUTPUTS, SCALARS, TURBINE_LEARNT } from "./turbine-outputs.js";
import { TURBINE_PLATE } from "./turbine-ports.js";

const SETTLE_s = 120; // after a change of state
const POWER_s = 600;
/** Rotor wind and anemometer further apart than any fault of the blades takes them in minutes. */
const WIND_DOUBTED = 0.15;
/** Gusts take the power this far beyond what is allowed. */
const OVER = 1.06;
const STATES_RUNNING = [2, 4];
const kelvin = unit("K");
const pascal = unit("Pa");
const watt = unit("W");
/** Power coefficient at the best tip-speed ratio, fine pitch. */
const CP_BEST = powerCoefficient(7.76, 0);

const MACHINE: Machine = {
  name: "turbine",
  ports: SCALARS,
  plate: TURBINE_PLATE,
  outputs: OUTPUTS,
  step_ms: 1000,
  gap_s: 600,
  needs: [
    { key: "ratedPower", what: "temperatures, power" },
    { key: "rotorRadius", what: "rotor, yaw, wind" },
    { key: "gearRatio", what: "drive-train balance" },
  ],
  learns: "limits of residuals",
  learnt: TURBINE_LEARNT,
  balances: TURBINE_BALANCES,
  physics: (readings, setup) => new TurbinePhysics(readings, setup),
};

export function createTurbineMonitor(setup: Setup): Monitor {
  const learned = setup.learned === undefined ? shippedThermal(setup) : setup.learned;
  if (typeof learned !== "string") return createMachineMonitor(MACHINE, { ...setup, learned });
  const monitor = createMachineMonitor(MACHINE, { ...setup, learned: null });
  return { ...monitor, off: [...monitor.off, `learned part of temperatures: ${learned}`] };
}

class TurbinePhysics implements Physics {
  readonly #on: Readings;
  readonly #rated_W: number;
  readonly #ratedSpeed: number;
  readonly #radius_m: number;
  readonly #ratio: number;
  readonly #efficiency: number;
  readonly #commissioned: boolean;
  readonly #heat: TurbineHeat;
  readonly #rotor: RotorWatch;
  readonly #tower: TowerWatch;
  readonly #pitch = new PitchWatch();
  readonly #balance: DriveBalance;
  readonly #best: ReturnType<typeof powerModel>;
  readonly #got = new Smooth(POWER_s);
  readonly #given = new Smooth(POWER_s);
  #expected_W = Number.NaN;
  readonly #operating = new OperatingState();
  #now = Number.NaN;
  /** The last state that was known. */
  #state = Number.NaN;
  #inState_s = 0;
  readonly says: Said;

  constructor(readings: Readings, setup: Setup) {
    this.#on = readings;
    const plate = (key: string): number => plateValue(setup, TURBINE_PLATE, key);
    this.#rated_W = plate("ratedPower");
    this.#ratedSpeed = plate("ratedSpeed");
    this.#radius_m = plate("rotorRadius");
    this.#ratio = plate("gearRatio");
    this.#efficiency = plate("generatorEfficiency");
    this.#commissioned = setup.baseline !== null;
    this.#heat = new TurbineHeat(readings, setup, this.#rated_W, this.#efficiency);
    this.#rotor = new RotorWatch(this.#radius_m, this.#rated_W, this.#efficiency, {
      get ratio() {
        return readings.normal("wind.ratio", 1);
      },
      sigma: learnt(setup, "wind.sigma", Number.NaN),
    });
    this.#tower = new TowerWatch({
      get ratio() {
        return readings.normal("tower.ratio", 1);
      },
      get flutter() {
        return readings.normal("tower.flutter", Number.NaN);
      },
    });
    this.#best = powerModel(CP_BEST * this.#efficiency);
    this.#balance = new DriveBalance(
      this.#ratio,
      this.#rated_W,
      this.#ratedSpeed,
      this.#efficiency,
    );
    this.says = this.#said();
  }

  readonly recalled: Recalled = {
    recollect: () => ({ ...this.#heat.recollect(), ...this.#tower.recollect() }),
    recall: (kept, gap_s) => {
      this.#heat.recall(kept, gap_s);
      this.#tower.recall(kept);
    },
  };

  step(dt_s: number): void {
    this.#heat.step(dt_s, this.#shaft_radps() / this.#ratedSpeed);
    this.#drive(dt_s);
    this.#weighPower(dt_s);
  }

  pause(): void {
    this.#rotor.pause();
    this.#pitch.pause();
    this.#tower.pause();
  }

  state(): number {
    return this.#now;
  }

  steady(output: string): boolean {
    const running = STATES_RUNNING.includes(this.#now) && this.#inState_s > SETTLE_s;
    return running && this.#heat.steady(output);
  }

  expects(channel: string): number {
    return this.#heat.expects(channel);
  }

  explain(name: string): Finding | null {
    return this.#heat.explain(name);
  }

  /** The speed of the high-speed shaft from whichever sensor is believed. */
  #shaft_radps(): number {
    const own = this.#on.value("generatorSpeed");
    return Number.isNaN(own) ? this.#on.value("rotorSpeed") * this.#ratio : own;
  }

  #drive(dt_s: number): void {
    const state = this.#operating.step(this.#on.value("state"), this.#on.raw("state"), {
      load: this.#on.value("power") / this.#rated_W,
      speed: this.#shaft_radps() / this.#ratedSpeed,
      allowed: this.#on.value("gridCurtailment"),
    });
    this.#now = state;
    this.#inState_s = state === this.#state ? this.#inState_s + dt_s : 0;
    if (!Number.isNaN(state)) this.#state = state;
    const running = STATES_RUNNING.includes(state) && this.#inState_s > SETTLE_s;
    const allowed = this.#on.heard("gridCurtailment");
    const share = Number.isNaN(allowed) ? 1 : allowed;
    const power_W = this.#on.value("power");
    const suspect = this.#balance.step(dt_s, {
      rotor_radps: this.#on.heard("rotorSpeed"),
      generator_radps: this.#on.heard("generatorSpeed"),
      torque_Nm: this.#on.heard("generatorTorque"),
      power_W: this.#on.heard("power"),
      steady: running,
      allowed: share,
    });
    if (suspect !== null) this.#on.accuse(suspect);
    // More than the rated power no allowance explains: that is the power's fault.
    const over = (most_W: number): boolean => power_W > most_W * OVER;
    if (running && over(share * this.#rated_W) && !over(this.#rated_W)) {
      this.#on.accuse("gridCurtailment");
    }
    const speed = this.#shaft_radps() / this.#ratedSpeed;
    this.#watchPitch(dt_s, running ? speed : Number.NaN);
    if (!running) {
      this.#rotor.pause();
      this.#tower.pause();
      return;
    }
    this.#watchRotor(dt_s, power_W);
    const wind = this.#on.value("windSpeed");
    // Before the anemometer is accused it must not make the tower's sensor look wrong.
    const doubted = Number.isNaN(wind) || Math.abs(this.#rotor.fastRatio - 1) > WIND_DOUBTED;
    const wind_mps = doubted ? this.#rotor.wind_mps : wind;
    this.#tower.step(dt_s, this.#on.heard("towerAccel"), wind_mps, speed);
    if (this.#commissioned && this.#tower.sensorOff) this.#on.accuse("towerAccel");
  }

  #watchPitch(dt_s: number, speed: number): void {
    const pitch_rad = this.#on.heard("pitch");
    const demand_rad = this.#on.heard("pitchDemand");
    // One that is overdue stands still, as jammed blades do.
    const overdue = ["pitch", "pitchDemand"].some((name) => !this.#on.current(name));
    if (overdue && !Number.isNaN(pitch_rad + demand_rad)) return;
    this.#pitch.step(dt_s, {
      pitch_rad,
      demand_rad,
      speed,
      windRatio: this.#rotor.fastRatio,
    });
    if (this.#pitch.demandOff) this.#on.accuse("pitchDemand");
    const demanded = this.#on.believed("pitchDemand");
    if (this.#pitch.sensorOff && demanded) this.#on.accuse("pitch");
  }

  #watchRotor(dt_s: number, power_W: number): void {
    const pressure_Pa = this.#on.value("ambientPressure");
    const temperature_K = this.#on.value("ambientTemp");
    this.#rotor.step(dt_s, {
      wind_mps: this.#on.heard("windSpeed"),
      rotor_radps: this.#shaft_radps() / this.#ratio,
      pitch_rad: this.#on.value("pitch"),
      power_W,
      pressure_Pa: Number.isNaN(pressure_Pa) ? 101_325 : pressure_Pa,
      temperature_K: Number.isNaN(temperature_K) ? 288.15 : temperature_K,
      yaw_rad: this.#on.heard("yawError"),
    });
    if (!this.#commissioned) return;
    // The wind that the rotor feels is of the pitch as it is read.
    if (this.#rotor.windOff && !this.#pitch.away) this.#on.accuse("windSpeed");
    if (this.#rotor.vaneOff) this.#on.accuse("yawError");
  }

  #said(): Said {
    const { value } = this.#on;
    const known = (name: string, said: () => number) => (): number =>
      Number.isNaN(value(name)) ? Number.NaN : said();
    const learnt = (said: () => number) => (): number => (this.#commissioned ? said() : Number.NaN);
    return {
      ...this.#heat.says,
      "thermal.stress": () =>
        pascal.of(stressModel.infer(kelvin(value("hssBearingTemp") - value("oilTemp")))),
      expectedPower: () => this.#expected_W,
      efficiency: () => this.#got.value / this.#given.value,
      "rotor.loss": known("windSpeed", () => this.#rotor.loss),
      "rotor.wind": () => this.#rotor.estimate_mps,
      "yaw.misalignment": known("yawError", () => this.#rotor.misalignment_rad),
      "pitch.error": known(
        "pitch",
        known("pitchDemand", () => this.#pitch.jam_rad),
      ),
      "pitch.slip": known(
        "pitch",
        known("pitchDemand", () => this.#pitch.slip_rad),
      ),
      "tower.imbalance": known(
        "towerAccel",
        learnt(() => this.#tower.imbalance_mps2),
      ),
      "wind.ratio": known("windSpeed", () => this.#rotor.ratio),
      "tower.ratio": known("towerAccel", () => this.#tower.ratio),
      "tower.flutter": known("towerAccel", () => this.#tower.flutter),
    };
  }

  /** Power of this wind, and of the last ten minutes against it. */
  #weighPower(dt_s: number): void {
    const { value } = this.#on;
    const density = airDensity(value("ambientPressure"), value("ambientTemp"));
    const wind_mps = value("windSpeed");
    const disc_m2 = Math.PI * this.#radius_m ** 2;
    const blown = watt(0.5 * density * disc_m2 * wind_mps ** 3);
    const within = wind_mps >= TURBINE.cutIn_mps && wind_mps <= TURBINE.cutOut_mps;
    const best_W = watt.of(this.#best.infer(blown));
    const allowed = value("gridCurtailment");
    const curtailed = allowed < 1;
    const most_W = this.#rated_W * (curtailed ? allowed : 1);
    this.#expected_W = within ? Math.min(most_W, best_W) : Number.NaN;
    const power_W = value("power");
    if (Number.isNaN(this.#expected_W + power_W) || curtailed) return;
    if (!STATES_RUNNING.includes(this.#state)) return;
    this.#got.add(power_W, dt_s);
    this.#given.add(this.#expected_W, dt_s);
  }
}
