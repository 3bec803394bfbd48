//! The monitor of any machine: no equations, but the normal that commissioning learnt of its
//! channels, per regime. A health index grows where several channels leave it together; a channel
//! that leaves it alone, against the others, is its sensor.
import type { PortRow } from "./chain/port.js";
import { median, spread, Thinned } from "./chain/robust.js";
import { SUSPICIONS } from "./chain/validity.js";
import type { Cell, Row } from "./commission-slices.js";
import { doubtedBy } from "./doubt.js";
import { countsCycles, type GenericSpec } from "./generic-baseline.js";
import { FAR, machineEvidence, oddEvidence, type Shown, slipEvidence } from "./generic-evidence.js";
import { LEVELS } from "./generic-file.js";
import { OWN } from "./generic-health.js";
import { type Judge, openJudge } from "./generic-judge.js";
import { type SlipChannel, Slips } from "./generic-slips.js";
import type { Finding, Monitor } from "./monitor.js";
import {
  createMachineMonitor,
  type Machine,
  machineOutputs,
  output,
  type Physics,
  type Readings,
  type Said,
} from "./monitor-machine.js";
import type { Learnt, Setup } from "./setup.js";

export type Told = (rows: readonly Row[]) => void;

const SLICE_s = 600;
const SPARSE_s = 7200;
/** A slice that a change of state cut shorter than this says nothing. */
const SLICE_LEAST_s = 60;
const VALUES_MAX = 64;
/** Of a cycle, however long it lasts: what takes an hour of a machine at work takes one of them. */
const CYCLE_s = 3600;
const DISAGREES = SUSPICIONS.indexOf("disagrees");

/** What of a generic machine may follow the seasons: each level by its own spread. Cycles wear. */
export function genericLearns(spec: GenericSpec): Learnt[] {
  if (countsCycles(spec)) return [];
  const levels = [...new Set(Object.values(LEVELS))];
  return spec.readings.flatMap((name) =>
    levels.map(
      (level): Learnt => ({
        output: `${name}.${level}`,
        middle: `${name}.${level}`,
        spread: `${name}.spread`,
        about: "zero",
        credible: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
        drift: 1,
      }),
    ),
  );
}

export function createGenericMonitor(
  channels: readonly SlipChannel[],
  spec: GenericSpec,
  setup: Setup,
  told: Told,
): Monitor {
  const ports = channels.map(({ name, unit }): PortRow => {
    const range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const never = { jump: null, pace: null, spike: null, noisy: false, whole: false };
    return { name, unit, shape: "scalar", about: "", range, ...never, plain: true };
  });
  const machine: Machine = {
    name: "generic",
    ports,
    plate: [],
    outputs: machineOutputs(ports, [
      ...spec.readings.map((name) =>
        output(`${name}.deviation`, "1", "from its normal, smoothed, in spreads"),
      ),
      output("health.index", "1", "deviation of all channels together, in spreads"),
      output("health.limit", "1", "index that the healthy machine never reached"),
      output("health.channels", "1", `channels that are off by more than ${FAR} spreads`),
    ]),
    step_ms: 1,
    instants: true,
    gap_s: Number.POSITIVE_INFINITY,
    needs: [],
    learns: "health of channels",
    physics: (readings, own) => new GenericPhysics(readings, own, spec, channels, told),
  };
  return createMachineMonitor(machine, setup);
}

class GenericPhysics implements Physics {
  readonly off: string[] = [];
  readonly says: Said;
  readonly #on: Readings;
  readonly #spec: GenericSpec;
  readonly #told: Told;
  readonly #judge: Judge | null = null;
  readonly #slips: Slips;
  readonly #units: ReadonlyMap<string, string>;
  readonly #cells = new Map<string, Thinned<number>>();
  /** Of each channel what its last slice said, and since when it has said just that. */
  readonly #still = new Map<string, { readonly value: number; readonly since_ms: number }>();
  #from_ms = Number.NaN;
  #to_ms = Number.NaN;
  #cut_ms = Number.NaN;
  #code = Number.NaN;
  #cycle = Number.NaN;
  #age = 0;
  #young = false;
  #known = false;

  constructor(
    readings: Readings,
    setup: Setup,
    spec: GenericSpec,
    channels: readonly SlipChannel[],
    told: Told,
  ) {
    this.#on = readings;
    this.#spec = spec;
    this.#told = told;
    this.#units = new Map(channels.map(({ name, unit }) => [name, unit]));
    if (setup.baseline !== null) {
      const judge = openJudge(setup, spec, (name) => readings.normal(name, 0));
      if (typeof judge === "string") this.off.push(`health of channels: ${judge}`);
      else {
        this.#judge = judge;
        this.off.push(...judge.off);
      }
    }
    this.#slips = new Slips(channels, this.#judge?.reaches ?? new Map());
    this.says = this.#said();
  }

  state(): number {
    return this.#code;
  }

  /** Every instant is a step, so that a record counts once. */
  step(_dt_s: number, t_ms: number): void {
    const { state, cycle, records } = this.#spec;
    const { value } = this.#on;
    const code = state === null ? Number.NaN : value(state);
    const now = cycle === null ? Number.NaN : value(cycle);
    const turned = cycle !== null && !Number.isNaN(now) && now !== this.#cycle;
    const long = !countsCycles(this.#spec) && t_ms - this.#from_ms >= SLICE_s * 1000;
    const other = !Object.is(code, this.#code);
    const back = t_ms < this.#from_ms;
    // Readings an hour apart are slices of an hour; a longer silence belongs to none.
    if (long && !other && t_ms - this.#to_ms <= SPARSE_s * 1000) this.#to_ms = t_ms;
    if (turned || long || other || back) this.#cut();
    this.#code = code;
    if (turned) this.#turn(now);
    if (Number.isNaN(this.#from_ms)) this.#from_ms = t_ms;
    this.#to_ms = t_ms;
    for (const name of [...this.#spec.settings, ...this.#spec.readings]) {
      const x = value(name);
      if (Number.isNaN(x)) continue;
      const cell = this.#cells.get(name) ?? new Thinned<number>(VALUES_MAX);
      this.#cells.set(name, cell);
      cell.add(x);
    }
    if (records) this.#age += 1;
    if (records || this.#judge?.single === true) this.#cut();
  }

  explain(name: string): Finding | null {
    const judge = this.#judge;
    if (judge === null) return null;
    const channel = doubtedBy(name) ?? "";
    const unknown = { expected: Number.NaN, sigma: Number.NaN, unit: "1" };
    const show = (of: string): Shown => ({
      unit: this.#units.get(of) ?? "1",
      raw: this.#on.raw(of),
    });
    const slip = this.#slips.told(channel);
    if (slip !== null) {
      return { ...unknown, evidence: slipEvidence(channel, show(channel).unit, slip) };
    }
    if (judge.isOdd(channel)) {
      return { ...unknown, evidence: oddEvidence(judge, channel, show(channel)) };
    }
    if (name !== "health.index") return null;
    const stands = (of: string): number =>
      (this.#cut_ms - (this.#still.get(of)?.since_ms ?? Number.NaN)) / 1000;
    const evidence = machineEvidence(judge, this.#spec.settings, show, stands);
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  readonly memory = {
    save: (): unknown => {
      if (this.#judge === null) return null;
      const own = { ...Object(this.#judge.save()), slips: this.#slips.save() };
      const counted = { age: this.#age, cycle: this.#cycle, young: this.#young };
      return countsCycles(this.#spec) ? { ...own, ...counted } : own;
    },
    restore: (kept: unknown): void => {
      if (typeof kept !== "object" || kept === null || this.#judge === null) return;
      const { age, cycle, young, slips } = kept as Readonly<Record<string, unknown>>;
      this.#slips.restore(slips);
      this.#judge.restore(kept);
      if (typeof age === "number") this.#age = age;
      if (typeof cycle === "number") this.#cycle = cycle;
      this.#young = young === true;
    },
  };

  #said(): Said {
    const judge = this.#judge;
    const known = (said: () => number) => (): number => (this.#known ? said() : Number.NaN);
    const { settings, readings } = this.#spec;
    const faults = [...settings, ...readings].map((name): [string, () => number] => {
      const odd = (): number => {
        return judge?.isOdd(name) === true || this.#slips.told(name) !== null ? DISAGREES : 0;
      };
      const doubted = (): number => (this.#on.believed(name) ? 0 : this.#on.code(name));
      return [`${name}.fault`, () => doubted() || odd()];
    });
    const deviations = readings.map((name): [string, () => number] => [
      `${name}.deviation`,
      known(() => judge?.deviation(name) ?? Number.NaN),
    ]);
    return {
      ...Object.fromEntries([...faults, ...deviations]),
      "health.index": known(() => judge?.index() ?? Number.NaN),
      "health.limit": () => judge?.limit ?? Number.NaN,
      "health.channels": known(() => judge?.far(FAR) ?? Number.NaN),
    };
  }

  /** A cycle began. A counter that falls is a new unit; one found young has its first cycles here. */
  #turn(now: number): void {
    const fell = now < this.#cycle;
    const first = Number.isNaN(this.#cycle);
    this.#cycle = now;
    if (fell || first) {
      this.#age = 0;
      this.#young = fell || now <= OWN;
      this.#judge?.renew();
    }
    this.#age += 1;
  }

  /** The slice is over: it is told, and judged. */
  #cut(): void {
    const cells = [...this.#cells].map(([name, cell]) => [name, cellOf(cell)] as const);
    const [t_ms, end_ms] = [this.#from_ms, this.#to_ms];
    this.#cells.clear();
    this.#from_ms = Number.NaN;
    const counts = countsCycles(this.#spec);
    if (cells.length === 0 || (!counts && end_ms - t_ms < SLICE_LEAST_s * 1000)) return;
    const found: Record<string, Cell> = Object.fromEntries(cells);
    const state = Number.isNaN(this.#code) ? "" : String(this.#code);
    const since_ms = end_ms - this.#cut_ms;
    const dt_s = counts
      ? CYCLE_s
      : since_ms > 0 && since_ms <= SPARSE_s * 1000
        ? since_ms / 1000
        : 0;
    this.#cut_ms = end_ms;
    const believed = new Map(
      Object.entries(found).map(([name, [value]]) => {
        if (this.#still.get(name)?.value !== value)
          this.#still.set(name, { value, since_ms: t_ms });
        return [name, this.#slips.take(name, value, dt_s)];
      }),
    );
    if (this.#judge !== null) {
      this.#known = this.#judge.take({
        at: (name) => believed.get(name) ?? Number.NaN,
        state,
        t_s: end_ms / 1000,
        young: counts && this.#young && this.#age <= OWN,
      });
      for (const [name, level] of Object.entries(this.#judge.levels())) {
        found[name] = [level, 0, level, 1];
      }
    }
    const { settings, readings } = this.#spec;
    const doubted = [...settings, ...readings].filter((name) => {
      const odd = this.#judge?.isOdd(name) === true || this.#slips.doubts(name);
      return odd || !this.#on.believed(name);
    });
    const age = counts ? { age: this.#age } : {};
    this.#told([{ t_ms, end_ms, state, cells: found, doubted, ...age }]);
  }
}

function cellOf(cell: Thinned<number>): Cell {
  const { values, count } = cell;
  const [only = Number.NaN] = values;
  if (count === 1) return [only, 0, only, 1];
  const middle = median(values);
  return [middle, spread(values, middle), middle, count];
}
