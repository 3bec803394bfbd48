//! The monitor of a quadrotor: height, thrust, power and time to reserve as physics says, and the
//! rotors, controllers, cells and sensors against each other. Same shape as the turbine's: believe
//! or doubt each reading, then balance what is believed; NaN says "cannot tell".
import {
  airDensity,
  cellVoltage,
  GRAVITY_mps2,
  QUADROTOR,
  timeToReserve,
} from "../base/physics.js";
import { AltitudeWatch } from "./chain/altitude.js";
import { BatteryWatch } from "./chain/battery.js";
import { RotorShare } from "./chain/rotors.js";
import { ShakeWatch } from "./chain/shake.js";
import { Smooth } from "./chain/smooth.js";
import { SUSPICIONS, Validity } from "./chain/validity.js";
import { INPUTS, OUTPUTS, ROTORS } from "./drone-outputs.js";
import { DRONE_PLATE, DRONE_PORTS } from "./drone-ports.js";
import type { Finding, Frame, Monitor } from "./monitor.js";
import { learnt, plateValue, type Setup } from "./setup.js";

const STEP_ms = 50;
const GAP_s = 10;
const FLYING = { radps: 400, throttle: 0.2, s: 5 } as const;
const STOPPED = { radps: 150, A: 1, s: 0.1 } as const;
const CLIPS_s = 5;
const CLIPS_MAX = 2000; // a second
const POWER_MEAN_s = 5;
const THRUST_OFF = 0.12;
const THROTTLE_OFF = 0.08;
const CURRENT_OFF_A = 1.5;
const FIELD_OFF_T = 8e-6;

const at = (name: string): number => INPUTS.indexOf(name);
export function createDroneMonitor(setup: Setup): Monitor {
  const core = new DroneCore(setup);
  return {
    name: "drone",
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

class DroneCore {
  readonly off: string[] = [];
  readonly #validity: Validity;
  readonly #mass_kg: number;
  readonly #radius_m: number;
  readonly #merit: number;
  readonly #reserve: number;
  readonly #pack: { cells: number; capacity_As: number; resistance_ohm: number };
  readonly #commissioned: boolean;
  readonly #field_T: number;
  readonly #altitude = new AltitudeWatch();
  readonly #battery: BatteryWatch;
  readonly #shares = ROTORS.map(() => new RotorShare());
  readonly #shake: ShakeWatch;
  readonly #power = new Smooth(POWER_MEAN_s);
  readonly #load = new Smooth(POWER_MEAN_s);
  readonly #thrustGap = new Smooth(5);
  readonly #throttleGap = new Smooth(5);
  readonly #currentGap = new Smooth(5);
  readonly #field = new Smooth(5);
  readonly #clipRate = new Smooth(2);
  readonly #values = new Float64Array(INPUTS.length);
  #clips = Number.NaN;
  #clipping_s = 0;
  #flying_s = 0;
  #stopped_s = 0;
  #step_ms = Number.NaN;

  constructor(setup: Setup) {
    const plate = (key: string): number => plateValue(setup, DRONE_PLATE, key);
    this.#validity = new Validity(DRONE_PORTS, (name) =>
      learnt(setup, `noise.${name}`, Number.NaN),
    );
    this.#mass_kg = plate("mass");
    this.#radius_m = plate("rotorRadius");
    this.#merit = plate("figureOfMerit");
    this.#reserve = plate("reserve");
    const capacity_As = plate("batteryCapacity");
    this.#pack = { cells: 4, capacity_As, resistance_ohm: plate("batteryResistance") };
    this.#battery = new BatteryWatch(this.#pack);
    this.#commissioned = setup.baseline !== null;
    this.#field_T = learnt(setup, "mag.level", Number.NaN);
    this.#shake = new ShakeWatch(learnt(setup, "vibe.ratio", 1));
    if (Number.isNaN(this.#mass_kg)) this.off.push("thrust: no nameplate mass");
    if (Number.isNaN(this.#radius_m)) this.off.push("power: no nameplate rotorRadius");
    if (Number.isNaN(capacity_As)) this.off.push("time to reserve: no nameplate batteryCapacity");
    if (!this.#commissioned) this.off.push("propeller, compass: no baseline (uncommissioned)");
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    const before_ms = this.#validity.now_ms;
    this.#validity.take(input, frame.get(input), t_ms);
    if (!(this.#validity.now_ms > before_ms)) return;
    if (Number.isNaN(this.#step_ms)) this.#step_ms = this.#validity.now_ms;
    if (before_ms - this.#step_ms < STEP_ms) return;
    const dt_s = Math.min(GAP_s, (before_ms - this.#step_ms) / 1000);
    this.#step_ms = before_ms;
    for (let i = 0; i < INPUTS.length; i++) {
      this.#values[i] = Number.isNaN(frame.get(i)) ? Number.NaN : this.#validity.value(i);
    }
    this.#step(frame, dt_s);
  }

  explain(output: string): Finding | null {
    const channel = output.endsWith(".fault") ? output.slice(0, -".fault".length) : "";
    const code = channel === "" ? 0 : this.#validity.code(at(channel));
    if (code !== 0) {
      const evidence = [`${channel}: ${SUSPICIONS[code]}`, "withheld from every model"];
      return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
    }
    if (output !== "altitude.residual" || Number.isNaN(this.#altitude.residual_m)) return null;
    const evidence = [`satellite height ${this.#value("altitudeRef").toFixed(1)} m`];
    return { expected: 0, sigma: 2, unit: "m", evidence };
  }

  #value(name: string): number {
    return this.#values[at(name)] as number;
  }

  #heard(name: string): number {
    return this.#validity.heard(at(name));
  }

  #accuse(name: string): void {
    this.#validity.accuse(at(name));
  }

  #all(name: string, read: (name: string) => number): number[] {
    return ROTORS.map((i) => read(`${name}${i}`));
  }

  #step(frame: Frame, dt_s: number): void {
    const heard = (name: string): number => this.#heard(name);
    const suspect = this.#altitude.step(
      dt_s,
      heard("pressure"),
      this.#value("airTemp"),
      heard("altitudeRef"),
      heard("climbRate"),
    );
    if (suspect !== null) {
      // The first verdict stands: it was made nearest to when the heights last agreed.
      const known = ["pressure", "altitudeRef"].find((name) => this.#validity.code(at(name)) !== 0);
      this.#accuse(suspect === "climbRate" ? suspect : (known ?? suspect));
    }
    const radps = this.#all("rotorSpeed", heard);
    const turning = radps.filter((w) => w > FLYING.radps).length;
    const flying = turning >= 2 && !(this.#value("throttle") < FLYING.throttle);
    this.#flying_s = flying ? this.#flying_s + dt_s : 0;
    const settled = this.#flying_s > FLYING.s;
    const stopped = this.#countStopped(dt_s, settled);
    this.#watchBattery(dt_s);
    this.#watchClips(dt_s);
    if (settled && stopped === 0) this.#watchFlight(dt_s, radps);
    else {
      for (const share of this.#shares) share.pause();
      this.#thrustGap.reset();
      this.#throttleGap.reset();
    }
    this.#write(frame, dt_s, stopped);
  }

  /** A motor at rest without current while the throttle asks for thrust. */
  #countStopped(dt_s: number, settled: boolean): number {
    const count = ROTORS.filter(
      (i) =>
        this.#value(`rotorSpeed${i}`) < STOPPED.radps && this.#value(`escCurrent${i}`) < STOPPED.A,
    ).length;
    const lost =
      count > 0 && (settled || this.#stopped_s > 0) && this.#value("throttle") > FLYING.throttle;
    this.#stopped_s = lost ? this.#stopped_s + dt_s : 0;
    return this.#stopped_s > STOPPED.s ? count : 0;
  }

  #watchFlight(dt_s: number, radps: readonly number[]): void {
    const amps = this.#all("escCurrent", (name) => this.#heard(name));
    const heats = this.#all("escTemp", (name) => this.#heard(name));
    this.#shares.forEach((share, i) => {
      const own = { radps: radps[i] as number, A: amps[i] as number, K: heats[i] as number };
      const others = { radps: middle(radps, i), A: middle(amps, i), K: middle(heats, i) };
      const suspect = share.step(dt_s, own, others);
      if (suspect !== null) this.#accuse(`${suspect}${i + 1}`);
      if (share.heatSensorOff) this.#accuse(`escTemp${i + 1}`);
    });
    this.#watchThrust(dt_s);
    this.#shake.step(dt_s, this.#heard("vibe"), this.#value("throttle"));
    if (!this.#commissioned) return;
    if (this.#shake.sensorOff && !(this.#clipping_s > 0)) this.#accuse("vibe");
    const field = this.#field.add(this.#heard("magField"), dt_s);
    if (Math.abs(field - this.#field_T) > FIELD_OFF_T) this.#accuse("magField");
  }

  /** Rotors, accelerometer and throttle tell the same thrust; the odd one is named. */
  #watchThrust(dt_s: number): void {
    const radps = this.#all("rotorSpeed", (name) => this.#value(name));
    if (radps.some(Number.isNaN)) {
      this.#thrustGap.reset();
      this.#throttleGap.reset();
      return;
    }
    const density = airDensity(this.#value("pressure"), this.#value("airTemp"));
    const lift = Number.isNaN(density) ? 1 : density / 1.225;
    const spun = radps.reduce((sum, w) => sum + QUADROTOR.thrust_Ns2 * w * w, 0) * lift;
    const force_N = this.#mass_kg * this.#heard("accelZ");
    const full_N = ROTORS.length * QUADROTOR.thrust_Ns2 * QUADROTOR.speedMax_radps ** 2;
    const weight_N = this.#mass_kg * GRAVITY_mps2;
    const force = this.#thrustGap.add((force_N - spun) / weight_N, dt_s);
    const throttle = this.#throttleGap.add(this.#heard("throttle") - spun / full_N, dt_s);
    const forceOff = Math.abs(force) > THRUST_OFF;
    const throttleOff = Math.abs(throttle) > THROTTLE_OFF;
    if (forceOff && !throttleOff) this.#accuse("accelZ");
    if (throttleOff && !forceOff) this.#accuse("throttle");
  }

  #watchBattery(dt_s: number): void {
    const cells = this.#all("cellVoltage", (name) => this.#heard(name));
    const voltage_V = this.#heard("batteryVoltage");
    this.#battery.count(dt_s, this.#value("batteryVoltage"), this.#value("batteryCurrent"));
    const odd = this.#battery.step(dt_s, voltage_V, cells);
    if (odd === "pack") this.#accuse("batteryVoltage");
    else if (odd !== null) this.#accuse(`cellVoltage${odd + 1}`);
    const drawn = this.#all("escCurrent", (name) => this.#value(name)).reduce((a, b) => a + b, 0);
    const rest_A = QUADROTOR.avionics_W / this.#value("batteryVoltage");
    const gap_A = this.#currentGap.add(this.#heard("batteryCurrent") - drawn - rest_A, dt_s);
    if (Math.abs(gap_A) > CURRENT_OFF_A && !Number.isNaN(drawn)) this.#accuse("batteryCurrent");
  }

  #watchClips(dt_s: number): void {
    const count = this.#value("clipCount");
    const now = (count - this.#clips) / dt_s;
    // A counter that falls or leaps is read wrongly.
    const rate = this.#clipRate.add(now >= 0 && now < CLIPS_MAX ? now : 0, dt_s);
    this.#clips = count;
    this.#clipping_s = rate > 1 ? this.#clipping_s + dt_s : 0;
  }

  #write(frame: Frame, dt_s: number, stopped: number): void {
    let output = 0;
    const put = (value: number): void => frame.set(output++, value);
    for (let i = 0; i < INPUTS.length; i++) put(this.#validity.code(i));
    const believed = !Number.isNaN(this.#value("pressure"));
    put(believed ? this.#altitude.height_m : Number.NaN);
    put(believed ? this.#altitude.residual_m : Number.NaN);
    this.#writePower(put, dt_s);
    const whole = stopped === 0;
    ROTORS.forEach((rotor, i) => {
      const known = !Number.isNaN(
        this.#value(`rotorSpeed${rotor}`) + this.#value(`escCurrent${rotor}`),
      );
      put(known && whole ? (this.#shares[i]?.asymmetry ?? Number.NaN) : Number.NaN);
    });
    ROTORS.forEach((rotor, i) => {
      const known = !Number.isNaN(this.#value(`escTemp${rotor}`));
      put(known ? (this.#shares[i]?.heat_K ?? Number.NaN) : Number.NaN);
    });
    put(stopped);
    const cells = this.#all("cellVoltage", (name) => this.#value(name));
    const sure = !cells.some(Number.isNaN) && !this.#battery.disagrees;
    put(sure ? this.#battery.spread_V : Number.NaN);
    const shaking = !Number.isNaN(this.#value("vibe")) && this.#commissioned && whole;
    put(shaking && this.#clipping_s === 0 ? this.#shake.excess_mps2 : Number.NaN);
    put(this.#clipping_s > CLIPS_s ? this.#clipRate.value : 0);
    put(this.#flying_s > FLYING.s ? this.#shake.ratio : Number.NaN);
    put(this.#flying_s > FLYING.s ? this.#value("magField") : Number.NaN);
  }

  #writePower(put: (value: number) => void, dt_s: number): void {
    const force = Math.hypot(this.#value("accelX"), this.#value("accelY"), this.#value("accelZ"));
    const flying = this.#flying_s > FLYING.s;
    const thrust_N = flying ? this.#mass_kg * force : Number.NaN;
    put(thrust_N);
    const density = airDensity(this.#value("pressure"), this.#value("airTemp"));
    const disc_m2 = Math.PI * this.#radius_m ** 2;
    const each_N = thrust_N / ROTORS.length;
    const ideal_W = (ROTORS.length * each_N ** 1.5) / Math.sqrt(2 * density * disc_m2);
    const expected_W = ideal_W / this.#merit / QUADROTOR.motorEfficiency + QUADROTOR.avionics_W;
    const drawn_W = this.#value("batteryVoltage") * this.#value("batteryCurrent");
    if (!flying) {
      this.#load.reset();
      this.#power.reset();
    }
    const load_W = this.#load.add(flying ? expected_W : Number.NaN, dt_s);
    const power_W = this.#power.add(flying ? drawn_W : Number.NaN, dt_s);
    put(load_W);
    put(power_W - load_W);
    const { soc } = this.#battery;
    put(soc);
    const enough = flying && power_W > 0 && cellVoltage(soc) > 0;
    put(enough ? timeToReserve(this.#pack, soc, power_W, this.#reserve) : Number.NaN);
  }
}

/** The middle one of the other three: one more bad reading among them does not pull it. */
function middle(values: readonly number[], without: number): number {
  const others = values.filter((v, i) => i !== without && !Number.isNaN(v)).sort((a, b) => a - b);
  return others[others.length >> 1] ?? Number.NaN;
}
