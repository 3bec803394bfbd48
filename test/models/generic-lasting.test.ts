//! When a generic machine is off, and when it is well: both sides of each span.
import { expect, test } from "vitest";
import { Calm, Lasting } from "../../agent/models/generic-lasting.js";

const HOUR_s = 3600;
/** The last index after so many hours of it. */
const after = (lasting: Lasting, index: number, hours: number): number => {
  let said = Number.NaN;
  for (let h = 0; h < hours; h++) said = lasting.take(index, HOUR_s);
  return said;
};

test("the machine is off after six hours beyond the limit, not after five", () => {
  const lasting = new Lasting();
  expect(after(lasting, 5, 5)).toBe(4);
  expect(lasting.take(5, HOUR_s)).toBe(5);
});

test("what shows for five hours of each day adds up; five of each second day does not", () => {
  const days = (calm_hours: number): number => {
    const lasting = new Lasting();
    for (let day = 1; day <= 10; day++) {
      if (after(lasting, 5, 5) > 4) return day;
      expect(after(lasting, 1, calm_hours)).toBe(1);
    }
    return Number.POSITIVE_INFINITY;
  };
  expect(days(19)).toBe(2);
  expect(days(43)).toBe(Number.POSITIVE_INFINITY);
});

test("it is well after 36 calm hours in a row; silence and hours not judged count for neither", () => {
  const lasting = new Lasting();
  expect(after(lasting, 5, 6)).toBe(5);
  expect(after(lasting, 1, 35)).toBe(2.4);
  expect(lasting.take(2.5, HOUR_s)).toBe(2.5); // not calm: begins anew
  expect(after(lasting, 1, 35)).toBe(2.4);
  expect(lasting.take(1, 0)).toBe(2.4); // behind a silence
  expect(lasting.take(Number.NaN, HOUR_s)).toBeNaN();
  const again = new Lasting();
  again.restore(JSON.parse(JSON.stringify(lasting.save())));
  for (const one of [lasting, again]) {
    expect(one.take(1, HOUR_s)).toBe(1);
    expect(after(one, 5, 5)).toBe(4);
  }
});

test("damaged memory is as none", () => {
  for (const kept of [null, 3, { over_s: "x", calm_s: -1, on: 1 }]) {
    const lasting = new Lasting();
    lasting.restore(kept);
    expect(after(lasting, 5, 5)).toBe(4);
  }
  const calm = new Calm();
  calm.restore("x");
  expect(calm.take(0, 35 * HOUR_s)).toBe(false);
  expect(calm.take(0, HOUR_s)).toBe(true);
});
