//! Recorded flights as a gateway would meet them: readings in the order of their time, by channel of
//! a quadrotor. Two sets, each with its own logger; the files stay where they are.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readGzip, SHARED } from "../test/models/generic-rig.js";

export type Reading = { readonly channel: string; readonly t_ms: number; readonly value: number };
/** One record; `what` is its defect, "" where it is healthy. */
export type Flight = {
  readonly name: string;
  readonly airframe: string;
  readonly what: string;
  /** Values in the units of `FlightSet.channels`; beside them what the kind has no channel for. */
  readonly readings: readonly Reading[];
};
export type FlightSet = {
  readonly channels: readonly { readonly name: string; readonly unit: string }[];
  readonly nameplate: Readonly<Record<string, string>>;
  readonly flights: readonly Flight[];
};

type Table = { readonly rows: number; column(name: string): readonly number[] | null };

function readTable(...path: readonly string[]): Table {
  const [head = "", ...lines] = readGzip(...path)
    .trim()
    .split("\n");
  const names = head.trim().split(",");
  const cells = lines.map((line) => line.split(","));
  return {
    rows: lines.length,
    column(name) {
      const at = names.indexOf(name);
      if (at < 0) return null;
      return cells.map((row) => (row[at]?.trim() ? Number(row[at]) : Number.NaN));
    },
  };
}

/** The columns of a table as channels; `of` is the value of a row in the channel's unit. */
function take(
  table: Table,
  time: { readonly column: string; readonly perMs: number },
  channels: Readonly<Record<string, readonly [string[], (...values: number[]) => number]>>,
  keep: (row: number) => boolean = () => true,
): Reading[] {
  const times = table.column(time.column) ?? [];
  return Object.entries(channels).flatMap(([channel, [names, of]]) => {
    const columns = names.map((name) => table.column(name));
    if (columns.includes(null)) return [];
    return times.flatMap((t, row): Reading[] => {
      const value = of(...columns.map((column) => column?.[row] ?? Number.NaN));
      if (Number.isNaN(t) || Number.isNaN(value) || !keep(row)) return [];
      return [{ channel, t_ms: t / time.perMs, value }];
    });
  });
}

const inOrder = (readings: Reading[]): Reading[] => readings.sort((a, b) => a.t_ms - b.t_ms);

const PROPCUT = "drone_ardupilot_propcut";
const BOOT_us = { column: "TimeUS", perMs: 1000 };

/** ArduPilot: its body axes are forward, right, down; ours forward, left, up. */
export function readPropcut(): FlightSet {
  const folders = index(PROPCUT);
  return {
    channels: [
      ["pressure", "Pa"],
      ["altitudeRef", "m"],
      ["velocity", "m/s"],
      ["climbRate", "m/s"],
      ["accelX", "m/s2"],
      ["accelY", "m/s2"],
      ["accelZ", "m/s2"],
      ["roll", "deg"],
      ["pitch", "deg"],
      ["throttle", "%"],
      ...MOTORS.map((i) => [`motorOutput${i}`, "%"] as const),
      ["batteryVoltage", "V"],
      ["batteryCurrent", "A"],
      ["vibe", "m/s2{rms}"],
      ["clipCount", "1"],
    ].map(([name = "", unit = ""]) => ({ name, unit })),
    nameplate: { batteryCells: "3" },
    flights: folders.map((row) => {
      const folder = row("folder");
      return {
        name: folder,
        airframe: "propcut",
        what: Number(row("prop_cut_mm")) === 0 ? "" : `${row("prop_cut_mm")} mm`,
        readings: propcutReadings((message) => readTable(PROPCUT, folder, `${message}.csv.gz`)),
      };
    }),
  };
}

const MOTORS = [1, 2, 3, 4] as const;
const same = (x = Number.NaN): number => x;
const minus = (x = Number.NaN): number => -x;

function propcutReadings(message: (name: string) => Table): Reading[] {
  const gps = message("GPS");
  const ground_m = gps.column("Alt")?.[0] ?? Number.NaN;
  const vibe = message("VIBE");
  const imu = vibe.column("IMU") ?? [];
  const of = (name: string, channels: Parameters<typeof take>[2]): Reading[] =>
    take(message(name), BOOT_us, channels);
  return inOrder([
    ...of("BARO", { pressure: [["Press"], same] }),
    ...of("IMU", {
      accelX: [["AccX"], same],
      accelY: [["AccY"], minus],
      accelZ: [["AccZ"], minus],
      ...Object.fromEntries(["GyrX", "GyrY", "GyrZ"].map((axis) => [axis, [[axis], same]])),
    }),
    ...of("ATT", { roll: [["Roll"], same], pitch: [["Pitch"], minus] }),
    ...of("CTUN", { throttle: [["ThO"], (share = Number.NaN) => 100 * share] }),
    ...of(
      "RCOU",
      Object.fromEntries(
        MOTORS.map((i) => [`motorOutput${i}`, [[`C${i}`], (us = Number.NaN) => (us - 1000) / 10]]),
      ),
    ),
    ...of("BAT", { batteryVoltage: [["Volt"], same], batteryCurrent: [["Curr"], same] }),
    ...take(gps, BOOT_us, {
      altitudeRef: [["Alt"], (m = Number.NaN) => m - ground_m],
      velocity: [["Spd"], same],
      climbRate: [["VZ"], minus],
    }),
    ...take(
      vibe,
      BOOT_us,
      { vibe: [["VibeX", "VibeY", "VibeZ"], Math.hypot], clipCount: [["Clip"], same] },
      (row) => imu[row] === 0,
    ),
    ...[0, 1, 2].flatMap((unit) => {
      const axes = ["VibeX", "VibeY", "VibeZ"].map((axis) => [`${axis}${unit}`, [[axis], same]]);
      return take(vibe, BOOT_us, Object.fromEntries(axes), (row) => imu[row] === unit);
    }),
  ]);
}

const CRAZYPAD = "drone_crazypad";
const LOG_ms = { column: "timestamp", perMs: 1 };
const FULL = 655.35; // motor commands are 16 bit
/** Crazyflie: M1 front right, M2 rear right, M3 rear left, M4 front left. */
const CRAZYFLIE = [1, 3, 4, 2] as const;
const GRAVITY_mps2 = 9.80665;

export function readCrazypad(): FlightSet {
  return {
    channels: [
      ["altitudeRef", "m"],
      ["velocity", "m/s"],
      ["climbRate", "m/s"],
      ["accelZ", "m/s2"],
      ["roll", "deg"],
      ...MOTORS.map((i) => [`motorOutput${i}`, "%"] as const),
      ["batteryVoltage", "V"],
    ].map(([name = "", unit = ""]) => ({ name, unit })),
    nameplate: { batteryCells: "1" },
    flights: index(CRAZYPAD).map((row) => {
      const what = row("class");
      return {
        name: row("file").replace(".csv.gz", ""),
        airframe: row("airframe"),
        what: what === "normal_flight" ? "" : what,
        readings: crazypadReadings(readTable(CRAZYPAD, row("file"))),
      };
    }),
  };
}

function crazypadReadings(table: Table): Reading[] {
  // What the electronics put out, battery compensation included, where the log has it.
  const column = (m: number): string =>
    table.column("pwm.m1_pwm") === null ? `motor.m${m}` : `pwm.m${m}_pwm`;
  const motors = MOTORS.map((i) => {
    const share = (count = Number.NaN): number => count / FULL;
    return [`motorOutput${i}`, [[column(CRAZYFLIE[i - 1] ?? i)], share]] as const;
  });
  return inOrder(
    take(table, LOG_ms, {
      altitudeRef: [["stateEstimate.z"], same],
      velocity: [["stateEstimate.vx", "stateEstimate.vy"], Math.hypot],
      climbRate: [["stateEstimate.vz"], same],
      accelZ: [["stateEstimate.az"], (g = Number.NaN) => (g + 1) * GRAVITY_mps2],
      roll: [["stateEstimate.roll"], same],
      ...Object.fromEntries(["ax", "ay", "yaw"].map((x) => [x, [[`stateEstimate.${x}`], same]])),
      ...Object.fromEntries(motors.map(([name, [names, of]]) => [name, [[...names], of]])),
      batteryVoltage: [["pm.vbatMV"], (mV = Number.NaN) => mV / 1000],
    }),
  );
}

/** The rows of a set's index, each a look-up by column. */
function index(set: string): ((column: string) => string)[] {
  const [head = "", ...lines] = readText(set, "index.csv").trim().split("\n");
  const names = head.trim().split(",");
  return lines.map((line) => {
    const cells = line.trim().split(",");
    return (column) => cells[names.indexOf(column)] ?? "";
  });
}

const readText = (...path: readonly string[]): string =>
  readFileSync(join(SHARED, ...path), "utf8");
