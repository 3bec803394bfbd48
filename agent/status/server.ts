//! The loopback HTTP server: the page, what it reads, metrics and health. It only answers questions:
//! nothing can be changed through it.
import { readFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { OperatingError } from "../base/errors.js";
import { packageFile } from "../base/files.js";
import type { Log } from "../base/log.js";
import { Trends } from "./history.js";
import type { Metrics } from "./metrics.js";
import type { Health, View } from "./view.js";

// An import would also load the fetch and the HTTP/2 that node:http re-exports: 14 MB.
const { createServer } = process.getBuiltinModule("node:http");

export type StatusOptions = { readonly host: string; readonly port: number };
export type StatusSources = { view(): View; health(): Health };
export type StatusServer = { readonly port: number; stop(): Promise<void> };

const EVERY_ms = 1_000;
const CLIENTS_MAX = 16;
/** A client that reads this much slower than a second a view is let go. */
const UNREAD_BYTES_MAX = 4_194_304;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
} as const;

type Asset = { readonly type: string; readonly file: string };
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";
const own = (file: string, type: string): Asset => ({ type, file: packageFile(file) });
const uplot = (file: string, type: string): Asset => {
  const entry = createRequire(import.meta.url).resolve("uplot");
  return { type, file: join(dirname(entry), file) };
};
const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", own("agent/status/page/index.html", "text/html; charset=utf-8")],
  ["/page.css", own("agent/status/page/page.css", STYLE)],
  ...["page", "dom", "plots", "tables"].map(
    (name) => [`/${name}.js`, own(`dist/agent/status/page/${name}.js`, SCRIPT)] as const,
  ),
  ["/uplot.js", uplot("uPlot.esm.js", SCRIPT)],
  ["/uplot.css", uplot("uPlot.min.css", STYLE)],
]);

/** Resolves once it listens; port 0 takes a free one. Throws OperatingError when it cannot. */
export async function startStatusServer(
  options: StatusOptions,
  sources: StatusSources,
  log: Log,
): Promise<StatusServer> {
  const trends = new Trends();
  let metrics: Promise<Metrics> | null = null;
  // Loaded when first asked for: where nobody scrapes, prom-client is 8 MB for nothing.
  const metricsOf = (): Promise<Metrics> => {
    metrics ??= import("./metrics.js").then(({ openMetrics }) => openMetrics());
    return metrics;
  };
  const clients = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response, { options, sources, trends, metricsOf, clients }).catch((error) => {
      log.error({ error: String(error) }, "the page could not be served");
      response.destroy();
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  await listen(server, options);
  const timer = setInterval(() => {
    let event: string;
    try {
      const view = sources.view();
      trends.note(view);
      if (clients.size === 0) return;
      event = `data: ${printView(view)}\n\n`;
    } catch (error) {
      // A fault of the page must not end what watches the machines.
      log.error({ error: String(error) }, "the page cannot be made");
      return;
    }
    for (const client of clients) {
      if (client.writableLength > UNREAD_BYTES_MAX) client.destroy();
      else client.write(event);
    }
  }, EVERY_ms);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async stop(): Promise<void> {
      clearInterval(timer);
      for (const client of clients) client.end();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, { host, port }: StatusOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const what = `the page cannot listen on ${host}:${port}: ${error.message}`;
      const instead = "write another http.port, or http: { enabled: false }";
      reject(new OperatingError("http-listen", `${what}; ${instead}`, error));
    });
    server.listen(port, host, resolve);
  });
}

type Parts = {
  readonly options: StatusOptions;
  readonly sources: StatusSources;
  readonly trends: Trends;
  readonly metricsOf: () => Promise<Metrics>;
  readonly clients: Set<ServerResponse>;
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: Parts,
): Promise<void> {
  const send = (status: number, type: string, body: string | Buffer): void => {
    response.writeHead(status, { ...HEADERS, "Content-Type": type });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const json = (status: number, body: string): void => send(status, "application/json", body);
  // A foreign name that resolves to this address would let its page read ours (DNS rebinding).
  if (!isOurs(request.headers.host ?? "", parts.options.host)) {
    return send(403, "text/plain", "this host name is not served here\n");
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return send(405, "text/plain", "only GET and HEAD\n");
  }
  // No URL parser: it would take `//name` for a host.
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const asset = ASSETS.get(path);
  if (asset !== undefined) return send(200, asset.type, readFileSync(asset.file));
  const { sources, trends, metricsOf } = parts;
  switch (path) {
    case "/api/view":
      return json(200, printView(sources.view()));
    case "/api/history": {
      const asked = new URLSearchParams(query);
      const trend = trends.get(asked.get("asset") ?? "", asked.get("channel") ?? "");
      return trend === null ? json(404, "{}") : json(200, JSON.stringify(trend));
    }
    case "/api/stream":
      return stream(request, response, parts);
    case "/metrics": {
      const metrics = await metricsOf();
      return send(200, metrics.contentType, await metrics.text(sources.view()));
    }
    case "/healthz": {
      const health = sources.health();
      return json(health.ok ? 200 : 503, JSON.stringify(health));
    }
    default:
      return send(404, "text/plain", "there is nothing here; try /, /metrics or /healthz\n");
  }
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  { clients, sources }: Parts,
): void {
  if (clients.size >= CLIENTS_MAX || request.method === "HEAD") {
    response.writeHead(503, { ...HEADERS, "Retry-After": "10" });
    response.end();
    return;
  }
  response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream" });
  response.write(`data: ${printView(sources.view())}\n\n`);
  clients.add(response);
  response.on("close", () => clients.delete(response));
}

function isOurs(host: string, configured: string): boolean {
  return LOOPBACK.test(host) || host.replace(/:\d+$/, "") === configured;
}

/** JSON has no typed arrays; spectra need no more than five digits on a screen. */
function printView(view: View): string {
  return JSON.stringify(view, (_, value: unknown) =>
    value instanceof Float32Array ? Array.from(value, (one) => Number(one.toPrecision(5))) : value,
  );
}
