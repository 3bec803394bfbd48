//! Drones whose logs tell commands and battery, and nothing of their controllers: recorded flights
//! where the sets are at hand, and the simulated one with those channels alone.
import { describe, expect, test } from "vitest";
import { isRefused } from "../../agent/models/commission.js";
import type { Baseline } from "../../agent/models/setup.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { createQuadrotor } from "../../agent/sensors/plants/quadrotor.js";
import { scoreFlights } from "../../bench/flight-rows.js";
import { readCrazypad, readPropcut } from "../../bench/flights.js";
import { hasSet } from "../../bench/monitor-sets.js";
import { collect, type Raised, wire } from "./rig.js";

const START_ms = 1_800_000_000_000;
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
const HEARD: ReadonlySet<string> = new Set([
  ...["pressure", "airTemp", "altitudeRef", "velocity", "climbRate", "accelX", "accelY", "accelZ"],
  ...["roll", "pitch", "throttle", "batteryVoltage", "batteryCurrent"],
  ...[1, 2, 3, 4].map((i) => `motorOutput${i}`),
]);

type Lie = (name: string, value: number, t_s: number) => number;
type Options = {
  readonly seed: number;
  readonly baseline: Baseline | null;
  readonly duration_s: number;
  readonly inject?: string;
  readonly lie?: Lie;
};

/** The simulated quadrotor with the channels that HEARD names. */
function fly({ seed, baseline, duration_s, inject, lie = (_, value) => value }: Options) {
  const plant = createQuadrotor({ asset: "test", seed, start_ms: START_ms, period_ms: 200 });
  if (inject !== undefined) {
    const injection = parseInjection(inject);
    if ("fault" in injection) throw new Error(injection.fault);
    plant.inject(injection);
  }
  const channels = plant.channels.filter(({ name }) => HEARD.has(name));
  const at = plant.channels.map((channel) => channels.indexOf(channel));
  const want = { amount: Number.POSITIVE_INFINITY, by: "hand" } as const;
  const learn = baseline === null ? { baseline, want } : { baseline };
  const wires = wire({ kind: "quadrotor", channels }, learn);
  const scalar = (channel: number, t_ms: number, value: number): void => {
    const id = at[channel] ?? -1;
    if (id < 0) return;
    const told = lie(channels[id]?.name ?? "", value, (t_ms - START_ms) / 1000);
    const sample = { channel: id, t_ms, r_ms: t_ms, value: told, quality: "good" } as const;
    wires.watch.accept({ kind: "sample", ...sample }, LIMITS, wires.changes);
  };
  for (let t_ms = START_ms; t_ms <= START_ms + 1000 * duration_s; t_ms += 200) {
    plant.advance(t_ms, { scalar, block() {} });
    if (wires.watch.next_ms() <= t_ms) wires.watch.advance(t_ms, wires.changes);
  }
  return { ...wires, alarms: collect(wires.changes, START_ms) };
}

function learn(): Baseline {
  const outcome = fly({ seed: 5, baseline: null, duration_s: 3600 }).stage.finish("test", null);
  if (outcome === null || isRefused(outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
}
const baseline = learn();
const ids = (alarms: readonly Raised[]): string[] => alarms.map(({ id }) => id);

describe("commands and battery alone", () => {
  test("healthy: nothing in forty minutes of another seed", () => {
    expect(fly({ seed: 6, baseline, duration_s: 2400 }).alarms).toEqual([]);
  });

  test("a rotor that needs more speed for its thrust is told by drive and balance", () => {
    const { alarms } = fly({ seed: 6, baseline, duration_s: 400, inject: "rotor_thrust@120s" });
    expect(ids(alarms)).toEqual(["propulsion"]);
    expect(alarms[0]?.at_s).toBeGreaterThan(120);
  });

  test("a command that rests in the air is its channel's fault", () => {
    const stuck: Lie = (name, value, t_s) => (name === "motorOutput1" && t_s > 60 ? 0.71 : value);
    const { alarms } = fly({ seed: 6, baseline, duration_s: 300, lie: stuck });
    expect(ids(alarms)).toEqual(["sensor-motorOutput1"]);
  });

  test("neither a current meter nor a thermometer that lies is taken for the machine", () => {
    const lies: Lie[] = [
      (name, value, t_s) => (name === "batteryCurrent" && t_s > 60 ? 1.2 * value : value),
      (name, value, t_s) =>
        name === "airTemp" && t_s > 60 ? value + (15 * (t_s - 60)) / 600 : value,
    ];
    for (const lie of lies) {
      const { alarms } = fly({ seed: 6, baseline, duration_s: 900, lie });
      expect(alarms.filter((alarm) => alarm.class === "machine")).toEqual([]);
    }
  });
});

describe("recorded flights", () => {
  test.skipIf(!hasSet("drone_ardupilot_propcut"))(
    "ArduPilot, cut propellers (skipped without ../shared/data): every cut found, no false alarm",
    () => {
      const set = readPropcut();
      const flights = set.flights.filter(({ what, name }) => what === "" || name.endsWith("_2"));
      const { healthy, faulty, refused } = scoreFlights({ ...set, flights });
      expect(refused).toEqual([]);
      expect(healthy.flatMap(({ alarms }) => ids(alarms))).toEqual([]);
      const missed = faulty.filter(({ machine }) => machine === 0);
      expect(missed.map(({ flight }) => flight.name)).toEqual([]);
    },
  );

  test.skipIf(!hasSet("drone_crazypad"))(
    "Crazyflie, hops of eight seconds (skipped without ../shared/data): no false alarm",
    () => {
      const set = readCrazypad();
      const flights = set.flights.filter(({ what }) => what === "").slice(-4);
      const { healthy, refused } = scoreFlights({ ...set, flights });
      expect(refused).toEqual([]);
      expect(healthy.flatMap(({ alarms }) => ids(alarms))).toEqual([]);
    },
  );
});
