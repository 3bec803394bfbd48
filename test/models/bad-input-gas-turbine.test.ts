//! Two instruments of the gas turbine that lie at once, and one that lies beside a machine that is
//! off: the first is never the machine, the second hides it no longer than the instrument lies.
import { describe, expect, test } from "vitest";
import { commission } from "../../agent/models/convert/baseline.js";
import { createGasTurbine } from "../../agent/sensors/plants/gas-turbine.js";
import { GAS_TURBINE_CHANNELS } from "../../agent/sensors/plants/gas-turbine-channels.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { run } from "./rig.js";

const plant = createGasTurbine({ asset: "test", seed: 77 });
const baseline = JSON.parse(JSON.stringify(commission(plant, 12, 1000, "simulated")));
const AT_s = 1800;
const END_s = 2 * AT_s;
/** The instruments are well again from the hour on. */
const gas = (inject: readonly string[], duration_s = 3 * AT_s) =>
  run({
    kind: "gas-turbine",
    baseline,
    seed: 3,
    duration_s,
    period_ms: 2000,
    inject,
    sensorsEnd_s: END_s,
  });

const CHANNELS = GAS_TURBINE_CHANNELS.map(({ name }) => name);
const MODES = SENSOR_FAULTS.filter((mode) => mode !== "swap");
const lie = (channel: number, mode: number, at_s: number): string =>
  `gas-turbine:sensor:${CHANNELS[channel % CHANNELS.length]}:${MODES[mode % MODES.length]}@${at_s}s`;

describe("two instruments at once are never the machine", () => {
  for (let i = 0; i < 10; i++) {
    const two = [lie(2 * i, i, AT_s), lie(2 * i + 7, i + 4, AT_s + 60 * i)];
    test(two.join(" and "), () => {
      expect(gas(two).filter((a) => a.class === "machine")).toEqual([]);
    });
  }
});

describe("beside a machine that is off it is found, at the latest when the instrument is well", () => {
  const faults = [
    ["compressor_fouling", "compressor-fouling", "exhaustTempA"],
    ["journal_bearing", "bearing-2", "oilTemp"],
    ["filter_clogging", "inlet-filter", "inletTemp"],
    ["oil_cooler", "oil-cooler", "power"],
  ] as const;
  for (const [fault, alarm, channel] of faults) {
    test(`${fault} with ${channel} stuck`, () => {
      const sensor = `gas-turbine:sensor:${channel}:stuck@${AT_s}s`;
      const said = gas([`${fault}@${AT_s}s`, sensor], 4 * AT_s);
      expect(said.filter((a) => a.class === "machine").map(({ id }) => id)).toContain(alarm);
      const instrument = said.find(({ id }) => id === `sensor-${channel}`);
      expect(instrument?.cleared_s).toBeGreaterThan(END_s);
    });
  }
});
