//! The equations of a quadrotor: height, thrust, power and time to reserve as physics says, and the
//! rotors, controllers, cells and sensors against each other.
import { airDensity, GRAVITY_mps2, QUADROTOR } from "../base/physics.js";
import { AltitudeWatch } from "./chain/altitude.js";
import { BatteryWatch } from "./chain/battery.js";
import { RotorShare } from "./chain/rotors.js";
import { ShakeWatch } from "./chain/shake.js";
import { Smooth } from "./chain/smooth.js";
import { DRONE_BALANCES } from "./drone-balances.js";
import { shippedDrone } from "./drone-learned.js";
import { OUTPUTS, ROTORS } from "./drone-outputs.js";
import { DRONE_PLATE, DRONE_PORTS } from "./drone-ports.js";
import { DronePower } from "./drone-power.js";
import { DronePropulsion } from "./drone-propulsion.js";
import type { Finding, Monitor } from "./monitor.js";
import {
  createMachineMonitor,
  type Machine,
  type Physics,
  type Readings,
  type Said,
} from "./monitor-machine.js";
import { learnt, plateValue, type Setup } from "./setup.js";

const LONG_s = 10; // no step counts for more
/** No data for so long, and so many usual steps: what was is no longer compared with what is. */
const OUTAGE = { s: 5, steps: 4, fades: 0.1 } as const;
const FLYING = { radps: 400, output: 0.25, throttle: 0.2, s: 5 } as const;
/** In the air: a hop of a small machine is over in ten seconds. */
const AIRBORNE_s = 2;
/** Cells that have a channel each. */
const CELLS_HEARD = [1, 2, 3, 4] as const;
const STOPPED = { radps: 150, A: 1, s: 0.1 } as const;
const CLIPS_s = 5;
const CLIPS_MAX = 2000; // a second
const THRUST_OFF = 0.12;
const THROTTLE_OFF = 0.08;
const CURRENT_OFF_A = 1.5;
const FIELD_OFF_T = 8e-6;

const MACHINE: Machine = {
  name: "drone",
  ports: DRONE_PORTS,
  plate: DRONE_PLATE,
  outputs: OUTPUTS,
  step_ms: 50,
  gap_s: Number.POSITIVE_INFINITY,
  needs: [
    { key: "mass", what: "thrust" },
    { key: "rotorRadius", what: "power" },
    { key: "batteryCapacity", what: "time to reserve" },
  ],
  learns: "propellers, compass",
  balances: DRONE_BALANCES,
  physics: (readings, setup) => new DronePhysics(readings, setup),
};

/** With the shipped network behind the equations, unless the setup says otherwise. */
export function createDroneMonitor(setup: Setup): Monitor {
  const { learned = shippedDrone(setup.backend) } = setup;
  return createMachineMonitor(MACHINE, { ...setup, learned });
}

class DronePhysics implements Physics {
  readonly #on: Readings;
  readonly #mass_kg: number;
  readonly #commissioned: boolean;
  readonly #field_T: number;
  readonly #altitude = new AltitudeWatch();
  readonly #battery: BatteryWatch;
  readonly #cells: readonly number[];
  readonly #shares = ROTORS.map(() => new RotorShare());
  readonly #shake: ShakeWatch;
  readonly #power: DronePower;
  readonly #propulsion: DronePropulsion;
  readonly #thrustGap = new Smooth(5);
  readonly #throttleGap = new Smooth(5);
  readonly #currentGap = new Smooth(5);
  readonly #field = new Smooth(5);
  readonly #clipRate = new Smooth(2);
  #pace_s = 0;
  #clips = Number.NaN;
  #clipping_s = 0;
  #flying_s = 0;
  #stopped_s = 0;
  #thrust_N = Number.NaN;
  #stopped = 0;
  readonly says: Said;

  constructor(readings: Readings, setup: Setup) {
    this.#on = readings;
    const plate = (key: string): number => plateValue(setup, DRONE_PLATE, key);
    this.#mass_kg = plate("mass");
    const resistance_ohm = plate("batteryResistance");
    const cells = Math.max(1, Math.round(plate("batteryCells")));
    const pack = { cells, capacity_As: plate("batteryCapacity"), resistance_ohm };
    this.#cells = CELLS_HEARD.filter((i) => i <= cells);
    this.#battery = new BatteryWatch(pack);
    this.#power = new DronePower(readings, setup, pack);
    this.#propulsion = new DronePropulsion(readings);
    this.#commissioned = setup.baseline !== null;
    this.#field_T = learnt(setup, "mag.level", Number.NaN);
    this.#shake = new ShakeWatch(
      () => readings.normal("vibe.ratio", 1),
      () => readings.normal("vibe.sigma", 0),
    );
    this.says = this.#said();
  }

  state(): number {
    return Number(this.#flying_s > AIRBORNE_s);
  }

  explain(name: string): Finding | null {
    if (name === "propulsion.evidence") return this.#propulsion.explain();
    if (name !== "altitude.residual" || Number.isNaN(this.#altitude.residual_m)) return null;
    const evidence = [`satellite height ${this.#on.value("altitudeRef").toFixed(1)} m`];
    return { expected: 0, sigma: 2, unit: "m", evidence };
  }

  #all(name: string, read: (name: string) => number): number[] {
    return ROTORS.map((i) => read(`${name}${i}`));
  }

  step(elapsed_s: number): void {
    const outage = elapsed_s > Math.max(OUTAGE.s, OUTAGE.steps * this.#pace_s);
    this.#pace_s += OUTAGE.fades * (elapsed_s - this.#pace_s);
    if (outage) this.#pause();
    else this.#step(elapsed_s);
  }

  #pause(): void {
    this.#altitude.pause();
    this.#battery.pause();
    for (const gap of [this.#thrustGap, this.#throttleGap, this.#currentGap]) gap.reset();
    for (const share of this.#shares) share.pause();
  }

  #step(elapsed_s: number): void {
    const dt_s = Math.min(LONG_s, elapsed_s);
    const { heard } = this.#on;
    const suspect = this.#altitude.step(
      dt_s,
      heard("pressure"),
      this.#on.value("airTemp"),
      heard("altitudeRef"),
      heard("climbRate"),
    );
    if (suspect !== null) {
      // The first verdict stands: it was made nearest to when the heights last agreed.
      const known = ["pressure", "altitudeRef"].find((name) => !this.#on.believed(name));
      this.#on.accuse(suspect === "climbRate" ? suspect : (known ?? suspect));
    }
    const radps = this.#all("rotorSpeed", heard);
    const outputs = this.#all("motorOutput", heard);
    const turning = Math.max(
      radps.filter((w) => w > FLYING.radps).length,
      outputs.filter((share) => share > FLYING.output).length,
    );
    const flying = turning >= 2 && !(this.#on.value("throttle") < FLYING.throttle);
    this.#flying_s = flying ? this.#flying_s + dt_s : 0;
    this.#on.rest(!(this.#flying_s > AIRBORNE_s));
    const settled = this.#flying_s > FLYING.s;
    this.#stopped = this.#countStopped(dt_s, settled);
    this.#watchBattery(dt_s);
    this.#watchClips(dt_s);
    if (settled && this.#stopped === 0) this.#watchFlight(dt_s, radps);
    else {
      for (const share of this.#shares) share.pause();
      this.#thrustGap.reset();
      this.#throttleGap.reset();
      this.#thrust_N = Number.NaN;
    }
    this.#power.step(dt_s, this.#flying_s > FLYING.s, this.#battery.soc);
    const whole = this.#stopped === 0 && !this.#shares.some(({ odd }) => odd);
    const airborne = this.#flying_s > AIRBORNE_s;
    this.#propulsion.step(dt_s, airborne && whole, this.#altitude.rise_mps);
  }

  /** A motor at rest without current while the throttle asks for thrust. */
  #countStopped(dt_s: number, settled: boolean): number {
    const count = ROTORS.filter(
      (i) =>
        this.#on.value(`rotorSpeed${i}`) < STOPPED.radps &&
        this.#on.value(`escCurrent${i}`) < STOPPED.A,
    ).length;
    const lost =
      count > 0 && (settled || this.#stopped_s > 0) && this.#on.value("throttle") > FLYING.throttle;
    this.#stopped_s = lost ? this.#stopped_s + dt_s : 0;
    return this.#stopped_s > STOPPED.s ? count : 0;
  }

  #watchFlight(dt_s: number, radps: readonly number[]): void {
    const amps = this.#all("escCurrent", this.#on.heard);
    const heats = this.#all("escTemp", this.#on.heard);
    this.#shares.forEach((share, i) => {
      const own = { radps: radps[i] as number, A: amps[i] as number, K: heats[i] as number };
      const others = { radps: middle(radps, i), A: middle(amps, i), K: middle(heats, i) };
      const suspect = share.step(dt_s, own, others);
      if (suspect !== null) this.#on.accuse(`${suspect}${i + 1}`);
      if (share.heatSensorOff) this.#on.accuse(`escTemp${i + 1}`);
    });
    this.#watchThrust(dt_s);
    this.#shake.step(dt_s, this.#on.heard("vibe"), this.#on.value("throttle"));
    if (!this.#commissioned) return;
    if (this.#shake.sensorOff && !(this.#clipping_s > 0)) this.#on.accuse("vibe");
    const field = this.#field.add(this.#on.heard("magField"), dt_s);
    if (Math.abs(field - this.#field_T) > FIELD_OFF_T) this.#on.accuse("magField");
  }

  /** Rotors, accelerometer and throttle tell the same thrust; the odd one is named. */
  #watchThrust(dt_s: number): void {
    const radps = this.#all("rotorSpeed", this.#on.value);
    if (radps.some(Number.isNaN)) {
      this.#thrustGap.reset();
      this.#throttleGap.reset();
      this.#thrust_N = Number.NaN;
      return;
    }
    const density = airDensity(this.#on.value("pressure"), this.#on.value("airTemp"));
    const lift = Number.isNaN(density) ? 1 : density / 1.225;
    const spun = radps.reduce((sum, w) => sum + QUADROTOR.thrust_Ns2 * w * w, 0) * lift;
    const force_N = this.#mass_kg * this.#on.heard("accelZ");
    const full_N = ROTORS.length * QUADROTOR.thrust_Ns2 * QUADROTOR.speedMax_radps ** 2;
    const weight_N = this.#mass_kg * GRAVITY_mps2;
    const force = this.#thrustGap.add((force_N - spun) / weight_N, dt_s);
    const throttle = this.#throttleGap.add(this.#on.heard("throttle") - spun / full_N, dt_s);
    this.#thrust_N = force * weight_N;
    const forceOff = Math.abs(force) > THRUST_OFF;
    const throttleOff = Math.abs(throttle) > THROTTLE_OFF;
    if (forceOff && !throttleOff) this.#on.accuse("accelZ");
    if (throttleOff && !forceOff) this.#on.accuse("throttle");
  }

  #watchBattery(dt_s: number): void {
    const cells = this.#cells.map((i) => this.#on.heard(`cellVoltage${i}`));
    const voltage_V = this.#on.heard("batteryVoltage");
    this.#battery.count(dt_s, this.#on.value("batteryVoltage"), this.#on.value("batteryCurrent"));
    const odd = this.#battery.step(dt_s, voltage_V, cells);
    if (odd === "pack") this.#on.accuse("batteryVoltage");
    else if (odd !== null) this.#on.accuse(`cellVoltage${odd + 1}`);
    const drawn = this.#all("escCurrent", this.#on.value).reduce((a, b) => a + b, 0);
    const rest_A = QUADROTOR.avionics_W / this.#on.value("batteryVoltage");
    const gap_A = this.#currentGap.add(this.#on.heard("batteryCurrent") - drawn - rest_A, dt_s);
    if (Math.abs(gap_A) > CURRENT_OFF_A && !Number.isNaN(drawn)) this.#on.accuse("batteryCurrent");
  }

  #watchClips(dt_s: number): void {
    const count = this.#on.value("clipCount");
    const now = (count - this.#clips) / dt_s;
    // A counter that falls or leaps is read wrongly.
    const rate = this.#clipRate.add(now >= 0 && now < CLIPS_MAX ? now : 0, dt_s);
    this.#clips = count;
    this.#clipping_s = rate > 1 ? this.#clipping_s + dt_s : 0;
  }

  #said(): Said {
    const { value } = this.#on;
    const when = (sure: () => boolean, said: () => number) => (): number =>
      sure() ? said() : Number.NaN;
    const known = (...names: readonly string[]) => !names.some((name) => Number.isNaN(value(name)));
    const whole = (): boolean => this.#stopped === 0;
    const flying = (): boolean => this.#flying_s > FLYING.s;
    const rotors = ROTORS.flatMap((rotor, i) => {
      const share = this.#shares[i] as RotorShare;
      const warm = (): boolean => known(`escTemp${rotor}`);
      const heard = (): boolean => whole() && known(`rotorSpeed${rotor}`, `escCurrent${rotor}`);
      return [
        [`rotor${rotor}.asymmetry`, when(heard, () => share.asymmetry)],
        [`esc${rotor}.heat`, when(warm, () => share.heat_K)],
      ] as const;
    });
    const baro = (): boolean => known("pressure");
    const cells = (): boolean =>
      known(...this.#cells.map((i) => `cellVoltage${i}`)) && !this.#battery.disagrees;
    const shaking = (): boolean =>
      known("vibe") && this.#commissioned && whole() && this.#clipping_s === 0;
    return {
      ...Object.fromEntries(rotors),
      altitude: when(baro, () => this.#altitude.height_m),
      "altitude.residual": when(baro, () => this.#altitude.residual_m),
      ...this.#power.says,
      ...this.#propulsion.says,
      charge: () => this.#battery.soc,
      "thrust.residual": when(whole, () => this.#thrust_N),
      "motor.stopped": () => this.#stopped,
      "battery.spread": when(cells, () => this.#battery.spread_V),
      "vibe.excess": when(shaking, () => this.#shake.excess_mps2),
      "imu.clipping": () => (this.#clipping_s > CLIPS_s ? this.#clipRate.value : 0),
      "vibe.ratio": when(flying, () => this.#shake.ratio),
      "mag.level": when(flying, () => value("magField")),
      "air.level": when(flying, () => value("airTemp")),
    };
  }
}

/** The middle one of the other three: one more bad reading among them does not pull it. */
function middle(values: readonly number[], without: number): number {
  const others = values.filter((v, i) => i !== without && !Number.isNaN(v)).sort((a, b) => a - b);
  return others[others.length >> 1] ?? Number.NaN;
}
