import fc from "fast-check";
import { expect, test } from "vitest";
import { tritCounter } from "../../agent/base/trits.js";

test("rows are counted alike by words and one by one, and what is no trit is found", () => {
  const weights = fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(weights, fc.integer({ min: -128, max: 127 }), fc.nat(39), (row, odd, at) => {
      const plus = row.filter((w) => w === 1).length;
      const minus = row.filter((w) => w === -1).length;
      // Both at the beginning of a word and beside it.
      for (const shift of [0, 1]) {
        const bytes = new Int8Array(row.length + shift);
        bytes.set(row, shift);
        const own = bytes.subarray(shift);
        expect(tritCounter(own, row.length)(0)).toEqual({ plus, minus });
        own[at % row.length] = odd;
        const found = tritCounter(own, row.length)(0);
        expect(found === null).toBe(odd < -1 || odd > 1);
      }
    }),
  );
});
