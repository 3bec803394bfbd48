//! Who we are to an OPC UA server and whom we trust: the store on disk, the identity, and what to
//! do by hand when either side says no. Never weakens what the config asks for.
import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { OPCUACertificateManager } from "node-opcua-certificate-manager";
import type { OPCUAClientOptions, UserIdentityInfo } from "node-opcua-client";

export type OpcuaLibrary = typeof import("node-opcua-client");

export type OpcuaOptions = {
  readonly endpoint: string;
  readonly security: "None" | "Sign" | "SignAndEncrypt";
  readonly policy: "None" | "Basic256Sha256" | "Aes128_Sha256_RsaOaep" | "Aes256_Sha256_RsaPss";
  readonly username: string | null;
  readonly password: string | null;
  /** User identity by X.509: PEM text, or the path of a PEM file. */
  readonly certificate: string | null;
  readonly privateKey: string | null;
  readonly publishingInterval_ms: number;
};

const APPLICATION = "Sterna";
const SESSION_TIMEOUT_ms = 60_000;
const TRANSACTION_TIMEOUT_ms = 10_000;

/**
 * The trust list of the connections. Opened anew for each attempt and without file watchers: a
 * certificate that a person moved to `trusted/certs` counts at the next attempt.
 */
export async function openStore(pki_dir: string): Promise<OPCUACertificateManager> {
  mkdirSync(pki_dir, { recursive: true, mode: 0o700 });
  const { OPCUACertificateManager } = await import("node-opcua-certificate-manager");
  const store = new OPCUACertificateManager({
    rootFolder: pki_dir,
    automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  await store.initialize();
  return store;
}

/** The client counts itself in and, after a failed connect, not out again. */
export async function closeStore(store: OPCUACertificateManager): Promise<void> {
  store.referenceCounter = 0;
  await store.dispose();
}

export function securityOf(ua: OpcuaLibrary, options: OpcuaOptions): OPCUAClientOptions {
  if (options.security === "None") {
    return { securityMode: ua.MessageSecurityMode.None, securityPolicy: ua.SecurityPolicy.None };
  }
  // `policy: None` beside a secure mode would sign with nothing; the stricter of the two holds.
  const policy = options.policy === "None" ? "Basic256Sha256" : options.policy;
  return {
    securityMode: ua.MessageSecurityMode[options.security],
    securityPolicy: ua.SecurityPolicy[policy],
  };
}

export function clientOptions(
  ua: OpcuaLibrary,
  options: OpcuaOptions,
  store: OPCUACertificateManager,
): OPCUAClientOptions {
  return {
    ...securityOf(ua, options),
    applicationName: APPLICATION,
    clientName: APPLICATION,
    clientCertificateManager: store,
    // opcua.ts alone reconnects. Two owners made 6,410 sessions in two minutes (telegraf #18787).
    connectionStrategy: { maxRetry: 0 },
    keepSessionAlive: false,
    keepPendingSessionsOnDisconnect: true,
    // A server behind an address translation names itself otherwise; its certificate is checked.
    endpointMustExist: false,
    requestedSessionTimeout: Math.max(SESSION_TIMEOUT_ms, 20 * options.publishingInterval_ms),
    defaultTransactionTimeout: TRANSACTION_TIMEOUT_ms,
  };
}

export function identityOf(ua: OpcuaLibrary, options: OpcuaOptions): UserIdentityInfo {
  if (options.username !== null) {
    return {
      type: ua.UserTokenType.UserName,
      userName: options.username,
      password: options.password ?? "",
    };
  }
  if (options.certificate !== null && options.privateKey !== null) {
    return {
      type: ua.UserTokenType.Certificate,
      certificateData: new X509Certificate(pem(options.certificate)).raw,
      privateKey: pem(options.privateKey),
    };
  }
  return { type: ua.UserTokenType.Anonymous };
}

const pem = (text: string): string =>
  text.includes("-----BEGIN") ? text : readFileSync(text, "utf8");

/** One line for a person: what failed, and which file to move where a certificate is in the way. */
export function explain(error: unknown, pki_dir: string): string {
  const full = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  // The library wraps the cause in guesses and counts its transports: equal causes, equal texts.
  const cause = /\b[Ee]rr ?= ?\((.*?)\)?\)?$/.exec(full)?.[1] ?? full;
  const text = cause.replace(/ClientTCP_transport\d+: /, "").trim();
  if (text.includes("server Certificate verification failed")) {
    return (
      `${text}; if it is the right server, move ${newest(join(pki_dir, "rejected"))} to ` +
      `${join(pki_dir, "trusted", "certs")}`
    );
  }
  if (/BadSecurityChecksFailed|BadCertificateUntrusted/.test(text)) {
    const own = join(pki_dir, "own", "certs", "client_certificate.pem");
    return `${text}; the server does not trust this agent: let it trust ${own}`;
  }
  if (text.includes("Cannot find an Endpoint matching")) {
    return `${text}; the server does not offer it, and Sterna uses no weaker one by itself`;
  }
  return text;
}

function newest(folder: string): string {
  try {
    const files = readdirSync(folder).map((file) => join(folder, file));
    files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    return files[0] ?? `the certificate in ${folder}`;
  } catch {
    return `the certificate in ${folder}`;
  }
}
