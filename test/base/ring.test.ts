import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring } from "../../agent/base/ring.js";

test("a ring keeps the newest items in order and counts what it dropped", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (capacity, items) => {
      const ring = new Ring<number>(capacity);
      for (const item of items) ring.push(item);
      expect(ring.dropped).toBe(Math.max(0, items.length - capacity));
      expect(ring.take(items.length)).toEqual(items.slice(-capacity));
      expect(ring.length).toBe(0);
    }),
  );
});
