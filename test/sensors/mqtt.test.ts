import { createServer } from "node:net";
import { Aedes } from "aedes";
import { expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import type { Intake } from "../../agent/base/telemetry.js";
import { mqttSource } from "../../agent/sensors/mqtt.js";
import { freePort } from "../fixtures/mosquitto.js";

test("a broker that refuses the first connection is tried again", async () => {
  let refusals = 0;
  const broker = await Aedes.createBroker({
    authenticate: (_client, _user, _password, done) => done(null, ++refusals > 1),
  });
  const server = createServer(broker.handle);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const links: boolean[] = [];
  let connected = (): void => {};
  const up = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const intake: Intake = {
    push() {},
    reject() {},
    level: () => null,
    link(_name, isUp) {
      links.push(isUp);
      if (isUp) connected();
    },
    refuse() {},
    now: () => 0,
  };
  const source = mqttSource(
    {
      url: `mqtt://127.0.0.1:${port}`,
      protocolVersion: 4,
      clientId: "refused-once",
      username: null,
      password: null,
      keepalive_s: 30,
      tls: { ca: null, cert: null, key: null, rejectUnauthorized: true },
    },
    [],
    silentLog,
  );
  await source.start(intake);
  await up;
  expect(refusals).toBe(2);
  expect(links[0]).toBe(false);
  await source.stop();
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
