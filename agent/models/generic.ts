//! The monitor of any machine: no equations, but the normal that commissioning learnt of its
//! channels, per regime. A health index grows where several channels leave it together; a channel
//! that leaves it alone, against the others, is its sensor.
import { valueIn } from "../units/format.js";
import type { PortRow } from "./chain/port.js";
import { median, spread, Thinned } from "./chain/robust.js";
import { SUSPICIONS } from "./chain/validity.js";
import type { Cell, Row } from "./commission-slices.js";
import { countsCycles, type GenericSpec, type Read, readNormal } from "./generic-baseline.js";
import type { Slice } from "./generic-fit.js";
import { GenericHealth, OWN } from "./generic-health.js";
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

/** A scalar channel of the asset, as the config declares it. */
export type GenericChannel = { readonly name: string; readonly unit: string };
export type Told = (rows: readonly Row[]) => void;

const SLICE_s = 600;
const SPARSE_s = 7200;
/** A slice that a change of state cut shorter than this says nothing. */
const SLICE_LEAST_s = 60;
const VALUES_MAX = 64;
const FAR = 1.5;
const NAMED = 3;
const DISAGREES = SUSPICIONS.indexOf("disagrees");

/** What of a generic machine may follow the seasons: each level by its own spread. Cycles wear. */
export const genericLearns = (spec: GenericSpec): Learnt[] =>
  countsCycles(spec)
    ? []
    : spec.readings.map((name) => ({
        output: `${name}.level`,
        middle: `${name}.level`,
        spread: `${name}.spread`,
        about: "zero",
        credible: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
        drift: 1,
      }));

export function createGenericMonitor(
  channels: readonly GenericChannel[],
  spec: GenericSpec,
  setup: Setup,
  told: Told,
): Monitor {
  const ports = channels.map(({ name, unit }): PortRow => {
    const range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const never = { jump: null, pace: null, spike: null, noisy: false, whole: false };
    return { name, unit, shape: "scalar", about: "", range, ...never, plain: true };
  });
  const judged = new Set(spec.readings);
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
    physics: (readings, own) => new GenericPhysics(readings, own, spec, ports, judged, told),
  };
  return createMachineMonitor(machine, setup);
}

class GenericPhysics implements Physics {
  readonly off: string[] = [];
  readonly says: Said;
  readonly #on: Readings;
  readonly #spec: GenericSpec;
  readonly #told: Told;
  readonly #read: Read | null = null;
  readonly #health: GenericHealth | null = null;
  readonly #units: ReadonlyMap<string, string>;
  readonly #cells = new Map<string, Thinned<number>>();
  #from_ms = Number.NaN;
  #to_ms = Number.NaN;
  #code = Number.NaN;
  #cycle = Number.NaN;
  #age = 0;
  #young = false;
  #known = false;

  constructor(
    readings: Readings,
    setup: Setup,
    spec: GenericSpec,
    ports: readonly PortRow[],
    judged: ReadonlySet<string>,
    told: Told,
  ) {
    this.#on = readings;
    this.#spec = spec;
    this.#told = told;
    this.#units = new Map(ports.map(({ name, unit }) => [name, unit]));
    if (setup.baseline !== null) {
      const read = readNormal(setup, spec);
      if (typeof read === "string") this.off.push(`health of channels: ${read}`);
      else {
        this.#read = read;
        this.#health = new GenericHealth(read.normal);
        for (const name of judged) {
          const at = read.readings.indexOf(name);
          if (at < 0 || read.normal.left[at] === 0)
            this.off.push(`${name}: not learnt, not judged`);
        }
      }
    }
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
    if (records || this.#read?.single === true) this.#cut();
  }

  explain(name: string): Finding | null {
    const read = this.#read;
    const health = this.#health;
    if (read === null || health === null) return null;
    const channel = name.endsWith(".fault") ? name.slice(0, -".fault".length) : "";
    const at = read.readings.indexOf(channel);
    if (at >= 0 && health.isOdd(at)) {
      const evidence = [`${this.#say(at)}, and the channels that it follows are not`];
      return { expected: Number.NaN, sigma: Number.NaN, unit: "1", evidence };
    }
    if (name !== "health.index") return null;
    const worst = read.readings
      .map((_, j) => j)
      .filter((j) => !Number.isNaN(health.deviation(j)))
      .sort((a, b) => Math.abs(health.deviation(b)) - Math.abs(health.deviation(a)))
      .slice(0, NAMED);
    const evidence = [
      ...worst.map((j) => this.#say(j)),
      `${health.far(FAR)} of ${read.readings.length} channels are off by more than ${FAR} spreads`,
    ];
    return { expected: 0, sigma: 1, unit: "1", evidence };
  }

  readonly memory = {
    save: (): unknown =>
      this.#health === null || !countsCycles(this.#spec)
        ? null
        : { ...this.#health.save(), age: this.#age, cycle: this.#cycle, young: this.#young },
    restore: (kept: unknown): void => {
      if (typeof kept !== "object" || kept === null || this.#health === null) return;
      const { age, cycle, young } = kept as Readonly<Record<string, unknown>>;
      this.#health.restore(kept);
      if (typeof age === "number") this.#age = age;
      if (typeof cycle === "number") this.#cycle = cycle;
      this.#young = young === true;
    },
  };

  #said(): Said {
    const health = this.#health;
    const read = this.#read;
    const known = (said: () => number) => (): number => (this.#known ? said() : Number.NaN);
    const each = this.#spec.readings.flatMap((name): [string, () => number][] => {
      const at = read?.readings.indexOf(name) ?? -1;
      const odd = (): boolean => health?.isOdd(at) === true;
      const doubted = (): number => (this.#on.believed(name) ? 0 : this.#on.code(name));
      return [
        [`${name}.fault`, () => doubted() || (odd() ? DISAGREES : 0)],
        [`${name}.deviation`, known(() => health?.deviation(at) ?? Number.NaN)],
      ];
    });
    return {
      ...Object.fromEntries(each),
      "health.index": known(() => health?.index ?? Number.NaN),
      "health.limit": () => read?.limit ?? Number.NaN,
      "health.channels": known(() => health?.far(FAR) ?? Number.NaN),
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
      this.#health?.renew();
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
    this.#judge(found, state);
    const { levels = [] } = this.#health ?? {};
    const doubted = this.#spec.readings.filter((name) => {
      const at = this.#read?.readings.indexOf(name) ?? -1;
      return !this.#on.believed(name) || this.#health?.isOdd(at) === true;
    });
    levels.forEach((level, j) => {
      const name = this.#read?.readings[j];
      if (name !== undefined && !Number.isNaN(level)) {
        found[`${name}.level`] = [level - this.#on.normal(`${name}.level`, 0), 0, level, 1];
      }
    });
    const age = counts ? { age: this.#age } : {};
    this.#told([{ t_ms, end_ms, state, cells: found, doubted, ...age }]);
  }

  #judge(cells: Readonly<Record<string, Cell>>, state: string): void {
    const read = this.#read;
    if (read === null || this.#health === null) return;
    const at = (name: string): number => cells[name]?.[0] ?? Number.NaN;
    const slice: Slice = {
      settings: this.#spec.settings.map(at),
      readings: read.readings.map(at),
      state,
      unit: 0,
    };
    const young = countsCycles(this.#spec) && this.#young && this.#age <= OWN;
    const moved = (j: number): number => this.#on.normal(`${read.readings[j]}.level`, 0);
    this.#known = this.#health.take(slice, young, moved);
  }

  #say(reading: number): string {
    const name = this.#read?.readings[reading] ?? "";
    const away = this.#health?.deviation(reading) ?? Number.NaN;
    const unit = this.#units.get(name) ?? "1";
    const now = valueIn(this.#on.raw(name), unit);
    const way = away < 0 ? "below" : "above";
    const far = Math.abs(away).toFixed(1);
    return `${name} is ${far} spreads ${way} its normal (now ${Number(now.toPrecision(4))} ${unit})`;
  }
}

function cellOf(cell: Thinned<number>): Cell {
  const { values, count } = cell;
  const [only = Number.NaN] = values;
  if (count === 1) return [only, 0, only, 1];
  const middle = median(values);
  return [middle, spread(values, middle), middle, count];
}
