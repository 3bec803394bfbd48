import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import type { Command } from "../../agent/alerts/alarm.js";
import { type Alarms, applyCommand } from "../../agent/alerts/apply.js";
import { type Commands, startCommands } from "../../agent/alerts/commands.js";
import { MOSQUITTO } from "../fixtures/mosquitto.js";
import { churn, eachWithGateway, hear, link, now, peer, start } from "./gateway.js";
import { pause, until } from "./listen.js";
import { HSS, NOW_ms, PLACE } from "./sample.js";

describe.skipIf(MOSQUITTO === null)("commands", () => {
  eachWithGateway();

  const ask = async (verb: string, payload: string, retain = false) => {
    const client = mqtt.connect(peer.url);
    const topic = `sterna/v1/site-a/wt07/alarm/${HSS.rule}/cmd/${verb}`;
    await client.publishAsync(topic, payload, { qos: 1, retain });
    await client.endAsync();
  };

  /** Until the broker has granted the subscription a command would go nowhere: again. */
  const askUntil = async (heard: unknown[], count: number, verb: string, payload: string) => {
    while (heard.length < count) {
      await ask(verb, payload);
      await pause(20);
    }
  };

  test("are applied once, answered, and answered alike when sent twice", async () => {
    await peer.start();
    start(peer.url);
    const alarms: Alarms = new Map();
    const taken: Command[] = [];
    const commands: Commands = startCommands(link, PLACE, ["wt07"], now, (command) => {
      taken.push(command);
      commands.answer(command, applyCommand(PLACE, alarms, command, NOW_ms), NOW_ms);
    });
    link.start();
    const heard = await hear("sterna/v1/+/+/alarm/+/cmd/answer");
    await until(() => link.up);
    churn(alarms, "wt07", 1);
    await askUntil(heard, 2, "ack", '{"id":"c1","who":"ann"}');
    expect(new Set(heard.map(({ payload }) => payload)).size).toBe(1);
    expect(JSON.parse(heard[0]?.payload ?? "")).toEqual({
      id: "c1",
      verb: "ack",
      ok: true,
      reason: null,
      state: "acknowledged",
      seq: 2,
      time: "2026-11-23T14:58:06.123Z",
    });
    await ask("ack", '{"id":"c2","who":"bob"}');
    const last = () => JSON.parse(heard.at(-1)?.payload ?? "");
    await until(() => last().id === "c2");
    expect(last()).toMatchObject({ ok: false, id: "c2" });
    expect(taken.map(({ id }) => id)).toEqual(["c1", "c2"]);
  });

  test.each([
    ["akc", '{"id":"c","who":"a"}', false, /no such command; one of ack/],
    ["ack", "", false, /no JSON object/],
    ["ack", "[1]", false, /no JSON object/],
    ["ack", '{"who":"a"}', false, /"id" must be/],
    ["ack", '{"id":"c","who":7}', false, /"who" must be/],
    ["ack", `{"id":"c","who":"${"a".repeat(65)}"}`, false, /"who" must be/],
    ["ack", '{"id":"c","who":"a","why":[]}', false, /"why" must be/],
    ["shelve", '{"id":"c","who":"a","until":"tomorrow"}', false, /"until" must be/],
    ["shelve", '{"id":"c","who":"a","untill":"x"}', false, /unknown key/],
    ["ack", `{"id":"c","who":"a","why":"${"x".repeat(9_000)}"}`, false, /longer than/],
    ["ack", '{"id":"c","who":"a"}', true, /must not be retained/],
  ])("a bad %s %s is answered with the reason (%#)", async (verb, payload, retain, reason) => {
    await peer.start();
    if (retain) await ask(verb, payload, true);
    start(peer.url);
    startCommands(link, PLACE, ["wt07"], now, () => expect.unreachable());
    const heard = await hear("sterna/v1/+/+/alarm/+/cmd/answer");
    link.start();
    await until(() => link.up);
    if (!retain) await askUntil(heard, 1, verb, payload);
    await until(() => heard.length > 0);
    expect(JSON.parse(heard[0]?.payload ?? "").reason).toMatch(reason);
  });
});
