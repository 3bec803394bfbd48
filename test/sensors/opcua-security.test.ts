import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { packageFile } from "../../agent/base/files.js";
import { type RunningOpcuaServer, startOpcuaServer } from "../../agent/cli/demo/opcua-server.js";
import { unitIdOf } from "../../agent/sensors/eu.js";
import { bound, channel, gather, options, stage, unitNode, until } from "./opcua-fixture.js";

const here = stage();
const POWER = "ns=2;s=WT07.Power";
const NODES = [unitNode(POWER, unitIdOf("KWT"), "kW")];
const POWER_CHANNEL = [bound(channel(0, "power", "kW"), POWER)];
const SECURE = { security: "SignAndEncrypt", policy: "Basic256Sha256" } as const;

let server: RunningOpcuaServer | null = null;
let child: ChildProcess | null = null;
afterEach(async () => {
  await here.clear();
  await server?.stop();
  server = null;
  child?.kill("SIGKILL");
  child = null;
});

test("an untrusted server is refused, by name of the file; once trusted, data flows", async () => {
  const stateDir = here.folder();
  server = await startOpcuaServer({ port: 0, stateDir, nodes: NODES, security: "SignAndEncrypt" });
  server.set(POWER, 5, Date.now());
  const pki = here.folder();
  const got = gather();
  await here.source(options(server.endpoint, SECURE), POWER_CHANNEL, pki, got);
  await until("the refusal", () => got.links.length > 0);
  const [file = ""] = readdirSync(join(pki, "rejected"));
  expect(got.links[0]).toContain("BadCertificateUntrusted");
  expect(got.links[0]).toContain(
    `move ${join(pki, "rejected", file)} to ${join(pki, "trusted", "certs")}`,
  );
  expect(got.samples).toEqual([]);

  renameSync(join(pki, "rejected", file), join(pki, "trusted", "certs", basename(file)));
  await until("data", () => got.samples.length > 0);
  await until("the link", () => got.links.at(-1) === "plc up");
});

test("a server without security gets no session when the config asks for it", async () => {
  server = await startOpcuaServer({ port: 0, stateDir: here.folder(), nodes: NODES });
  const got = gather();
  await here.source(options(server.endpoint, SECURE), POWER_CHANNEL, here.folder(), got);
  await until("the refusal", () => got.links.length > 0);
  expect(got.links[0]).toContain("Sterna uses no weaker one by itself");
  expect(got.samples).toEqual([]);
});

test("a user name and its password open a session, a wrong one does not", async () => {
  const { endpoint, pki } = await guarded({ name: "sterna", password: "right" });
  const [wrong, nobody, right] = [gather(), gather(), gather()];
  const login = (password: string) =>
    options(endpoint, { ...SECURE, username: "sterna", password });
  await here.source(login("wrong"), POWER_CHANNEL, pki, wrong);
  await until("the refusal", () => wrong.links.length > 0);
  expect(wrong.links[0]).toContain("BadUserAccessDenied");
  expect(wrong.links[0]).not.toContain("wrong");
  await here.source(options(endpoint, SECURE), POWER_CHANNEL, pki, nobody);
  await until("the refusal", () => nobody.links.length > 0);
  await here.source(login("right"), POWER_CHANNEL, pki, right);
  await until("data", () => right.samples.length > 0);
  expect(wrong.samples.length + nobody.samples.length).toBe(0);
});

test("an X.509 user identity opens a session", async () => {
  const { endpoint, pki } = await guarded({ name: "nobody", password: "nothing" });
  const anonymous = gather();
  await here.source(options(endpoint, SECURE), POWER_CHANNEL, pki, anonymous);
  await until("the refusal", () => anonymous.links.length > 0);
  // The agent's own pair serves as a user's: what counts is the proof of possession.
  const identity = {
    certificate: join(pki, "own", "certs", "client_certificate.pem"),
    privateKey: join(pki, "own", "private", "private_key.pem"),
  };
  const got = gather();
  await here.source(options(endpoint, { ...SECURE, ...identity }), POWER_CHANNEL, pki, got);
  await until("data", () => got.samples.length > 0);
});

/** A secure server without anonymous sessions, already trusted by the store `pki`. */
async function guarded(user: { name: string; password: string }) {
  const stateDir = here.folder();
  const pki = here.folder();
  server = await startOpcuaServer({
    port: 0,
    stateDir,
    nodes: NODES,
    security: "SignAndEncrypt",
    user,
  });
  server.set(POWER, 5, Date.now());
  mkdirSync(join(pki, "trusted", "certs"), { recursive: true });
  copyFileSync(
    join(stateDir, "server", "own", "certs", "certificate.pem"),
    join(pki, "trusted", "certs", "plc.pem"),
  );
  return { endpoint: server.endpoint, pki };
}

test("a server killed without a word: noticed, and data flows from the next one", async () => {
  const stateDir = here.folder();
  const first = await spawnServer(0, stateDir, 1);
  const got = gather();
  await here.source(options(first), POWER_CHANNEL, here.folder(), got);
  await until("data", () => got.samples.at(-1)?.value === 1_000);
  child?.kill("SIGKILL");
  await until("the loss is said", () => got.links.at(-1)?.includes("down") ?? false);
  await spawnServer(Number(first.split(":").at(-1)), stateDir, 2);
  await until("data again", () => got.samples.at(-1)?.value === 2_000);
});

/** The demo server in a process of its own, so that it can die as processes do. */
async function spawnServer(port: number, stateDir: string, value: number): Promise<string> {
  const file = packageFile("agent/cli/demo/opcua-server.ts");
  const script = `import { startOpcuaServer } from ${JSON.stringify(file)};
    const nodes = ${JSON.stringify(NODES)};
    const stateDir = ${JSON.stringify(stateDir)};
    const server = await startOpcuaServer({ port: ${port}, stateDir, nodes });
    server.set(${JSON.stringify(POWER)}, ${value}, Date.now());
    console.log("at " + server.endpoint);`;
  child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  await Promise.race([
    until("the server's start", () => said.includes("at ")),
    once(child, "exit"),
  ]);
  return /at (\S+)/.exec(said)?.[1] ?? "";
}
