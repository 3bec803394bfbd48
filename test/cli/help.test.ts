import { expect, test } from "vitest";
import { COMMANDS } from "../../agent/cli/command.js";
import { sterna } from "../fixtures/agent.js";

test.each(Object.keys(COMMANDS))("%s --help: usage, every option, exit codes", (name) => {
  const { code, out, err } = sterna(name, "--help");
  expect([code, err]).toEqual([0, ""]);
  for (const option of Object.keys(COMMANDS[name]?.options ?? {})) {
    expect(out).toMatch(new RegExp(`^  --${option}( [A-Z0-9@a-z]+)? +\\S.*$`, "m"));
  }
  expect(out).toMatchSnapshot();
});

test("help is help beside other options too, and a wrong one points at it", () => {
  expect(sterna("replay", "x.ndjson", "-h")).toMatchObject({ code: 0 });
  const { code, err } = sterna("replay", "x.ndjson", "--confg", "y");
  expect(code).toBe(2);
  expect(err).toContain("sterna replay --help says more");
});
