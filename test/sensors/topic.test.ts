import fc from "fast-check";
import { expect, test } from "vitest";
import type { MqttBinding } from "../../agent/sensors/decode.js";
import { router, subscriptionsOf } from "../../agent/sensors/route.js";
import { covers, levelOf } from "../../agent/sensors/topic.js";
import { channel, Kept } from "./intake.js";

const bound = (topic: string, id = 0, qos: 0 | 1 = 0) => {
  const binding: MqttBinding = {
    topic,
    qos,
    codec: "number",
    path: null,
    time: null,
    unitPath: null,
    timeUnit: "ms",
  };
  return { channel: channel({ id, pattern: /[+#]/.test(topic) }), binding };
};

test.each([
  ["plant/+/accel", "plant/wt07/accel", "wt07"],
  ["plant/+/accel", "plant/wt-07_a/accel", "wt-07_a"],
  ["plant/+/accel", "plant/wt07/speed", null],
  ["plant/+/accel", "plant/wt07", null],
  ["plant/+/accel", "plant/wt07/accel/x", null],
  ["plant/+/+", "plant/wt07/accel", "wt07-accel"],
  ["plant/#", "plant/a/b", "a-b"],
  ["plant/#", "plants/a", null],
  ["#", "plant/a", "plant-a"],
  ["#", "$SYS/uptime", null],
  ["+/uptime", "$SYS/uptime", null],
  ["$SYS/#", "$SYS/uptime", "uptime"],
  ["$share/g/plant/+", "plant/a", "a"],
])("under %s the topic %s has the level %j", (filter, topic, level) => {
  expect(levelOf(filter, topic)).toBe(level);
});

test("a level is a name, and two topics never share one", () => {
  expect(levelOf("plant/+", "plant/a.b")).toMatch(/^a_b-[0-9a-f]{8}$/);
  expect(levelOf("plant/+", "plant/")).toMatch(/^[0-9a-f]{8}$/);
  const topic = fc.array(fc.string({ unit: fc.constantFrom("a", "-", ".", "_") }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.constantFrom("#", "+", "+/+", "+/#"), topic, topic, (filter, a, b) => {
      const [one, two] = [levelOf(filter, a.join("/")), levelOf(filter, b.join("/"))];
      if (one !== null) expect(one).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
      if (a.join("/") !== b.join("/") && one !== null) expect(one).not.toBe(two);
    }),
    { numRuns: 2_000 },
  );
});

test("a filter that another covers is not subscribed, and its QoS is kept", () => {
  expect(covers("a/#", "a/+/c")).toBe(true);
  expect(covers("a/+", "a/#")).toBe(false);
  expect(covers("a/+/c", "a/b/+")).toBe(false);
  const list = ["a/b", "a/+", "a/#", "c/d", "c/d", "$share/g/e"].map((t, i) =>
    bound(t, i, i === 0 || i === 4 ? 1 : 0),
  );
  expect([...subscriptionsOf(list)]).toEqual([
    ["a/#", 1],
    ["c/d", 1],
    ["$share/g/e", 0],
  ]);
});

test("every binding that a topic matches is served, plain and pattern alike", () => {
  const list = [bound("a/b", 0), bound("a/b", 1), bound("a/+", 2), bound("+/b", 3), bound("x", 4)];
  const subscribed = subscriptionsOf(list);
  const routeOf = router(list, subscribed);
  const intake = new Kept();
  const route = routeOf("a/b", intake);
  expect(route?.targets.map((t) => t.channel.id)).toEqual([0, 1, 100, 101]);
  expect(route?.copies).toBe(2);
  expect(routeOf("a/b", intake)).toBe(route);
  expect(routeOf("q", intake)).toBeNull();
  expect(intake.rejects).toEqual([{ reason: "unknown-topic", channel: null, where: "q" }]);
});

test("levels beyond the bound are not served, and every one of their messages asks", () => {
  const list = [bound("a/+", 7)];
  const routeOf = router(list, subscriptionsOf(list));
  const intake = new Kept();
  intake.levels_max = 2;
  const ids = ["a/1", "a/2", "a/3", "a/3", "a/1"].map((t) => routeOf(t, intake)?.targets[0]);
  expect(ids.map((t) => t?.channel.id)).toEqual([100, 101, undefined, undefined, 100]);
  expect(intake.reasons).toEqual([]); // the Intake counts too-many-levels itself
});

test("a literal topic that looks like another's hash gets a level of its own", () => {
  const list = [bound("a/+", 7)];
  const routeOf = router(list, subscriptionsOf(list));
  const intake = new Kept();
  const odd = levelOf("a/+", "a/x.y") ?? "";
  routeOf("a/x.y", intake);
  routeOf(`a/${odd}`, intake);
  expect(intake.levels.size).toBe(2);
});
