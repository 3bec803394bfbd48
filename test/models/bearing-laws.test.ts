//! What no accelerometer may do by itself: raise an alarm of the machine, or silence a real one for
//! longer than it is at fault. Each fault of a block alone, and each two of them at once.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { BEARING_6205 } from "../../agent/base/physics.js";
import { prng } from "../../agent/base/prng.js";
import type { Block } from "../../agent/base/telemetry.js";
import { createBearingMonitor } from "../../agent/models/bearing.js";
import type { Baseline } from "../../agent/models/setup.js";
import { synthesizeVibration, VIBRATION } from "../../agent/sensors/plants/vibration.js";

type Wave = Pick<Block, "values" | "speed_radps">;
type Spoil = (wave: Wave) => Wave;
const each =
  (change: (value: number, i: number) => number): Spoil =>
  ({ values, speed_radps }) => ({ values: values.map(change), speed_radps });
const turn =
  (by: number): Spoil =>
  ({ values, speed_radps }) => ({ values, speed_radps: (speed_radps ?? Number.NaN) * by });

const FAULTS: Readonly<Record<string, Spoil>> = {
  "stuck at a value": each(() => 3.2),
  silent: each(() => 0),
  "clipped hard": each((v) => Math.max(-1, Math.min(1, v))),
  "clipped mildly": each((v) => Math.max(-2.5, Math.min(2.5, v))),
  "in g for m/s2": each((v) => v / 9.80665),
  "in m/s2 for g": each((v) => v * 9.80665),
  "a thousandfold": each((v) => v * 1000),
  "with an offset": each((v) => v + 40),
  "one sample no number": each((v, i) => (i === 77 ? Number.NaN : v)),
  "all no numbers": each(() => Number.NaN),
  "an infinite sample": each((v, i) => (i === 77 ? Number.POSITIVE_INFINITY : v)),
  "rpm taken for rad/s": turn(30 / Math.PI),
  "rad/s taken for rpm": turn(Math.PI / 30),
  "twice the speed": turn(2),
  "no speed": turn(Number.NaN),
  backwards: turn(-1),
};
const NAMES = Object.keys(FAULTS);

const COUNT = 8;
const random = prng(5, "laws");
const wave = (severity: number): Wave => {
  const part = { severity, part: "outer" as const, count: 16_384 };
  const values = synthesizeVibration({ ...VIBRATION, ...part }, random);
  return { values, speed_radps: VIBRATION.speed_radps };
};
const HEALTHY = Array.from({ length: COUNT }, () => wave(0));
const DAMAGED = Array.from({ length: COUNT }, () => wave(1));

const baseline: Baseline = {
  version: 1,
  kind: "bearing",
  asset: "b",
  source: "test",
  values: { "accel.level.middle": levelOf(HEALTHY[0] as Wave), "accel.level.sigma": 0.02 },
};

function levelOf({ values }: Wave): number {
  return 0.5 * Math.log(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}

function rig() {
  const monitor = createBearingMonitor({
    id: "b",
    nameplate: {
      rollers: BEARING_6205.rollers,
      ballDiameter: BEARING_6205.ball_m,
      pitchDiameter: BEARING_6205.pitch_m,
    },
    baseline,
    backend: reference,
  });
  const said = new Map<string, number>();
  const frame = {
    get: () => Number.NaN,
    set: (i: number, value: number) => void said.set(monitor.outputs[i]?.name ?? "", value),
  };
  let t_ms = 0;
  const get = (name: string): number => said.get(name) ?? Number.NaN;
  return {
    get,
    /** What the default rules would raise now. */
    feed({ values, speed_radps }: Wave): { machine: boolean; sensor: boolean } {
      t_ms += 60_000;
      const at = { kind: "block", channel: 0, t_ms, r_ms: t_ms, fs_hz: 25_600 } as const;
      monitor.onBlock(frame, monitor.inputs.indexOf("accel"), { ...at, values, speed_radps });
      const machine = get("bearing.damage") > 8 || get("vibration.rise") > 0.69;
      return { machine, sensor: get("accel.fault") > 0 };
    },
  };
}

const spoiled = (waves: readonly Wave[], ...faults: readonly string[]): Wave[] =>
  waves.map((one) => faults.reduce((now, name) => FAULTS[name]?.(now) ?? now, one));

function hold(faults: readonly string[]): void {
  const healthy = rig();
  const blocks = [...HEALTHY, ...spoiled(HEALTHY, ...faults), ...HEALTHY];
  const raised = blocks.filter((one) => healthy.feed(one).machine);
  expect(raised.length, `${faults.join(" and ")}: alarms of the machine`).toBe(0);
  const damaged = rig();
  for (const one of [...HEALTHY, ...spoiled(DAMAGED, ...faults)]) damaged.feed(one);
  const after = DAMAGED.map((one) => damaged.feed(one).machine);
  expect(after.at(-1), `${faults.join(" and ")}: damage is found behind it`).toBe(true);
}

test.each(NAMES)("an accelerometer %s", (name) => {
  hold([name]);
});

test("two at once, a third of all pairs: all of them take a quarter of a minute", () => {
  NAMES.forEach((first, i) => {
    for (let k = i + 1 + (i % 3); k < NAMES.length; k += 3) hold([first, NAMES[k] as string]);
  });
}, 60_000);

test("a changed scale is the sensor's, and damage is heard through it", () => {
  const { feed, get } = rig();
  for (const one of HEALTHY) expect(feed(one)).toEqual({ machine: false, sensor: false });
  const said = spoiled(DAMAGED, "in m/s2 for g").map((one) => feed(one));
  expect(get("bearing.damage")).toBeGreaterThan(8);
  expect(said.at(-1)?.machine).toBe(true);
});

test("one wild block raises nothing; twice as loud for a while does", () => {
  const { feed } = rig();
  const loud = (by: number): Wave => {
    // Louder at the top alone, as damage is: velocity stays.
    const own = wave(0);
    const more = own.values.map((v) => v + by * (2 * random.next() - 1) * 8);
    return { ...own, values: more };
  };
  for (const one of HEALTHY) feed(one);
  expect(feed(loud(20)).machine).toBe(false);
  for (const one of HEALTHY) expect(feed(one).machine).toBe(false);
  const said = Array.from({ length: 12 }, () => feed(loud(1)).machine);
  expect(said.at(-1)).toBe(true);
});

test("a bearing that starts broken is told without a baseline and teaches no loudness", () => {
  const { feed, get } = rig();
  for (const one of DAMAGED) feed(one);
  expect(get("bearing.damage")).toBeGreaterThan(8);
  expect(get("accel.level")).toBeNaN();
});
