//! The demo's MQTT broker, on a free loopback port.
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { OperatingError } from "../../base/errors.js";

export type RunningBroker = { readonly url: string; stop(): Promise<void> };

export async function startBroker(): Promise<RunningBroker> {
  const broker = await Aedes.createBroker();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new OperatingError("demo-port", "no free loopback port for the demo's broker");
  }
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    async stop(): Promise<void> {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
