import { expect, test } from "vitest";
import { KINDS } from "../../agent/assets.js";
import { packageFile } from "../../agent/base/files.js";
import { limitsOf } from "../../agent/models/chain/port.js";
import { parseUnit } from "../../agent/units/parse.js";
import { loadConfig } from "../../config/load.js";

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
