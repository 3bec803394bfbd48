import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPlant } from "../../agent/sensors/plants/kinds.js";
import { sterna } from "../fixtures/agent.js";
import { DATA, table, unit } from "../models/suspect-sets.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-check-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (name: string, content: string): string => {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
};

/** What the controller of a simulated turbine sends, in its own units. */
function turbineRecording(
  hours = 6,
  period_ms = 60_000,
): {
  readonly file: string;
  readonly channels: ReadonlyMap<string, string>;
} {
  const plant = createPlant("wind-turbine", {
    asset: "wt07",
    seed: 7,
    period_ms,
    blockEvery_ms: 1e9,
  });
  const lines: string[] = [];
  plant.advance(plant.now_ms() + hours * 3_600_000, {
    scalar(i, t, si) {
      const channel = plant.channels[i];
      if (channel === undefined) return;
      const { factor, offset } = unit(channel.unit);
      const v = Number(((si - offset) / factor).toPrecision(7));
      lines.push(JSON.stringify({ t, a: "wt07", c: channel.name, v }));
    },
    block: () => {},
  });
  const scalars = plant.channels.filter(({ shape }) => shape === "scalar");
  return {
    file: write(`turbine-${hours}h.ndjson`, lines.join("\n")),
    channels: new Map(scalars.map((channel) => [channel.name, channel.unit])),
  };
}

function turbineConfig(name: string, channels: ReadonlyMap<string, string>): string {
  const rows = [...channels].map(([channel, said]) => `      ${channel}: { unit: "${said}" }`);
  return write(
    name,
    `gateway: { id: gw, site: s }
assets:
  - id: wt07
    kind: wind-turbine
    nameplate: { ratedPower: 5 MW, rotorRadius: 63 m, gearRatio: 97 }
    channels:
${rows.join("\n")}
`,
  );
}

/** What is said of units; the rest of `check` has its own test. */
const unitLines = (out: string): string[] => out.split("\n").filter((line) => /: unit/.test(line));

test("a recording tells which declared unit is wrong, and which would fit", () => {
  const { file, channels } = turbineRecording();
  const good = sterna("check", turbineConfig("good.yaml", channels), "--recording", file);
  expect([good.code, good.err]).toEqual([0, ""]);
  const said = (name: string, wrong: string) => {
    const config = turbineConfig("wrong.yaml", new Map([...channels, [name, wrong]]));
    const { code, out } = sterna("check", config, "--recording", file);
    return [code, ...unitLines(out)];
  };
  // In MW most readings leave the plausible range of the port, and must be seen all the same.
  const found = [
    unitLines(good.out),
    said("power", "MW"),
    said("rotorSpeed", "rad/s"),
    said("oilTemp", "K"),
    said("generatorTorque", "N.m"),
  ];
  for (const line of found.flat()) expect(String(line).split("\n").length).toBe(1);
  expect(found).toMatchSnapshot();
}, 30_000);

test("commissioning names it too, in what it prints and writes, and where it refuses", () => {
  const long = turbineRecording(5 * 24, 600_000);
  const short = turbineRecording();
  const said = (name: string, wrong: string, file: string) => {
    const config = turbineConfig("wrong.yaml", new Map([...long.channels, [name, wrong]]));
    const out = join(dir, `${name}.json`);
    const done = sterna("commission", file, "--config", config, "--out", out);
    const written = existsSync(out) ? JSON.parse(readFileSync(out, "utf8")) : null;
    const printed = done.out.split("\n").filter((line) => /suspect|refused/.test(line));
    expect(done.err).toMatch(new RegExp(`^not used: \\d+ record.* out-of-range of wt07/${name}, `));
    return [done.code, ...printed, written?.provenance.suspects ?? "nothing written"];
  };
  expect([
    said("oilTemp", "K", long.file),
    // In MW the readings leave the plausible range: nothing can be learnt of them.
    said("power", "MW", short.file),
  ]).toMatchSnapshot();
}, 60_000);

test("too little, nothing known, and no file are said plainly", () => {
  const { file, channels } = turbineRecording();
  const config = turbineConfig("good.yaml", channels);
  const short = write("short.ndjson", '{"t":1700000000000,"a":"wt07","c":"power","v":1}');
  const generic = write(
    "generic.yaml",
    "gateway: { id: gw, site: s }\nassets: [{ id: wt07, channels: { power: { unit: kW } } }]\n",
  );
  const results = [
    sterna("check", config, "--recording", short),
    sterna("check", generic, "--recording", file),
  ];
  expect(results.map(({ code, out, err }) => [code, unitLines(out), err])).toMatchSnapshot();
  expect(sterna("check", config, "--recording", join(dir, "absent")).code).toBe(1);
});

test.skipIf(!existsSync(DATA))(
  "a real gas turbine, declared as published",
  () => {
    const read = table("gas_turbine_emissions/gt_2012.csv.gz");
    const columns = { inletTemp: "AT", ambientPressure: "AP", dischargePressure: "CDP" } as const;
    const lines = Object.entries(columns).flatMap(([c, column]) =>
      (read.get(column) ?? []).map((v, i) => ({
        t: 1_300_000_000_000 + i * 3_600_000,
        a: "gt01",
        c,
        v,
      })),
    );
    lines.sort((a, b) => a.t - b.t);
    const file = write("gt.ndjson", lines.map((line) => JSON.stringify(line)).join("\n"));
    const config = (pressure: string): string =>
      write(
        "gt.yaml",
        `gateway: { id: gw, site: s }
assets:
  - id: gt01
    kind: gas-turbine
    channels:
      inletTemp: { unit: Cel }
      ambientPressure: { unit: mbar }
      dischargePressure: { unit: ${pressure} }
`,
      );
    const wrong = sterna("check", config("mbar"), "--recording", file);
    expect([wrong.code, ...unitLines(wrong.out)]).toMatchSnapshot();
    expect(sterna("check", config("bar"), "--recording", file).code).toBe(0);
  },
  30_000,
);

test("means of ten minutes: check, commission and replay say that another kind suits them", () => {
  const { file, channels } = turbineRecording(24, 600_000);
  const config = turbineConfig("slow.yaml", channels);
  const said = /^wt07: readings come every 600 s; kind wind-turbine wants them .* kind: generic/m;
  expect(sterna("check", config, "--recording", file).out).toMatch(said);
  const out = join(dir, "slow.json");
  expect(sterna("commission", file, "--config", config, "--out", out).out).toMatch(said);
  expect(sterna("replay", file, "--config", config).err).toMatch(said);
  const fast = turbineRecording(2);
  const good = turbineConfig("fast.yaml", fast.channels);
  expect(sterna("check", good, "--recording", fast.file).out).not.toMatch(/readings come/);
});
