//! Writes docs/configuration.md from the tables that check a config: run by `npm run docs`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { packageFile } from "../agent/base/files.js";
import type { Row, Table } from "./rows.js";
import * as s from "./schema.js";

const PAGE = "docs/configuration.md";

const OPENING = `# Configuration

<!-- Generated from config/schema.ts by \`npm run docs\`; edit there. -->

One YAML file: one gateway, its connections by name, its assets with channels, and what watches
them. \`sterna check FILE\` prints every fault at once, with line and column and what to write
instead; the agent exits with 78 on a config that has any.

- An amount is a number with its unit: \`60 s\`, \`5 MW\`, \`200 MBy\`, \`80 Cel\`. Units are UCUM;
  habits such as \`m/s^2\`, \`rpm\`, \`kWh\` are understood.
- A relative path starts from the folder of the config file.
- An unknown key is a fault, never ignored; so is a key without a value.
- A password never stands in the config: it comes from a file or from a systemd credential.
- YAML anchors, aliases and merge keys work. The file has at most 1 MiB.`;

const GROUPS: Readonly<Record<keyof typeof s.SCALARS, string>> = {
  gateway: "Who this gateway is. Required.",
  mqtt: "The broker: telemetry in, alarms out. Without it, only OPC UA and recordings are read.",
  store: "Where the alarm state lives, and how much may wait for the broker.",
  http: "The page, the metrics and the health check.",
  log: "What is logged.",
  accel: "What computes the models.",
  intake: "Bounds of what may wait.",
  time: "Which source times are believed. What lies outside is rejected and counted.",
};

export function configurationPage(): string {
  const groups = Object.entries(GROUPS).map(([key, about]) => {
    return section(key, about, s.SCALARS[key as keyof typeof s.SCALARS]);
  });
  return `${[
    OPENING,
    `## The smallest useful config\n\n${yaml("config/examples/threshold.yaml")}`,
    "More, with every part explained: `turbine.yaml` and `drone.yaml` in `config/examples`.",
    section("Top level", "Beside the groups below.", s.TOP),
    ...groups,
    section("opcua", "OPC UA servers: `opcua: { name: { ... } }`.", s.OPCUA),
    section("assets", "A list: what is watched. At least one.", s.ASSET),
    section(
      "assets: channels",
      `By name: \`channels: ${s.CHANNELS}\`. A channel has one ` +
        "source, `mqtt`, `opcua` or `simulated`; without any, recordings and models feed it. " +
        "`unit` is required over `mqtt`, and for a channel that is no port of the asset's kind. " +
        "[Machines](machines.md) has the ports of each kind with their ranges, how often readings " +
        "must come, which settings to choose, and models that read mixed units.",
      s.CHANNEL,
    ),
    section(
      "assets: rules",
      "A list. Conditions compare channels with amounts, `oilTemp > 80 Cel && power > 1 MW`; " +
        "units are checked when the config is loaded.",
      s.RULE,
    ),
    section("models", "Your own ONNX files, by name, bound to channels.", s.MODEL),
    section("models: in", "By tensor name. Either `channel` or `channels`.", s.MODEL_INPUT),
    section("models: out", "By tensor name, or a list of these for one tensor.", s.MODEL_OUTPUT),
    section(
      "Profiles",
      "Files of `config/profiles`: rule sets that an asset adds by name, `profiles: [article]`. " +
        "None is a default.",
      s.PROFILE,
    ),
  ].join("\n\n")}\n`;
}

function section(title: string, about: string, table: Table): string {
  const rows = Object.entries(table).map(([key, row]) => {
    return `| \`${key}\` | ${cell(row.format.name)} | ${standard(row)} | ${cell(row.doc)} |`;
  });
  const head = "| key | value | default | meaning |\n|---|---|---|---|";
  return [`## ${title}`, about, [head, ...rows].join("\n")].join("\n\n");
}

function standard(row: Row<unknown>): string {
  if (row.otherwise === undefined) return "required";
  return row.written === null || row.written === "" ? "" : `\`${row.written}\``;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function yaml(file: string): string {
  return `\`\`\`yaml\n${readFileSync(packageFile(file), "utf8").trimEnd()}\n\`\`\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(packageFile(PAGE), configurationPage());
}
