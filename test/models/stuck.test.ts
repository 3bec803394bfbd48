import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { SUSPICIONS, Validity } from "../../agent/models/chain/validity.js";
import { createTurbineMonitor } from "../../agent/models/turbine.js";
import { TURBINE_PORTS } from "../../agent/models/turbine-ports.js";

const STUCK = SUSPICIONS.indexOf("stuck");
const ports = ["mainBearingTemp", "power", "windSpeed"].flatMap((name) => {
  return TURBINE_PORTS.find((port) => port.name === name) ?? [];
});
const DAY = 144;

/** Ten-minute means: a temperature in steps of 0.1 K, a power that rests by night, a wind. */
function means(days: number, stuckFrom: number, each: (validity: Validity, k: number) => void) {
  const validity = new Validity(ports, () => Number.NaN);
  const chance = prng(2, "means");
  let slow = 0;
  for (let k = 0; k < days * DAY; k++) {
    slow += -0.02 * slow + 0.04 * chance.normal();
    const live = Math.round(3060 + 10 * slow) / 10;
    const night = k % DAY < 60;
    validity.take(0, k >= stuckFrom ? 306 : live, 600_000 * k);
    validity.take(1, night ? 500 : 1e6 * (1 + 0.1 * chance.normal()), 600_000 * k);
    validity.take(2, 6 + chance.normal(), 600_000 * k);
    each(validity, k);
  }
}

describe("stuck", () => {
  test("a slow temperature and a power at rest are not, by means of ten minutes", () => {
    let longest = 0;
    means(40, Number.POSITIVE_INFINITY, (validity, k) => {
      // Its first long run nothing tells from a stuck instrument.
      if (k > DAY) expect(validity.code(0)).not.toBe(STUCK);
      expect(validity.code(1)).not.toBe(STUCK);
      longest = Math.max(longest, validity.repeats(0).count);
    });
    expect(longest).toBeGreaterThan(8);
  });

  test("an instrument that repeats for three times as long as ever before is", () => {
    const from = 20 * DAY;
    let [longest, told] = [8, Number.NaN];
    means(24, from, (validity, k) => {
      const { count } = validity.repeats(0);
      if (k < from) longest = Math.max(longest, count);
      if (k > from && Number.isNaN(told) && validity.code(0) === STUCK) told = count;
    });
    expect(told).toBe(3 * longest);
  });

  test("fast readings that never repeat need eight, as ever", () => {
    const validity = new Validity(ports, () => Number.NaN);
    const chance = prng(3, "fast");
    let told = Number.NaN;
    for (let s = 0; s < 400; s++) {
      validity.take(0, s < 300 ? 306 + 0.1 * chance.normal() : 306, 1000 * s);
      validity.take(2, 6 + chance.normal(), 1000 * s);
      if (Number.isNaN(told) && validity.code(0) === STUCK) told = validity.repeats(0).count;
    }
    expect([8, 9]).toContain(told);
  });

  test("means of ten minutes have no spikes, readings a second apart do", () => {
    const rotor = TURBINE_PORTS.filter(({ name }) => name === "rotorSpeed");
    for (const [period_ms, spikes] of [
      [600_000, false],
      [1000, true],
    ] as const) {
      const validity = new Validity(rotor, () => Number.NaN);
      let seen = false;
      for (let k = 0; k < 400; k++) {
        validity.take(0, k % 7 === 0 ? 2 : 1 + 0.0001 * (k % 5), period_ms * k);
        seen ||= SUSPICIONS[validity.code(0)] === "spikes";
      }
      expect(seen).toBe(spikes);
    }
  });

  test("the alarm says at what value, and for how long", () => {
    const monitor = createTurbineMonitor({
      id: "wt",
      nameplate: { ratedPower: 5e6, rotorRadius: 63, gearRatio: 97 },
      baseline: null,
      backend: reference,
    });
    const frame = new Float64Array(monitor.inputs.length).fill(Number.NaN);
    const at = (name: string): number => monitor.inputs.indexOf(name);
    const chance = prng(4, "turbine");
    for (let s = 0; s < 400; s++) {
      for (const [name, value] of [
        ["mainBearingTemp", s < 200 ? 306 + 0.1 * chance.normal() : 306.15],
        ["windSpeed", 8 + chance.normal()],
      ] as const) {
        frame[at(name)] = value;
        const own = { get: (i: number) => frame[i] ?? Number.NaN, set: () => {} };
        monitor.onSample(own, at(name), 1000 * s);
      }
    }
    const output = monitor.outputs.findIndex(({ name }) => name === "mainBearingTemp.fault");
    expect(monitor.explain(output)?.evidence[0]).toBe(
      "mainBearingTemp: stuck at 33 Cel for 3 min, 200 readings alike",
    );
  });
});
