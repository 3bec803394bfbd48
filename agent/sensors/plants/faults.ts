//! What can be broken in a simulated machine, by name. Severity 1 is what `full` says; a lower one
//! scales it. An `event` is no fault: a monitor that alarms on it is wrong.
import type { PlantKind } from "./plant.js";

export type FaultRow = {
  readonly name: string;
  readonly kind: PlantKind;
  /** The component an alarm should name; "" for an event. */
  readonly component: string;
  readonly class: "machine" | "sensor" | "event";
  readonly full: string;
};

const turbine = (name: string, component: string, full: string): FaultRow => ({
  name,
  kind: "wind-turbine",
  component,
  class: component === "" ? "event" : "machine",
  full,
});
const gas = (name: string, component: string, full: string): FaultRow => ({
  ...turbine(name, component, full),
  kind: "gas-turbine",
});
const rig = (name: string, component: string, full: string): FaultRow => ({
  ...turbine(name, component, full),
  kind: "bearing",
  class: component === "" ? "event" : component === "accelerometer" ? "sensor" : "machine",
});
const drone = (name: string, component: string, full: string): FaultRow => ({
  name,
  kind: "quadrotor",
  component,
  class: SENSORS.has(component) ? "sensor" : "machine",
  full,
});
const SENSORS = new Set(["imu", "gps", "barometer", "compass"]);

export const FAULTS: readonly FaultRow[] = [
  turbine("hss_bearing", "gearbox-hss", "outer race: 12 m/s2 impulses, bearing heat x 2.3"),
  turbine("hss_bearing_inner", "gearbox-hss", "inner race: 12 m/s2 impulses, bearing heat x 2.3"),
  turbine("gen_cooling", "generator", "cooling of the winding x 0.65"),
  turbine("gear_loss", "gearbox", "heat into the gear oil x 1.6"),
  turbine("blade", "rotor", "power coefficient x 0.9 (soiling, ice, erosion)"),
  turbine("main_bearing", "main-bearing", "friction heat x 2"),
  turbine("yaw_misalign", "yaw", "nacelle 25 deg off the wind: power x cos^3"),
  turbine("pitch_stuck", "pitch", "pitch drives jam 3 deg towards feather of where they stood"),
  turbine("imbalance", "rotor", "0.45 m/s2 rms at once per turn on the tower at rated speed"),
  turbine("curtail", "", "the grid allows half of rated power"),
  turbine("stop", "", "an operator stops the turbine"),
  turbine("gust", "", "up to 5 m/s more wind over the whole rotor for 10 s"),
  turbine("heat_wave", "", "outside air 15 K warmer"),
  gas("compressor_fouling", "compressor", "efficiency -0.02 and air flow -5.5 %"),
  gas("turbine_erosion", "turbine", "efficiency of the turbine -0.02"),
  gas("combustor", "combustor", "4 % of the fuel unburnt, exhaust spread 45 K wider"),
  gas("filter_clogging", "inlet-filter", "pressure drop of the inlet filter x 4"),
  gas("oil_cooler", "oil", "cooling of the oil x 0.65"),
  gas("journal_bearing", "bearing-2", "friction heat of the turbine-end bearing x 1.6"),
  gas("rotor_imbalance", "rotor", "6 mm/s rms once per turn at the turbine end, 3.6 at the other"),
  gas("load_cut", "", "the dispatch asks for 40 % less"),
  gas("shutdown", "", "an operator unloads and stops the machine"),
  gas("hot_day", "", "outside air 15 K warmer"),
  rig("outer_race", "bearing", "outer race: 12 m/s2 impulses, friction x 1.5"),
  rig("inner_race", "bearing", "inner race: 12 m/s2 impulses, friction x 1.5"),
  rig("rolling_element", "bearing", "rolling element: 12 m/s2 impulses, friction x 1.5"),
  rig("lubrication", "lubrication", "friction x 2.2, broadband noise x 1.8"),
  rig("accel_loose", "accelerometer", "the accelerometer's cable is off: 1 % of the signal"),
  rig("speed_step", "", "the drive turns 15 % slower"),
  rig("load_step", "", "the radial load is 30 % less"),
  rig("rest", "", "the rig is stopped"),
  drone("rotor_thrust", "rotor-1", "thrust constant of rotor 1 x 0.9: it turns 5.4 % faster"),
  drone("prop_chip", "rotor-1", "0.1 g missing at 0.1 m: 4.2 m/s2 at the rotor's rate"),
  drone("motor_loss", "rotor-1", "motor 1 stops; the machine comes down"),
  drone("esc_overtemp", "esc-1", "cooling of ESC 1 x 0.3"),
  drone("battery_cell", "battery", "resistance of cell 3 x 3"),
  drone("imu_clipping", "imu", "5 clipped samples a second, vibration over 60 m/s2"),
  drone("gps_glitch", "gps", "satellite height jumps by 10 to 50 m for seconds at a time"),
  drone("baro_icing", "barometer", "the port freezes: the pressure lags by 10 min"),
  drone("mag_interference", "compass", "1 uT more field per ampere"),
];

export function faultNames(kind: PlantKind): string[] {
  return FAULTS.filter((row) => row.kind === kind).map((row) => row.name);
}
