//! A network between agent and broker that can swallow what the agent sends: bytes that its kernel
//! took and no broker ever saw, as when a radio link drops.
import { connect, createServer, type Socket } from "node:net";

export type Proxy = {
  readonly url: string;
  /** From now on what the agent sends is lost, until the next connection. */
  swallow(): void;
  close(): Promise<void>;
};

export async function proxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let lossy = new Set<Socket>();
  const server = createServer((agent) => {
    const peer = connect(Number(port), hostname);
    for (const socket of [agent, peer]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        agent.destroy();
        peer.destroy();
      });
    }
    agent.on("data", (data) => {
      if (!lossy.has(agent)) peer.write(data);
    });
    peer.on("data", (data) => agent.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    swallow() {
      lossy = new Set(open);
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
