//! docs/machines.md, made of the tables that the agent itself looks machines up in. After a change:
//! vitest run test/machines.test.ts -u, and read the difference.
import { expect, test } from "vitest";
import { type AssetKind, KINDS } from "../agent/assets.js";
import type { PortRow } from "../agent/models/chain/port.js";
import { needsOf } from "../agent/rules/needs.js";
import { formatIn } from "../agent/units/format.js";

const PAGE = "../docs/machines.md";

const OPENING = `# Machines: ports, ranges, nameplates, pace

<!-- Made by test/machines.test.ts from the tables of the agent; -u makes it again. -->

Which kind? \`wind-turbine\`, \`gas-turbine\`, \`quadrotor\` and \`bearing\` know equations and want
their own ports, a nameplate and a quick pace. Everything else, and any of these machines of which
only rows of ten minutes or an hour are kept, is \`generic\` ([what that learns](models/generic.md)).

A channel with the name of a port is that port; any other channel of the asset is read by your own
rules and models alone. Outside of the plausible range a reading is rejected (\`out-of-range\`);
\`min:\` and \`max:\` of the channel replace the range. Where a nameplate value is named beside it,
the range is of a machine of that size and grows with a larger one.

"Without it": alarms that the simulated machine no longer raises for their fault where this port
alone is missing. Where nothing stands, the port is a witness: it tells a lying instrument from an
ill machine, or another port can take its place.`;

const GENERIC = `## generic

No ports: every channel is judged, but those under \`settings:\`, a status channel (with \`codes:\`)
and the counter named by \`cycle:\`. Days to commission: 14 (at least 3); or \`{ cycles: 30 }\`.

**Pace.** A reading every ten minutes or every hour; faster ones are taken together in slices of
ten minutes. A reading less often than every two hours belongs to no slice.

**Which settings?** What somebody or something else sets and the machine only follows: its load
first (power, speed, throttle, set point, wind), then the weather that changes how it works. Never
what may itself fall ill, since settings are not judged. Weather without the load is worse than no
settings: ten months of a healthy gas turbine gave 187 alarms with ambient, pressure and humidity
as settings, 64 with none, 36 with ambient and power.`;

const MODELS = `## Models of your own that read mixed units

A table of features, \`[batch, 3]\` say, is one tensor of several quantities: give the unit of each
channel, in their order. That of training may differ from that of the channel, \`kA\` for \`A\`.

    in:
      x: { channels: [current, oilTemp, vib], unit: [A, Cel, "mm/s{rms}"] }`;

/** How often readings must come, by kind. */
const PACE: Readonly<Record<string, string>> = {
  "wind-turbine":
    "Once in ten seconds or faster for `rotor-imbalance`; on the simulated turbine faults of " +
    "bearings, oil, cooling and yaw were named at up to ten minutes between readings. Beyond ten minutes the equations " +
    "pause, and commissioning refuses. At ten minutes the rules on how a channel moves (stuck, steps) misjudge " +
    "means: use `generic` for ten-minute records. Blocks of the accelerometer: at least 4096 " +
    "samples, with `rpm` or the port `generatorSpeed`, once a minute or so.",
  "gas-turbine":
    "Once a second to once in ten minutes: each fault was named on the simulated machine. Beyond " +
    "ten minutes the equations pause, and commissioning refuses.",
  quadrotor:
    "Ten times a second, to name a fault within seconds. On the simulated drone each was still " +
    "named at ten seconds between readings, later.",
  bearing:
    "Blocks of at least 4096 samples with `rpm` (or the port `shaftSpeed`), once a minute to once " +
    "in some hours; each counts. Speed, load and temperatures at least every ten minutes. A sensor " +
    "that sends figures in the place of waveforms is bound to `accelRms`.",
};

const number = (value: number): string => String(Number(value.toPrecision(6)));

function portRow(kind: string, port: PortRow): string {
  const { name, unit, range, about, size, shape } = port;
  const [low, high] = range.map(number);
  const grows =
    size === undefined
      ? ""
      : ` (grows with ${[size.over, size.under].filter(Boolean).join(" / ")})`;
  const block = shape === "block" ? "blocks; " : "";
  const lost = needsOf(kind, name).map((id) => `\`${id}\``);
  return `| \`${name}\` | \`${unit}\` | ${low} to ${high}${grows} | ${block}${about} | ${lost.join(", ")} |`;
}

function section(kind: AssetKind): string {
  const { name, about, ports, nameplate, commissioning } = kind;
  const { per, usual, least, covers } = commissioning;
  const bands = covers.map(
    ({ slices, channel, words }) => `${slices} hours with ${channel} ${words}`,
  );
  const cover = bands.length === 0 ? "" : `; they must show ${bands.join(" and ")}`;
  const plate = nameplate.map(({ key, unit, otherwise, about: words }) => {
    const stated =
      otherwise === null ? "none: what needs it is off" : `\`${formatIn(otherwise, unit)}\``;
    return `| \`${key}\` | \`${unit}\` | ${stated} | ${words} |`;
  });
  return [
    `## ${name}`,
    `A ${about}. To commission: ${usual} ${per} (at least ${least})${cover}.`,
    `**Pace.** ${PACE[name]}`,
    ["| port | unit | plausible | what | without it |", "|---|---|---|---|---|"]
      .concat(ports.map((port) => portRow(name, port)))
      .join("\n"),
    ["| nameplate | unit | where absent | what |", "|---|---|---|---|"].concat(plate).join("\n"),
  ].join("\n\n");
}

test("docs/machines.md says what the tables say", async () => {
  const own = Object.values(KINDS).filter(({ ports }) => ports.length > 0);
  const page = [OPENING, ...own.map(section), GENERIC, MODELS].join("\n\n");
  await expect(`${page}\n`).toMatchFileSnapshot(PAGE);
});

test("what a port switches on names rules and ports that there are", () => {
  for (const { name, ports, rules } of Object.values(KINDS)) {
    for (const port of ports) {
      const ids = needsOf(name, port.name);
      expect(ids.filter((id) => !rules.some((rule) => rule.id === id))).toEqual([]);
    }
  }
});
