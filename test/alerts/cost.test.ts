import fc from "fast-check";
import { expect, test } from "vitest";
import { costFor, costOf, energyOf } from "../../agent/alerts/cost.js";
import { raise } from "../../agent/alerts/lifecycle.js";
import { stateDocument } from "../../agent/alerts/message.js";
import { unit } from "../../agent/units/index.js";
import { parsePrice } from "../../agent/units/price.js";
import { alarmOf, HSS, NOW_ms, PLACE } from "./sample.js";

const ALARM = alarmOf(raise(undefined, HSS, NOW_ms));

const [MW, h, EUR, J] = [unit("MW"), unit("h"), unit("EUR"), unit("J")];

test("2 MW lost for 3 h at 0.08 EUR/kWh are 480 EUR", () => {
  expect(EUR.of(costOf(energyOf(MW(2), h(3)), unit("EUR/kWh")(0.08)))).toBeCloseTo(480, 9);
});

test("a price is money per energy, in any currency and spelling", () => {
  const price = parsePrice("0.12 EUR/kWh");
  if (typeof price === "string") throw new Error(price);
  expect(costFor(price, J(3.6e9))).toEqual({ v: expect.closeTo(120, 9), u: "EUR" });
  expect(parsePrice("120 USD/MW/h")).toMatchObject({ currency: "USD" });
  expect(costFor(price, J(-5))).toEqual({ v: 0, u: "EUR" });
});

test.each(["0.12", "0.12 EUR", "0.12 EUR/kW", "EUR/kWh", "-1 EUR/kWh", "", "1 EUR.kWh"])(
  "the price %j is refused",
  (text) => expect(parsePrice(text)).toMatchSnapshot(),
);

test("cost grows with energy and price, in proportion", () => {
  const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(positive, positive, (lost_J, perJoule) => {
      const once = costFor({ perJoule, currency: "EUR" }, J(lost_J)).v;
      expect(costFor({ perJoule, currency: "EUR" }, J(lost_J * 2)).v / once).toBeCloseTo(2, 9);
      expect(costFor({ perJoule: perJoule * 2, currency: "EUR" }, J(lost_J)).v / once).toBeCloseTo(
        2,
        9,
      );
    }),
  );
});

test("the payload says the cost where there is one, and nothing where not", () => {
  const cost = { v: 42.5, u: "EUR" };
  expect(JSON.parse(stateDocument({ ...ALARM, cost }, PLACE)).data.cost).toEqual(cost);
  expect(JSON.parse(stateDocument(ALARM, PLACE)).data).not.toHaveProperty("cost");
});
