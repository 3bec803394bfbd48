import { expect, test } from "vitest";
import { KINDS } from "../../agent/assets.js";
import { packageFile } from "../../agent/base/files.js";
import { CONFIG_KINDS } from "../../agent/fitting.js";
import { limitsOf } from "../../agent/models/chain/port.js";
import { parseUnit } from "../../agent/units/parse.js";
import { loadConfig, parseConfig } from "../../config/load.js";

test.each(["gas-turbine", "bearing"])(
  "config/examples/%s.yaml loads, its channels are ports",
  (name) => {
    const row = KINDS[name];
    if (row === undefined) throw new Error(name);
    const ports = row.ports
      .filter((p) => p.insteadOf === undefined)
      .map((port) => {
        const unit = parseUnit(port.unit);
        const { low: min, high: max } = limitsOf(port);
        const point = !("fault" in unit) && unit.affine;
        return { name: port.name, unit: port.unit, shape: port.shape, point, min, max };
      });
    const nameplate = Object.fromEntries(row.nameplate.map((plate) => [plate.key, plate.unit]));
    const config = loadConfig(
      packageFile(`config/examples/${name}.yaml`),
      { [name]: { ports, nameplate } },
      {},
    );
    const asset = config.assets[0];
    expect(asset?.kind).toBe(name);
    expect(asset?.channels.map((c) => c.name).sort()).toEqual(ports.map((p) => p.name).sort());
  },
);

/** Plausible range of a port in the config of a machine with this nameplate. */
function rangeOf(kind: string, nameplate: string, port: string): readonly [number, number] {
  const text = `gateway: { id: gw-1, site: s }
assets: [{ id: a, kind: ${kind}, nameplate: { ${nameplate} }, channels: { ${port}: {} } }]`;
  const channel = parseConfig(text, "c.yaml", CONFIG_KINDS, {}).assets[0]?.channels[0];
  return [channel?.min ?? Number.NaN, channel?.max ?? Number.NaN];
}

test.each([
  ["gas-turbine", "ratedPower: 160 MW", "power", 160e6],
  ["gas-turbine", "ratedPower: 480 MW, voltage: 22 kV", "generatorCurrent", 480e6 / 22e3 / 1.645],
  ["gas-turbine", "ratedSpeed: 15000 rpm", "shaftSpeed", 1570.8],
  ["gas-turbine", "ratedPower: 160 MW", "fuelFlow", 160e6 / 0.36 / 48e6],
  ["wind-turbine", "ratedPower: 15 MW", "power", 15e6],
  ["wind-turbine", "ratedPower: 15 MW, ratedSpeed: 480 rpm", "generatorTorque", 15e6 / 50.3],
  ["wind-turbine", "ratedPower: 60 kW, ratedSpeed: 1500 rpm, gearRatio: 28", "rotorSpeed", 5.61],
])("a %s of %s has a plausible %s", (kind, nameplate, port, rated) => {
  const [low, high] = rangeOf(kind, nameplate, port);
  expect(high).toBeGreaterThan(1.1 * rated);
  expect(high).toBeLessThan(3.5 * rated);
  expect(low).toBeLessThan(0);
});

test("a small machine keeps the range of its kind", () => {
  expect(rangeOf("wind-turbine", "ratedPower: 2 MW", "power")).toEqual([-500e3, 8e6]);
  expect(rangeOf("wind-turbine", "rotorRadius: 63 m", "power")).toEqual([-500e3, 8e6]);
});
