import { expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";

test("one stream per seed and purpose, repeatable, uniform and normal", () => {
  const draw = (seed: number, purpose: string) =>
    Array.from(
      { length: 5 },
      (
        (r) => () =>
          r.next()
      )(prng(seed, purpose)),
    );
  expect(draw(7, "wt07/wind")).toEqual(draw(7, "wt07/wind"));
  expect(draw(7, "wt07/wind")).not.toEqual(draw(8, "wt07/wind"));
  expect(draw(7, "wt07/wind")).not.toEqual(draw(7, "wt07/noise"));
  const random = prng(1, "moments");
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 50_000; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
  }
  expect(Math.abs(sum / 50_000)).toBeLessThan(0.02);
  expect(Math.abs(squares / 50_000 - 1)).toBeLessThan(0.03);
});
