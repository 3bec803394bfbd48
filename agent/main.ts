#!/usr/bin/env node
//! Process entry: refuses an old Node before anything native loads, picks the command, and turns
//! its outcome into an exit code. 0 done, 1 failed, 2 wrong command line, 78 faults in the config.
// The whole module: an old Node has no enableCompileCache, and must get as far as the answer below.
import * as nodeModule from "node:module";
import { setFlagsFromString } from "node:v8";

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  console.error(
    `sterna needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}; ` +
      "start it with the node_modules/.bin/node that npm installed beside it",
  );
  process.exit(1);
}
nodeModule.enableCompileCache?.();
// ONNX Runtime, where a model needs it, would send reports of its use to its maker.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
// A gateway has little memory: V8 then collects earlier. Measured in docs/benchmarks.md.
setFlagsFromString("--optimize-for-size");

const { runCommand } = await import("./cli/command.js");
process.exitCode = await runCommand(process.argv.slice(2));
