//! Commissioning and what follows it, over months of a turbine at ten-minute steps.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { Adaptation } from "../../agent/models/adapt.js";
import { isRefused } from "../../agent/models/commission.js";
import { type Baseline, type Learnt, readBaseline } from "../../agent/models/setup.js";
import { createTurbineMonitor } from "../../agent/models/turbine.js";
import { amounts } from "./rig.js";
import { TurbineYear, type Year, YearRig } from "./turbine-year.js";

const byHand = { want: { amount: 14, by: "hand" } } as const;
const live = { want: { amount: 14, by: "itself" } } as const;

function learn(year: Year, days: number, declared: Readonly<Record<string, string>> = {}) {
  const rig = new YearRig(new TurbineYear(year), byHand, declared);
  rig.run(days);
  return rig.fitted.stage.finish("test", null);
}

function baselineOf(outcome: ReturnType<typeof learn>): Baseline {
  if (outcome === null || isRefused(outcome)) throw new Error(JSON.stringify(outcome));
  // As a file would bring it.
  const read = readBaseline(JSON.parse(JSON.stringify(outcome)), "wind-turbine");
  if (typeof read === "string") throw new Error(read);
  return read;
}

function refusals(outcome: ReturnType<typeof learn>): string {
  if (outcome === null || !isRefused(outcome)) throw new Error("not refused");
  return outcome.refused.join("\n");
}

const HEALTHY = baselineOf(learn({ offset_K: () => 2 }, 14.1));

describe("a normal", () => {
  test("its offset, spread, noise, hours by state and where it comes from", () => {
    const { values, states, provenance } = HEALTHY;
    expect(values["hssBearing.offset"]).toBeCloseTo(2, 0);
    expect(states?.["2"]?.["hssBearing.offset"]).toBeCloseTo(2, 0);
    expect(values["generator.offset"]).toBeCloseTo(0, 0);
    expect(values["noise.oilTemp"]).toBeGreaterThan(0.05);
    expect(provenance?.amount).toBe("14 days");
    expect(provenance?.states["2"]).toBeGreaterThan(300);
    expect(provenance?.suspects).toEqual([]);
  });

  test("bad hours of the machine and of sensors within it change nothing, and are named", () => {
    const within = (day: number, from: number, hours: number): boolean =>
      day >= from && day < from + hours / 24;
    const bad = baselineOf(
      learn(
        {
          offset_K: () => 2,
          heat: (day) => (within(day, 4, 12) ? 1 : 0),
          lie: (name, value, day) => {
            if (name === "oilTemp" && within(day, 7, 10)) return value + 12;
            if (name === "windSpeed" && within(day, 9, 8)) return 7.77;
            return name === "windingTemp" && within(day, 11, 6) ? 400 : value;
          },
        },
        14,
      ),
    );
    for (const name of ["hssBearing.offset", "gearbox.offset", "generator.offset"]) {
      expect(Math.abs((bad.values[name] ?? 99) - (HEALTHY.values[name] ?? 0)), name).toBeLessThan(
        0.3,
      );
    }
    for (const name of ["hssBearing.sigma", "gearbox.sigma", "generator.sigma", "wind.sigma"]) {
      const ratio = (bad.values[name] ?? 99) / (HEALTHY.values[name] ?? 1);
      expect(ratio, name).toBeGreaterThan(0.5);
      expect(ratio, name).toBeLessThan(2);
    }
    const said = bad.provenance?.excluded.join("\n") ?? "";
    expect(said).toContain("hssBearing.residual");
    expect(said).toMatch(/gearbox.residual.*windSpeed not believed.*windingTemp not believed/s);
  });

  test("is refused when too short, in too little wind, half of it broken, or another machine", () => {
    expect(refusals(learn({}, 2))).toContain("too short: 1.9 of at least 3 days");
    expect(refusals(learn({ wind_mps: 0 }, 6))).toContain("above 70 % of ratedPower");
    const half = { offset_K: (day: number) => (day > 4 ? 6 : 0) };
    expect(refusals(learn(half, 9))).toMatch(/not one normal: .*hssBearing/s);
    expect(refusals(learn({ offset_K: () => 17 }, 5))).toContain("where physics expects");
    // Beyond what any heat explains the reading itself is not believed, and nothing is learnt of it.
    const { values, provenance } = baselineOf(learn({ offset_K: () => 25 }, 5));
    expect(values["hssBearing.offset"]).toBeUndefined();
    expect(provenance?.notLearnt).toEqual([
      expect.stringMatching(/^hssBearing.residual: known in/),
    ]);
  });

  test("of another nameplate it is a fault of the config", () => {
    const moved = { ...HEALTHY.provenance?.nameplate, rotorRadius: 70 };
    const provenance = HEALTHY.provenance && { ...HEALTHY.provenance, nameplate: moved };
    const other: Baseline = { ...HEALTHY, ...(provenance && { provenance }) };
    expect(() => new YearRig(new TurbineYear({}), { baseline: other })).toThrow(
      "another rotorRadius",
    );
  });

  test("names a declaration of a unit that the data speak against", () => {
    const lie = (name: string, value: number) => (name === "nacelleTemp" ? value + 273.15 : value);
    const { provenance } = baselineOf(learn({ lie }, 5, { nacelleTemp: "Cel" }));
    expect(provenance?.suspects.join("\n")).toContain("nacelleTemp");
  });
});

describe("while it runs", () => {
  test("physics limits alone before, over restarts, and switched over when it is done", () => {
    const year = { offset_K: () => 2 };
    const once = new YearRig(new TurbineYear(year), live);
    once.run(13.9);
    expect(once.fitted.stage.commissioned).toBe(false);
    expect(once.get("hssBearing.limit")).toBeNaN();
    expect(once.fitted.off.join()).toContain("uncommissioned");
    once.run(16);
    expect(once.fitted.stage.commissioned).toBe(true);
    expect(once.get("hssBearing.limit")).toBeGreaterThanOrEqual(4);
    expect(once.fitted.off.join()).not.toContain("uncommissioned");
    expect(Math.abs(once.get("hssBearing.residual"))).toBeLessThan(1);
    expect(once.fitted.stage.events()[0]?.text).toMatch(/^commissioned: live: 14 days/);

    const plant = new TurbineYear(year);
    const first = new YearRig(plant, live);
    first.run(7);
    const kept = JSON.parse(JSON.stringify(first.fitted.stage.save()));
    const second = new YearRig(plant, live);
    second.fitted.stage.restore(kept);
    expect(second.fitted.stage.progress).toMatch(/^6\.9 of 14 days/);
    second.run(16);
    expect(second.fitted.stage.commissioned).toBe(true);
    const [a, b] = [once, second].map((rig) => rig.fitted.stage.baseline?.values ?? {});
    expect(b?.["hssBearing.offset"]).toBeCloseTo(a?.["hssBearing.offset"] ?? 0, 1);
    const third = new YearRig(plant, live);
    third.fitted.stage.restore(JSON.parse(JSON.stringify(second.fitted.stage.save())));
    expect(third.fitted.stage.commissioned).toBe(true);
  });

  test("what was kept of another nameplate, or is damaged, is said and not used", () => {
    const rig = () => new YearRig(new TurbineYear({}), live);
    for (const progress of [{ version: 1, nameplate: {}, rows: [] }, { version: 9 }, 5]) {
      const one = rig();
      one.fitted.stage.restore({ progress, baseline: { version: 7 }, adapted: 3, memory: "x" });
      expect(one.fitted.stage.commissioned).toBe(false);
      expect(one.fitted.stage.events().length).toBe(2);
    }
  });
});

describe("adaptation", () => {
  const alarmDay = (year: Year, days: number): number => {
    const rig = new YearRig(new TurbineYear({ ...year, seed: 9 }), { baseline: HEALTHY });
    let since = Number.NaN;
    let found = Number.NaN;
    rig.run(days, (day) => {
      if (!rig.hot) since = Number.NaN;
      else if (Number.isNaN(since)) since = day;
      if (day - since > 1 / 24 && Number.isNaN(found)) found = day;
    });
    return found;
  };

  test("a fault that ramps over 30 or over 90 days alarms before it is whole", () => {
    for (const whole of [30, 90]) {
      const offset_K = (day: number): number =>
        2 + 12 * Math.min(1, Math.max(0, (day - 5) / whole));
      const found = alarmDay({ offset_K }, 5 + whole + 5);
      expect(found).toBeGreaterThan(5);
      expect(found).toBeLessThan(5 + 0.6 * whole);
    }
  });

  test("a seasonal swing of the machine against its equations does not, and would without", () => {
    const offset_K = (day: number): number => 2 + 4.6 * Math.sin((2 * Math.PI * day) / 365);
    const year = { season_K: 10, offset_K };
    expect(alarmDay(year, 200)).toBeNaN();
    const stiff = new YearRig(new TurbineYear({ ...year, seed: 9 }), {
      baseline: HEALTHY,
      adapts: false,
    });
    let hot = 0;
    stiff.run(120, () => {
      hot += Number(stiff.hot);
    });
    expect(hot).toBeGreaterThan(100);
  });

  const LEARNS: readonly Learnt[] = [
    { output: "a", middle: "a.m", spread: "a.s", about: "zero", credible: [-9, 9], drift: 1 },
    { output: "b", middle: "b.m", spread: "b.s", about: "middle", credible: [-9, 9], drift: 0.5 },
    { output: "c", middle: "c.m", spread: "c.s", about: "one", credible: [0, 9], drift: 0.1 },
  ];
  const VALUES = { "a.m": 0, "a.s": 0.1, "b.m": 5, "b.s": 0.1, "c.m": 2, "c.s": 0.02 };
  const BASE: Baseline = { version: 1, kind: "k", asset: "a", source: "s", values: VALUES };
  const MEMORY = 60;
  const slice = (a: number, b: number, c: number, doubted: string[] = []) => ({
    t_ms: 0,
    end_ms: 1,
    state: "2",
    cells: { a: [a, 0, a, 9], b: [b, 0, b, 9], c: [c, 0, c, 9] } as const,
    doubted,
  });

  test("whatever comes, no value leaves its bound, and none moves faster than its rate", () => {
    const number = fc.oneof(fc.double(), fc.double({ min: -3, max: 8 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { maxLength: 300 }), (rows) => {
        const adaptation = new Adaptation(LEARNS, BASE, MEMORY);
        for (const [a, b, c] of rows) {
          const before = ["a.m", "b.m", "c.m"].map((name) => adaptation.moved(name));
          adaptation.take(slice(a, b, c));
          for (const [i, [name, most]] of (
            [
              ["a.m", 1],
              ["b.m", 0.5],
              ["c.m", 0.2],
            ] as const
          ).entries()) {
            const now = adaptation.moved(name);
            if (!(Math.abs(now) <= most)) return false;
            if (!(Math.abs(now - (before[i] ?? 0)) <= (2 * most) / MEMORY + 1e-12)) return false;
          }
        }
        return true;
      }),
    );
  });

  test("nothing moves while a sensor is in doubt, one value is far off, or an alarm is active", () => {
    const moves = (disturb: (adaptation: Adaptation) => void): number => {
      const adaptation = new Adaptation(LEARNS, BASE, MEMORY);
      disturb(adaptation);
      adaptation.take(slice(0.2, 5.1, 1.01));
      return adaptation.moved("a.m");
    };
    expect(moves(() => {})).toBeGreaterThan(0);
    expect(moves((one) => one.take(slice(0.2, 5.1, 1, ["oilTemp"])))).toBe(0);
    expect(moves((one) => one.take(slice(5, 5.1, 1)))).toBe(0);
    expect(moves((one) => one.hold())).toBe(0);
  });

  test("it is logged, kept, of one baseline only, and goes back", () => {
    const adaptation = new Adaptation(LEARNS, BASE, MEMORY);
    const logged = Array.from({ length: 100 }, () => adaptation.take(slice(0.9, 5, 1))).flat();
    expect(logged.length).toBeGreaterThan(3);
    expect(logged[0]).toMatchObject({ name: "a.m", from: 0 });
    const kept = JSON.parse(JSON.stringify(adaptation.save()));
    const again = new Adaptation(LEARNS, BASE, MEMORY);
    expect(again.restore(kept)).toBe(true);
    expect(again.moved("a.m")).toBe(adaptation.moved("a.m"));
    expect(again.save()).toEqual(adaptation.save());
    expect(new Adaptation(LEARNS, { ...BASE, source: "t" }, MEMORY).restore(kept)).toBe(false);
    const beyond = { ...kept, moved: { "a.m": 1.5 } };
    expect(new Adaptation(LEARNS, BASE, MEMORY).restore(beyond)).toBe(false);
    again.revert();
    expect(again.moved("a.m")).toBe(0);
  });
});

test("a trained network behind the prior is heard in the output, its hash in the monitor", () => {
  const learned = {
    hash: "sha256:trained",
    tier: "exact",
    corrects: [{ output: "generator.residual", most: 3 }],
    infer: (_: unknown, __: number, g: Float64Array) => void g.fill(1e6),
  } as const;
  const plate = Object.entries(amounts("wind-turbine")).map(([key, { value }]) => [key, value]);
  const common = { id: "wt", nameplate: Object.fromEntries(plate), backend: reference };
  const said = [{ learned: null }, { learned }].map((more) => {
    const monitor = createTurbineMonitor({ ...common, baseline: null, ...more });
    const plant = new TurbineYear({});
    let now: ReadonlyMap<string, number> = new Map();
    let residual = Number.NaN;
    const frame = {
      get: (input: number) => now.get(monitor.inputs[input] ?? "") ?? Number.NaN,
      set: (output: number, value: number) => {
        if (monitor.outputs[output]?.name === "generator.residual") residual = value;
      },
    };
    for (let k = 0; k < 100; k++) {
      now = plant.next();
      for (const input of monitor.inputs.keys()) monitor.onSample(frame, input, plant.t_ms);
    }
    return { residual, model: monitor.model };
  });
  expect(said.map(({ model }) => model)).toEqual(["physics@1", "sha256:trained"]);
  expect((said[0]?.residual ?? 0) - (said[1]?.residual ?? 0)).toBeCloseTo(3, 9);
});
