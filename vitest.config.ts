import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// .ci/run asks for a machine-readable report beside the readable one.
const report = process.env["STERNA_TEST_REPORT"];

/** It plays half a minute of a demo whatever the machine: begun last, it would be waited for. */
const FIRST = "test/e2e/demo.test.ts";
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [true, false].flatMap((first) =>
      sorted.filter(({ moduleId }) => moduleId.endsWith(FIRST) === first),
    );
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // One more than the cores of CI: some thirty files wait for brokers, servers and time-outs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // A shared machine may stand still for longer than a test waits; a retry is printed beside it.
    retry: process.env["CI"] === undefined ? 0 : 1,
    ...(report === undefined
      ? {}
      : { reporters: ["default", "json"], outputFile: { json: report } }),
  },
});
