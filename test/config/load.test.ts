import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { ConfigError } from "../../agent/base/errors.js";
import { packageFile } from "../../agent/base/files.js";
import { parsePath } from "../../agent/sensors/decode.js";
import type { Config } from "../../config/config.js";
import { configurationPage } from "../../config/document.js";
import { loadConfig, parseConfig } from "../../config/load.js";
import { jsonPath } from "../../config/texts.js";
import { KINDS } from "./kinds.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string | Uint8Array, env = {}): Config =>
  parseConfig(text, join(folder, "sterna.yaml"), KINDS, env);

/** The shape that users were promised: it must load as it stands. */
const GUIDE = readFileSync(packageFile("test/fixtures/guide.yaml"), "utf8");

test("the config of the guide", () => {
  writeFileSync(join(folder, "mqtt.pass"), "hunter2\n");
  const config = parse(GUIDE);
  expect(config.gateway).toEqual({ id: "gw-north-1", site: "north-ridge" });
  expect(config.mqtt).toMatchObject({
    username: "sterna",
    password: "hunter2",
    protocolVersion: 4,
    keepalive_s: 30,
  });
  expect(config.opcua["wt07-plc"]).toMatchObject({
    security: "SignAndEncrypt",
    policy: "Basic256Sha256",
    publishingInterval_ms: 1_000,
  });
  expect(config.store).toEqual({
    dir: "/var/lib/sterna",
    outboxBytes_max: 200e6,
    outboxAge_max_ms: 7 * 86_400_000,
  });
  const [turbine, line] = config.assets;
  expect(turbine?.nameplate["ratedPower"]?.value).toBe(5e6);
  expect(turbine?.nameplate["hssBearing.rollers"]?.value).toBe(9);
  expect(turbine?.nameplate["hssBearing.ballDiameter"]?.value).toBeCloseTo(0.00794, 12);
  const [power, oil, accel] = turbine?.channels ?? [];
  expect(power?.binding).toEqual({
    via: "opcua",
    server: "wt07-plc",
    node: "ns=2;s=WT07.Power",
    sampling_ms: 1_000,
    overrideUnit: false,
  });
  expect(power?.unit).toMatchObject({ ucum: "kW", factor: 1_000 });
  expect(oil).toMatchObject({ staleAfter_ms: 30_000, shape: "scalar", min: -Infinity });
  expect(accel).toMatchObject({ shape: "block", binding: { via: "mqtt", codec: "block" } });
  expect(turbine?.rules[0]).toMatchObject({
    id: "oil-hot",
    for_ms: 60_000,
    clearFor_ms: 0,
    class: "process",
    source: "config",
  });
  expect(line?.channels[0]?.binding).toMatchObject({ codec: "json", path: "$.v", time: "$.ts" });
  expect(line?.rules[0]).toMatchObject({ clear: null, text: "current > 16 A" });
  expect(config.models[0]).toMatchObject({
    file: join(folder, "models/load.onnx"),
    in: [{ tensor: "x", channels: ["current"], window: 64 }],
    out: [{ tensor: "y", index: 0, channel: "score" }],
  });
});

test("the place of a rule's text is its first character, so that offsets add up", () => {
  const text = `gateway: { id: gw-1, site: demo }
assets:
  - id: line3
    channels: { current: { unit: A } }
    profiles: article
    rules:
      - { id: a, when: "current > 1 A", severity: info }
      - id: b
        when: current > 2 A
        severity: info
      - id: c
        when: |
          current > 3 A
        severity: info
      - { id: d, when: &x 'current > 4 A', severity: info }
      - { id: e, when: *x, severity: info }
`;
  const config = parse(text);
  const lines = text.split("\n");
  const shown = (index: number): string | undefined => {
    const { line, column } = config.where(["assets", 0, "rules", index, "when"]);
    return lines[line - 1]?.slice(column - 1, column + 12);
  };
  expect([0, 1, 2, 3].map(shown)).toEqual([1, 2, 3, 4].map((n) => `current > ${n} A`));
  expect(config.where(["assets", 0, "rules", 4, "when"])).toMatchObject({ line: 16, column: 24 });
  // A place that the text does not have is that of the nearest part above it.
  expect(config.where(["assets", 0, "rules", 0, "clear"])).toMatchObject({ line: 7, column: 9 });

  const rule = config.assets[0]?.rules.find((r) => r.id === "article-vibration");
  const place = config.where([...(rule?.path ?? []), "when"]);
  expect(place.file).toBe(packageFile("config/profiles/article.yaml"));
  const article = readFileSync(place.file, "utf8").split("\n")[place.line - 1];
  expect(article?.slice(place.column - 1)).toBe("vibration.peak > 9.8 m/s^2");
  expect(rule).toMatchObject({ severity: "critical", source: "profile article" });
});

test("places are not kept in memory, and are found again", async () => {
  const bytes = Buffer.from(
    "gateway: { id: gw-1, site: demo }\nassets:\n  - id: line3\n    channels: { c: { unit: A } }\n",
  );
  const config = parse(bytes);
  expect(config.where(["assets", 0, "id"])).toMatchObject({ line: 3, column: 9 });
  bytes.write("#ateway"); // what is read again shows this
  setFlagsFromString("--expose-gc");
  await new Promise((resolve) => setTimeout(resolve, 20));
  runInNewContext("gc")();
  expect(config.where(["gateway", "id"]).column).toBe(1);
  expect(config.where(["assets", 0, "id"])).toMatchObject({ line: 3, column: 9 });
});

test.each(["threshold", "turbine", "drone"])("config/examples/%s.yaml", (name) => {
  const config = loadConfig(packageFile(`config/examples/${name}.yaml`), KINDS, {});
  expect(config.assets[0]?.channels.length).toBeGreaterThan(0);
});

test("a threshold on a raw channel is five lines beyond the gateway and its broker", () => {
  const text = readFileSync(packageFile("config/examples/threshold.yaml"), "utf8");
  const lines = text.split("\n").filter((line) => !/^(#|gateway|mqtt|$)/.test(line));
  expect(lines.length).toBe(5);
});

const SMALL = "assets: [{ id: a, channels: { x: { unit: A } } }]\ngateway: { id: g, site: s }\n";

test("what is absent has its default", () => {
  expect(parse(SMALL)).toMatchObject({
    topicRoot: "sterna/v1",
    mqtt: null,
    opcua: {},
    models: [],
    log: { level: "info" },
    accel: {
      ...{ backend: "auto", checkShare: 0.001, allow: null, exact: true, prefer: "latency" },
      ...{ latency_max_ms: null, power_max_W: null, power_W: {} },
    },
    http: { enabled: true, host: "127.0.0.1" },
    intake: { ring: 65_536, levels_max: 256, blockWorker: true, memoryNode: null },
    time: { ahead_max_ms: 60_000 },
    assets: [{ kind: "generic", profiles: [], baseline: null, disable: [] }],
  });
});

test("a port lends its unit, shape and range; a bound may be an amount or a number", () => {
  const kinds = {
    pump: {
      ports: [
        { name: "temp", unit: "Cel", point: true, shape: "scalar", min: 253.15, max: 373.15 },
        { name: "shake", unit: "mm/s{rms}", point: false, shape: "scalar", min: 0, max: 1 },
      ],
      nameplate: {},
    },
  } as const;
  const text = `gateway: { id: gw-1, site: demo }
assets:
  - id: p1
    kind: pump
    channels:
      temp: { min: -10 }
      shake: { unit: m/s, max: 50 mm/s }
      own: { unit: kPa, min: 100 Pa, max: 3 }
`;
  const [temp, shake, own] = parseConfig(text, "x.yaml", kinds, {}).assets[0]?.channels ?? [];
  expect(temp).toMatchObject({ min: 263.15, max: 373.15, unit: { ucum: "Cel" } });
  expect(shake).toMatchObject({ min: 0, max: 0.05, unit: { kind: "rms", factor: 1 } });
  expect(own).toMatchObject({ min: 100, max: 3_000 });
});

test("a password comes from a systemd credential", () => {
  const credentials = join(folder, "credentials");
  mkdirSync(credentials);
  writeFileSync(join(credentials, "broker"), "hunter2");
  const text = `${SMALL}mqtt: { url: "mqtt://localhost", passwordCredential: broker }\n`;
  expect(parse(text, { CREDENTIALS_DIRECTORY: credentials }).mqtt?.password).toBe("hunter2");
  expect(() => parse(text)).toThrow(ConfigError);
});

test("anchors, aliases and merge keys", () => {
  const config = parse(`gateway: { id: gw-1, site: demo }
assets:
  - id: line3
    channels:
      a: &amps { unit: A, min: 0 A, staleAfter: 3 s }
      b: { <<: *amps, staleAfter: 5 s }
    rules: &rules
      - { id: over, when: "a > 16 A", severity: critical }
  - { id: line4, channels: { a: *amps }, rules: *rules }
`);
  const stale = config.assets.flatMap((a) => a.channels.map((c) => c.staleAfter_ms));
  expect(stale).toEqual([3_000, 5_000, 3_000]);
  expect(config.assets[1]?.rules[0]?.id).toBe("over");
});

test("a thousand channels may share an anchor", () => {
  const channels = Array.from({ length: 999 }, (_, i) => `      c${i}: *amps\n`).join("");
  const config = parse(`gateway: { id: gw-1, site: demo }
assets:
  - id: line3
    channels:
      a: &amps { unit: A }
${channels}`);
  expect(config.assets[0]?.channels.length).toBe(1_000);
});

test("a profile's rule can be left out, and one's own stands in for it", () => {
  const ids = parse(`gateway: { id: gw-1, site: demo }
assets:
  - id: wt07
    kind: wind-turbine
    profiles: [article]
    disable: [article-stress]
    channels: { power: {} }
`).assets[0]?.rules.map((rule) => rule.id);
  expect(ids).toEqual(["article-vibration", "article-efficiency"]);
});

test("the JSON paths that a config accepts are those that the decoder reads", () => {
  const part = fc.constantFrom(..."$.a[]_-7 '\"*\n", "[0]", "[*]", '["x y"]', "['y']", ".b");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = `$${parts.join("")}`;
      const accepted = jsonPath.read(text, () => null) !== null;
      expect(accepted).toBe(parsePath(text) !== null);
    }),
    { numRuns: 1_000 },
  );
});

test("a file that cannot be read is one fault without a place", () => {
  const file = join(folder, "none.yaml");
  expect(() => loadConfig(file, KINDS, {})).toThrow(`${file}: cannot be read (ENOENT)`);
});

test("docs/configuration.md is what the tables say (npm run docs)", () => {
  expect(readFileSync(packageFile("docs/configuration.md"), "utf8")).toBe(configurationPage());
});
