//! What a reading must do not to be believed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import type { PortRow } from "../../agent/models/chain/port.js";
import { SUSPICIONS, Validity } from "../../agent/models/chain/validity.js";

const row: PortRow = {
  name: "t",
  unit: "Cel",
  shape: "scalar",
  about: "",
  range: [-40, 150],
  jump: [3, 0.1],
  pace: null,
  spike: 4,
  noisy: true,
  whole: false,
};
const said = (validity: Validity, input = 0) => SUSPICIONS[validity.code(input)];

describe("validity", () => {
  const noisy = prng(1, "validity");
  const fresh = () => new Validity([row, { ...row, name: "u" }], () => Number.NaN);
  /** Two minutes of healthy readings on both channels; then `change` on the first. */
  const after = (change: (good: number, k: number) => number, seconds = 60): Validity => {
    const validity = fresh();
    for (let k = 0; k < 120 + seconds; k++) {
      const good = 330 + 0.1 * noisy.normal();
      validity.take(0, k < 120 ? good : change(good, k - 120), 1000 * k);
      validity.take(1, 330 + 0.1 * noisy.normal(), 1000 * k);
    }
    return validity;
  };

  test("each way of lying has its name, and the channel reads as NaN", () => {
    const cases: readonly [string, (good: number, k: number) => number][] = [
      ["range", () => 500],
      ["step", (good) => good + 20],
      ["stuck", () => 330.05],
      ["spikes", (good, k) => (k % 5 === 0 ? good + 30 : good)],
    ];
    for (const [name, change] of cases) {
      const validity = after(change);
      expect(said(validity), name).toBe(name);
      expect(validity.value(0)).toBeNaN();
      expect(said(validity, 1)).toBe("well");
      expect(validity.value(1)).toBeCloseTo(330, 0);
    }
    expect(said(after((good) => good))).toBe("well");
  });

  test("one spike is filtered and forgiven", () => {
    const validity = after((good, k) => (k === 59 ? good + 30 : good));
    expect(said(validity)).toBe("well");
    expect(validity.value(0)).toBeLessThan(331);
  });

  test("a step that goes back is believed again, later", () => {
    const validity = after((good, k) => (k < 60 ? good + 20 : good), 60 + 700);
    expect(said(validity)).toBe("well");
  });

  test("readings that come ten seconds late are late", () => {
    const validity = fresh();
    for (let k = 0; k < 60; k++) {
      validity.take(1, 330 + 0.1 * noisy.normal(), 1000 * k);
      if (k >= 10) validity.take(0, 330 + 0.1 * noisy.normal(), 1000 * (k - 10));
    }
    expect(said(validity)).toBe("late");
  });

  test("one clock an hour ahead does not move the time of the others", () => {
    const validity = new Validity([row, row, row, row], () => Number.NaN);
    for (let k = 0; k < 60; k++) {
      for (let i = 0; i < 4; i++) {
        const jump_ms = i === 0 && k > 30 ? 3_600_000 : 0;
        validity.take(i, 330 + 0.1 * noisy.normal(), 1000 * k + jump_ms);
      }
    }
    expect(validity.now_ms).toBe(59_000);
    expect(said(validity, 1)).toBe("well");
    expect(said(validity, 0)).toBe("late");
  });

  test("readings every ten minutes, or twice an hour in a burst, are all heard", () => {
    for (const times of [[600], [1, 3599]]) {
      const validity = new Validity([row, row, row, row], () => Number.NaN);
      let s = 0;
      for (let k = 0; k < 40; k++) {
        s += times[k % times.length] ?? 0;
        for (let i = 0; i < 4; i++) {
          validity.take(i, 330 + 0.1 * noisy.normal(), 1000 * s);
          if (k > 3) expect(validity.now_ms).toBe(1000 * s);
        }
      }
      expect([0, 1, 2, 3].map((i) => validity.code(i))).toEqual([0, 0, 0, 0]);
    }
  });

  test("no input makes it throw or believe what is out of range", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.double(), fc.integer())), (readings) => {
        const validity = fresh();
        for (const [input, value, t_ms] of readings) validity.take(input, value, t_ms);
        const seen = validity.value(0);
        return Number.isNaN(seen) || (seen >= 233.15 && seen <= 423.15);
      }),
    );
  });
});
