import { expect, test } from "vitest";
import { finish, startCommand, sterna } from "../fixtures/agent.js";

const DEMO = ["demo", "--json", "--seed", "1"];
// The demo waits for its world most of the time: those that run one run beside each other.
/** Its durations are seconds of a machine that keeps up: a loaded one takes longer for the same. */
const LIMIT_ms = 300_000;

test.concurrent(
  "a worn bearing gives one alarm, that of its component",
  async ({ expect }) => {
    const { code, out } = await finish(...DEMO, "--inject", "hss_bearing@1s", "--duration", "30");
    expect(code).toBe(0);
    const said = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const own = said.filter(({ data }) => data.suppressedBy === null);
    expect(own.map((d) => [d.subject, d.data.transition, d.data.class])).toEqual([
      ["gearbox-hss", "raise", "machine"],
    ]);
    // Its consequences, as many as come in the time, are folded into it.
    const folded = said.filter(({ data }) => data.suppressedBy !== null);
    for (const { data } of folded) expect(data.suppressedBy).toBe("gearbox-hss");
    expect(own[0].data).toMatchObject({
      limit: { v: 8, u: "1", source: "VibNet over several blocks" },
      suppressedBy: null,
      marks: [],
    });
  },
  LIMIT_ms,
);

test.concurrent(
  "a healthy turbine gives none",
  async ({ expect }) => {
    const { code, out } = await finish(...DEMO, "--duration", "15s");
    expect([code, out]).toEqual([0, ""]);
  },
  LIMIT_ms,
);

test("an unknown fault is answered with those there are", () => {
  const { code, err } = sterna("demo", "--inject", "hss_baering@1s");
  expect(code).toBe(2);
  expect(err).toContain("hss_bearing");
});

test.each(["compressor_fouling", "bearing:sensor:speed:stuck", "sensor:compressorOutTemp:stuck"])(
  "%s, of a machine that the demo has not, is refused rather than injected into another",
  (fault) => {
    const { code, out, err } = sterna("demo", "--duration", "2", "--inject", `${fault}@1s`);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("wind-turbine: ");
    expect(err).not.toContain("gas-turbine");
  },
);

test.concurrent(
  "Ctrl-C and SIGTERM end it, long before its duration",
  async ({ expect }) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const running = await startCommand("watching", "demo", "--duration", "600");
      expect(await running.kill(signal)).toBe(0);
    }
  },
  LIMIT_ms,
);
