import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { startOpcuaServer } from "../../agent/cli/demo/opcua-server.js";
import { startRun } from "../fixtures/agent.js";
import { mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

const NODE = "ns=1;s=WT07.OilTemp";

test.skipIf(mosquittoProgram === null)("an OPC UA value becomes an alarm over MQTT", async () => {
  const dir = mkdtempSync(join(tmpdir(), "sterna-opcua-"));
  const unit = { unitId: 4408652, displayName: "°C", description: "degree Celsius" };
  const server = await startOpcuaServer({
    port: 0,
    stateDir: join(dir, "server"),
    nodes: [{ nodeId: NODE, name: "OilTemp", unit, range: [0, 120] }],
  });
  const broker = await mosquitto();
  await broker.start();
  const file = join(dir, "sterna.yaml");
  writeFileSync(
    file,
    `gateway: { id: gw, site: site }
mqtt: { url: "${broker.url}" }
store: { dir: ./state }
opcua: { plc: { endpoint: "${server.endpoint}", security: None, publishingInterval: 100 ms } }
assets:
  - id: wt07
    channels: { oilTemp: { opcua: plc, node: "${NODE}", unit: Cel, sampling: 50 ms } }
    rules: [ { id: oil-hot, when: "oilTemp > 80 Cel", severity: warning } ]
`,
  );
  const peer = await mqtt.connectAsync(broker.url);
  await peer.subscribeAsync("sterna/v1/site/wt07/alarm/oil-hot/event", { qos: 1 });
  const heard = new Promise<string>((resolve) => peer.on("message", (_, p) => resolve(`${p}`)));
  const agent = await startRun(file);
  const feed = setInterval(() => server.set(NODE, 85, Date.now()), 100);
  const { data } = JSON.parse(await heard);
  expect(data).toMatchObject({ transition: "raise", value: { v: 85, u: "Cel" } });
  clearInterval(feed);
  expect(await agent.kill("SIGTERM")).toBe(0);
  await peer.endAsync();
  await server.stop();
  await broker.kill();
  rmSync(dir, { recursive: true });
});
