//! Bad input of a drone: whatever its instruments, clock and link do, nothing of it is taken for the
//! machine, and a fault of the machine is still told.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { QUADROTOR_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { type FlyOptions, fly } from "./drone-rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-qd01.json", "utf8"));
const NAMES = QUADROTOR_CHANNELS.map(({ name }) => name);
/** A larger sweep: STERNA_SWEEP=200 vitest run test/models/drone-inputs.test.ts */
const PAIRS = Number(process.env["STERNA_SWEEP"] ?? 6);

const run = (options: Omit<FlyOptions, "baseline" | "period_ms">) =>
  fly({ baseline, period_ms: 400, ...options }).alarms;
const shown = (alarms: ReturnType<typeof run>): string[] =>
  alarms.filter(({ folded }) => !folded).map(({ id }) => id);

test("two instruments that fail at once are never the machine", { timeout: 600_000 }, () => {
  const random = prng(11, "pairs");
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  const fault = (): string => {
    const [name, mode] = [pick(NAMES), pick(SENSOR_FAULTS)];
    const other = pick(NAMES.filter((one) => one !== name));
    const at_s = 30 + Math.floor(60 * random.next());
    return `quadrotor:sensor:${name}:${mode}${mode === "swap" ? `:${other}` : ""}@${at_s}s`;
  };
  for (let k = 0; k < PAIRS; k++) {
    const inject = [fault(), fault()];
    const alarms = run({ seed: 300 + k, duration_s: 300, inject });
    const wrong = alarms.filter((alarm) => alarm.class === "machine");
    expect(wrong, inject.join(" and ")).toEqual([]);
  }
});

describe("the link", () => {
  test("one message in ten lost, and a minute of silence: only the silence is said", () => {
    for (const seed of [1, 2]) {
      const random = prng(seed, "loss");
      const fates = new Map<string, boolean>();
      const lost = (name: string, t_s: number): boolean => {
        const message = `${name.slice(0, 4)} ${t_s}`;
        const fate = fates.get(message) ?? random.next() < 0.1;
        fates.set(message, fate);
        return fate || (t_s > 120 && t_s < 180);
      };
      const alarms = fly({ baseline, seed, duration_s: 300, lost }).alarms;
      expect(shown(alarms), `seed ${seed}`).toEqual(["stale"]);
    }
  });

  test("a clock that jumps, by an hour or by ten seconds, on or back", () => {
    for (const jump_ms of [3_600_000, -3_600_000, 10_000, -10_000]) {
      const clock_ms = (t_s: number): number => (t_s > 120 && t_s < 150 ? jump_ms : 0);
      const alarms = run({ seed: 4, duration_s: 300, clock_ms });
      expect(alarms.filter((alarm) => alarm.class === "machine")).toEqual([]);
    }
  });
});

describe("faults of the machine", () => {
  test("are told beside a fault of an instrument that they do not need", () => {
    const cases = [
      ["battery_cell@120s", "quadrotor:sensor:vibe:stuck@60s", "battery-cell"],
      ["rotor_thrust@120s", "quadrotor:sensor:pressure:drift@60s", "rotor-1-thrust"],
      ["prop_chip@120s", "quadrotor:sensor:batteryCurrent:bias@60s", "propeller"],
    ] as const;
    for (const [fault, sensor, expected] of cases) {
      const alarms = run({ seed: 5, duration_s: 260, inject: [fault, sensor] });
      const machine = alarms.filter((a) => a.class === "machine" && !a.folded);
      expect(
        machine.map(({ id }) => id),
        fault,
      ).toEqual([expected]);
    }
  });

  test("that it starts with are told, before commissioning by what physics alone can say", () => {
    const inject = ["rotor_thrust@0s", "battery_cell@0s"];
    const expected = ["battery-cell", "rotor-1-thrust"];
    expect(shown(run({ seed: 8, duration_s: 200, inject })).sort()).toEqual(expected);
    const young = fly({ baseline: null, seed: 8, duration_s: 200, period_ms: 400, inject });
    expect(shown(young.alarms).sort()).toEqual(expected);
  });
});
