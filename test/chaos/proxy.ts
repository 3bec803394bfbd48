//! A network between agent and broker that can swallow what the agent sends: bytes that its kernel
//! took and no broker ever saw, as when a radio link drops.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "../../agent/cli/demo/opcua-server.js";

export type Proxy = {
  readonly url: string;
  /** Lets the agent through; until then its connections are refused. */
  open(): Promise<void>;
  /** Ends what is open, and refuses what comes. */
  shut(): Promise<void>;
  /** From now on what the agent sends is lost, until the next connection. */
  swallow(): void;
};

/** Shut at first. */
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
  const own = await freePort();
  return {
    url: `mqtt://127.0.0.1:${own}`,
    async open() {
      server.listen(own, "127.0.0.1");
      await once(server, "listening");
    },
    swallow() {
      lossy = new Set(open);
    },
    async shut() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
