import { describe, expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { encodeBlock } from "../../agent/sensors/block.js";
import { mqttSource } from "../../agent/sensors/mqtt.js";
import { MOSQUITTO } from "../fixtures/mosquitto.js";
import { Kept } from "./intake.js";
import {
  bound,
  broker,
  celsius,
  eachCleansUp,
  isUp,
  OPTIONS,
  publisher,
  started,
  until,
} from "./telemetry.js";

eachCleansUp();

describe.skipIf(MOSQUITTO === null)("with Mosquitto", () => {
  test.each([
    [4, 0],
    [4, 1],
    [5, 0],
    [5, 1],
  ] as const)("protocol %i, QoS %i: values arrive in order", async (protocolVersion, qos) => {
    const { url } = await broker();
    const intake = await started({ url, protocolVersion }, [bound("plant/oil", { qos })]);
    await until(isUp(intake));
    const client = await publisher(url);
    for (let i = 0; i < 100; i++) client.publish("plant/oil", String(i), { qos });
    await until(() => intake.items.length === 100);
    const expected = Array.from({ length: 100 }, (_, i) => i);
    expect(celsius(intake).map(Math.round)).toEqual(expected);
    expect(intake.rejects).toEqual([]);
  });

  test("a broker absent at start is said once, and found when it comes", async () => {
    const server = await broker({ started: false });
    const intake = await started({ url: server.url }, [bound("plant/oil")]);
    await until(() => intake.links.length > 0);
    expect(intake.links).toHaveLength(1);
    expect(intake.links[0]).toMatchObject({ up: false });
    expect(intake.links[0]?.why).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    await server.start();
    await until(isUp(intake));
    expect(intake.links).toHaveLength(2);
    (await publisher(server.url)).publish("plant/oil", "20");
    await until(() => intake.items.length === 1);
  });

  test.each([4, 5] as const)("protocol %i: killed and restarted, it goes on", async (version) => {
    const server = await broker();
    const options = { url: server.url, protocolVersion: version };
    const intake = await started(options, [bound("plant/oil"), bound("plant/+/t", {}, 1)]);
    await until(isUp(intake));
    for (let round = 0; round < 3; round++) {
      await server.kill();
      await until(() => !isUp(intake)());
      await server.start();
      await until(isUp(intake));
      const client = await publisher(server.url);
      client.publish("plant/oil", String(round));
      client.publish("plant/a/t", String(round));
      await until(() => intake.items.length === 2 * (round + 1));
      await client.endAsync(true);
    }
    expect(celsius(intake).map(Math.round)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test.each([4, 5] as const)("protocol %i: bad credentials are said plainly", async (version) => {
    const user = { name: "sterna", password: "right" };
    const { url } = await broker({ user });
    const options = { url, protocolVersion: version, username: "sterna" };
    const refused = await started({ ...options, password: "wrong-secret" }, [bound("x")]);
    await until(() => refused.links.length > 0);
    expect(refused.links[0]?.why).toContain('refuses the user name or password of "sterna"');
    expect(JSON.stringify(refused.links)).not.toContain("wrong-secret");
    const nameless = await started({ url, protocolVersion: version }, [bound("x")]);
    await until(() => nameless.links.length > 0);
    expect(nameless.links[0]?.why).toContain("set mqtt.username");
    const welcome = await started({ ...options, password: "right" }, [bound("x")]);
    await until(isUp(welcome));
  });

  test("TLS: with its authority it connects, without it says what to set", async () => {
    const { tlsUrl, ca, url } = await broker({ tls: true });
    const trusting = await started({ url: tlsUrl, tls: { ...OPTIONS.tls, ca } }, [bound("x")]);
    await until(isUp(trusting));
    (await publisher(url)).publish("x", "1");
    await until(() => trusting.items.length === 1);
    const careful = await started({ url: tlsUrl }, [bound("x")]);
    await until(() => careful.links.length > 0);
    expect(careful.links[0]).toMatchObject({ up: false });
    expect(careful.links[0]?.why).toContain("set mqtt.ca");
  });

  test("every bad payload is a named reject, and the good one after it counts", async () => {
    const { url } = await broker();
    const json = { codec: "json", path: "$.v", time: "$.t" } as const;
    const channels = [bound("n"), bound("j", json, 1), bound("b", { codec: "block" }, 2)];
    const intake = await started({ url }, channels);
    await until(isUp(intake));
    const client = await publisher(url);
    const send = (topic: string, payload: string | Buffer): void => {
      client.publish(topic, payload, { qos: 1 });
    };
    for (const bad of ["", "NaN", "Infinity", "abc", "900"]) send("n", bad);
    const texts = ["", '{"v":', "{}", '{"v":"x"}', '{"v":1e999}', '{"v":1,"t":"x"}'];
    for (const bad of texts) send("j", bad);
    send("j", Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    send("b", Buffer.from("binary garbage that is no block at all, however long it is"));
    for (const topic of ["n", "j", "b"]) send(topic, Buffer.alloc(10_000_000, "1"));
    send("n", "20");
    send("j", '{"v":21,"t":5}');
    const header = { fs_hz: 100, t_ms: 7, scale: 1, rpm: null, unit: "m/s2" };
    send("b", Buffer.from(encodeBlock(header, new Int16Array([1, 2]))));
    await until(() => intake.items.length === 3);
    const by = (id: number) => intake.rejects.filter((r) => r.channel === id).map((r) => r.reason);
    expect(by(0)).toEqual([
      "empty",
      "not-finite",
      "not-finite",
      "wrong-type",
      "out-of-range",
      "too-long",
    ]);
    expect(by(1)).toEqual([
      "empty",
      "malformed",
      "missing-field",
      "wrong-type",
      "not-finite",
      "wrong-type",
      "malformed",
      "too-long",
    ]);
    expect(by(2)).toEqual(["malformed", "too-long"]);
    expect(intake.items.map((i) => i.channel)).toEqual([0, 1, 2]);
  });

  test("each topic of a pattern is a level; channels may share a topic", async () => {
    const { url } = await broker();
    const at = (path: string) => ({ codec: "json", path }) as const;
    const channels = [
      bound("plant/+/x", at("$.a"), 0),
      bound("plant/+/x", at("$.b"), 1),
      bound("plant/one/x", at("$.a"), 2),
    ];
    const intake = await started({ url }, channels);
    intake.levels_max = 3;
    await until(isUp(intake));
    const client = await publisher(url);
    for (const name of ["one", "two", "three"]) client.publish(`plant/${name}/x`, '{"a":1,"b":2}');
    await until(() => intake.items.length === 4);
    expect([...intake.levels]).toEqual([
      ["0.one", 100],
      ["1.one", 101],
      ["0.two", 102],
    ]);
    expect(intake.samples.map((s) => s.channel)).toEqual([2, 100, 101, 102]);
  });

  test.each([4, 5] as const)("protocol %i: overlapping patterns count once", async (version) => {
    const { url } = await broker();
    const channels = [bound("p/+/t", {}, 0), bound("p/a/+", {}, 1), bound("p/a/t", {}, 2)];
    const intake = await started({ url, protocolVersion: version }, channels);
    await until(isUp(intake));
    const client = await publisher(url);
    for (const payload of ["1", "2", "3"]) client.publish("p/a/t", payload, { qos: 1 });
    client.publish("p/b/t", "4", { qos: 1 });
    await until(() => celsius(intake).some((v) => Math.round(v) === 4));
    const of = (id: number) =>
      intake.samples.filter((s) => s.channel === id).map((s) => Math.round(s.value - 273.15));
    expect(of(2)).toEqual([1, 2, 3]);
    expect(of(100)).toEqual([1, 2, 3]);
    expect(of(101)).toEqual([1, 2, 3]);
    expect(intake.samples).toHaveLength(10);
  });

  test("a retained value without a time is uncertain, the next one is not", async () => {
    const { url } = await broker();
    const client = await publisher(url);
    await client.publishAsync("plant/oil", "1", { retain: true, qos: 1 });
    const intake = await started({ url }, [bound("plant/oil")]);
    await until(() => intake.items.length === 1);
    client.publish("plant/oil", "2", { retain: true });
    await until(() => intake.items.length === 2);
    expect(intake.samples.map((s) => s.quality)).toEqual(["uncertain", "good"]);
  });

  test("after stop nothing arrives and nothing is tried", async () => {
    const server = await broker();
    const intake = new Kept();
    const source = mqttSource({ ...OPTIONS, url: server.url }, [bound("x")], silentLog);
    await source.start(intake);
    await until(isUp(intake));
    await source.stop();
    const { length } = intake.links;
    await (await publisher(server.url)).publishAsync("x", "1", { qos: 1 });
    await server.restart();
    expect(intake.items).toEqual([]);
    expect(intake.links).toHaveLength(length);
  });
});
