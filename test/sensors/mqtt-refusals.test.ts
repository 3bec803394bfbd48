import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { describe, expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { explain, mqttSource, retryWait_ms } from "../../agent/sensors/mqtt.js";
import { Kept } from "./intake.js";
import {
  bound,
  cleanups,
  eachCleansUp,
  isUp,
  OPTIONS,
  publisher,
  started,
  until,
} from "./telemetry.js";

eachCleansUp();

describe("with a broker of its own mind", () => {
  async function aedes(): Promise<{ url: string; own: Aedes }> {
    const own = await Aedes.createBroker();
    const server = createServer(own.handle).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(async () => {
      await new Promise<void>((done) => own.close(done));
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return { url: `mqtt://127.0.0.1:${address.port}`, own };
  }

  test("a topic that nobody asked for is counted, not used", async () => {
    const { url, own } = await aedes();
    const arrived = once(own, "client");
    const intake = await started({ url }, [bound("x")]);
    const [client] = await arrived;
    await until(isUp(intake));
    const packet = { cmd: "publish", qos: 0, dup: false, retain: false, payload: "1" };
    client.publish({ ...packet, topic: "surprise" }, () => {});
    client.publish({ ...packet, topic: "x" }, () => {});
    await until(() => intake.items.length === 1);
    expect(intake.rejects).toEqual([{ reason: "unknown-topic", channel: null, where: "surprise" }]);
  });

  test("a refused subscription refuses its channels, and the others go on", async () => {
    const { url, own } = await aedes();
    own.authorizeSubscribe = (_client, subscription, answer) =>
      answer(null, subscription.topic.startsWith("secret") ? null : subscription);
    const intake = await started({ url }, [bound("secret/oil"), bound("open/oil", {}, 1)]);
    await until(isUp(intake));
    expect(intake.refusals).toHaveLength(1);
    expect(intake.refusals[0]).toContain('"secret/oil"');
    (await publisher(url)).publish("open/oil", "20");
    await until(() => intake.items.length === 1);
  });

  test("a broker that refuses while it starts is asked again", async () => {
    const { url, own } = await aedes();
    let refusals = 2;
    own.preConnect = (_client, _packet, answer) => answer(null, true);
    own.authenticate = (_client, _user, _password, answer) => {
      refusals -= 1;
      if (refusals >= 0) answer(Object.assign(new Error("busy"), { returnCode: 3 }), false);
      else answer(null, true);
    };
    const intake = await started({ url }, [bound("x")]);
    await until(isUp(intake));
    expect(intake.links[0]?.why).toContain("Server unavailable");
  });

  test("what can never work is an error at start, without the password of the URL", async () => {
    const url = "mqtts://me:secret@localhost:1";
    const tls = { ...OPTIONS.tls, ca: "no", cert: "no", key: "no" };
    const source = mqttSource({ ...OPTIONS, url, tls }, [bound("x")], silentLog);
    const failed = source.start(new Kept());
    await expect(failed).rejects.toMatchObject({ code: "mqtt-unusable" });
    await expect(failed).rejects.not.toThrow("secret");
  });
});

test("waits grow, are spread, and stay bounded", () => {
  expect(retryWait_ms(0, 0)).toBe(250);
  expect(retryWait_ms(0, 0.999)).toBeLessThanOrEqual(500);
  expect(retryWait_ms(3, 0)).toBe(2_000);
  for (const failures of [5, 50, 5_000]) {
    expect(retryWait_ms(failures, 0)).toBe(7_500);
    expect(retryWait_ms(failures, 0.999_999)).toBe(15_000);
  }
});

test("an error without a message is its code", () => {
  const error = Object.assign(new Error(""), { code: "ECONNREFUSED" });
  expect(explain(error, null)).toBe("ECONNREFUSED");
});
