import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startPublisher } from "../../agent/alerts/publish.js";
import { openStore } from "../../agent/alerts/store.js";
import { silentLog } from "../../agent/base/log.js";
import { mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};

test.skipIf(mosquittoProgram === null)(
  "an alarm that the broker refused waits, and goes out when it may",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "sterna-publish-"));
    chmodSync(dir, 0o755); // Mosquitto reads the file as a user of its own
    const acl = join(dir, "acl");
    writeFileSync(acl, "topic write status\n");
    const broker = await mosquitto([`acl_file ${acl}`]);
    await broker.start();
    const limits = { outboxBytes_max: 1e6, outboxAge_max_ms: 1e9 };
    const { store } = openStore(join(dir, "state"), limits, 0);
    const message = { topic: "alarm", payload: "{}", retain: false, priority: 2, time_ms: 0 };
    store.commit({ alarms: [], latches: [], messages: [{ ...message, id: "m1" }] }, 0);
    let refusals = 0;
    const log = {
      ...silentLog,
      warn: (_: object, text: string) => {
        if (text.includes("refused")) refusals += 1;
      },
    };
    const status = { topic: "status", online: "1", offline: "0" };
    // MQTT 5: in 3.1.1 a broker has no way to say that it refused a message.
    const options = { protocolVersion: 5, clientId: "alarms", reconnectPeriod: 100 } as const;
    const publisher = startPublisher(broker.url, options, store, status, log);
    await until(() => refusals === 1);
    expect(store.waiting()).toBe(1);
    writeFileSync(acl, "topic write status\ntopic write alarm\n");
    await broker.kill();
    await broker.start();
    await until(() => store.waiting() === 0);
    expect(refusals).toBe(1);
    await publisher.stop();
    store.close();
    await broker.kill();
    rmSync(dir, { recursive: true });
  },
);
