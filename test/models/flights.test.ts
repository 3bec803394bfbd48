//! Drones whose logs tell commands and battery, and nothing of their controllers: recorded flights
//! where the sets are at hand, and the simulated one with those channels alone.
import { describe, expect, test } from "vitest";
import { isRefused } from "../../agent/models/commission.js";
import type { Baseline } from "../../agent/models/setup.js";
import { scoreFlights } from "../../bench/flight-rows.js";
import { readCrazypad, readPropcut } from "../../bench/flights.js";
import { hasSet } from "../../bench/monitor-sets.js";
import { type FlyOptions, fly } from "./drone-rig.js";
import type { Raised } from "./rig.js";

const HEARD: ReadonlySet<string> = new Set([
  ...["pressure", "airTemp", "altitudeRef", "velocity", "climbRate", "accelX", "accelY", "accelZ"],
  ...["roll", "pitch", "throttle", "batteryVoltage", "batteryCurrent"],
  ...[1, 2, 3, 4].map((i) => `motorOutput${i}`),
]);

type Lie = NonNullable<FlyOptions["lie"]>;

function learn(): Baseline {
  const outcome = fly({ heard: HEARD, seed: 5, baseline: null, duration_s: 3600 }).stage.finish(
    "test",
    null,
  );
  if (outcome === null || isRefused(outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
}
const baseline = learn();
const ids = (alarms: readonly Raised[]): string[] => alarms.map(({ id }) => id);

describe("commands and battery alone", () => {
  test("healthy: nothing in forty minutes of another seed", () => {
    expect(fly({ heard: HEARD, seed: 6, baseline, duration_s: 2400 }).alarms).toEqual([]);
  });

  test("a rotor that needs more speed for its thrust is told by drive and balance", () => {
    const { alarms } = fly({
      heard: HEARD,
      seed: 6,
      baseline,
      duration_s: 400,
      inject: ["rotor_thrust@120s"],
    });
    expect(ids(alarms)).toEqual(["propulsion"]);
    expect(alarms[0]?.at_s).toBeGreaterThan(120);
  });

  test("a command that rests in the air is its channel's fault", () => {
    const stuck: Lie = (name, value, t_s) => (name === "motorOutput1" && t_s > 60 ? 0.71 : value);
    const { alarms } = fly({ heard: HEARD, seed: 6, baseline, duration_s: 300, lie: stuck });
    expect(ids(alarms)).toEqual(["sensor-motorOutput1"]);
  });

  test("neither a current meter nor a thermometer that lies is taken for the machine", () => {
    const lies: Lie[] = [
      (name, value, t_s) => (name === "batteryCurrent" && t_s > 60 ? 1.2 * value : value),
      (name, value, t_s) =>
        name === "airTemp" && t_s > 60 ? value + (15 * (t_s - 60)) / 600 : value,
    ];
    for (const lie of lies) {
      const { alarms } = fly({ heard: HEARD, seed: 6, baseline, duration_s: 900, lie });
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
