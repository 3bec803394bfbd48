import { defineConfig } from "vitest/config";

// .ci/run asks for a machine-readable report beside the readable one.
const report = process.env["STERNA_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    maxWorkers: 2,
    // A shared machine may stand still for longer than a test waits; a retry is printed beside it.
    retry: process.env["CI"] === undefined ? 0 : 1,
    ...(report === undefined
      ? {}
      : { reporters: ["default", "json"], outputFile: { json: report } }),
  },
});
