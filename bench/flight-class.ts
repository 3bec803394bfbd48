//! Which defect a flight has, told by a small network: trained on the repository's own recipe, judged
//! on flights that it never saw. For evaluation of ternary against float alone: nothing of it ships.
import { prng } from "../agent/base/prng.js";
import { bests, classRecipe, macroF1, sizesOf } from "../agent/models/convert/block-net.js";
import { predict } from "../agent/models/convert/ternary.js";
import { type Examples, train } from "../agent/models/convert/trainer.js";
import { type Flight, type FlightSet, readCrazypad, readPropcut } from "./flights.js";
import type { Judged } from "./monitor-blocks.js";
import { hasSet, noData } from "./monitor-sets.js";
import type { Row } from "./result.js";

type Seeds = readonly number[];
const WINDOW_ms = 2000;
const HOP_ms = 500;
const MOTORS = ["motorOutput1", "motorOutput2", "motorOutput3", "motorOutput4"] as const;
const IN_AIR = 25; // per cent of motor output
const CLIP = 4; // spreads
const INPUT_STEP = Math.fround(CLIP / 127);
const HIDDEN = [48, 32];
const JITTER = 0.3;

/** Channels whose level says something, and those of which only the unrest does. */
type Sight = { readonly levels: readonly string[]; readonly unrest: readonly string[] };
const VIBES = [0, 1, 2].flatMap((unit) => ["VibeX", "VibeY", "VibeZ"].map((v) => `${v}${unit}`));
const PROPCUT: Sight = {
  levels: VIBES,
  unrest: ["accelX", "accelY", "accelZ", "GyrX", "GyrY", "GyrZ", ...MOTORS],
};
const CRAZYPAD: Sight = { levels: [], unrest: ["ax", "ay", "accelZ", "roll", "yaw", ...MOTORS] };

type Window = { readonly flight: Flight; readonly x: readonly number[] };

/** Windows of two seconds in the air; a battery's own voltage and the place tell no defect. */
function windowsOf(flight: Flight, sight: Sight): Window[] {
  const by = new Map<string, { t_ms: number[]; values: number[] }>();
  for (const { channel, t_ms, value } of flight.readings) {
    const own = by.get(channel) ?? { t_ms: [], values: [] };
    by.set(channel, own);
    own.t_ms.push(t_ms);
    own.values.push(value);
  }
  const [from_ms = 0, to_ms = 0] = [flight.readings[0]?.t_ms, flight.readings.at(-1)?.t_ms];
  const windows: Window[] = [];
  for (let at_ms = from_ms; at_ms + WINDOW_ms <= to_ms; at_ms += HOP_ms) {
    const within = (name: string): number[] => {
      const { t_ms = [], values = [] } = by.get(name) ?? {};
      const [first, last] = [lower(t_ms, at_ms), lower(t_ms, at_ms + WINDOW_ms)];
      return values.slice(first, last);
    };
    const outputs = MOTORS.map((name) => within(name));
    if (!outputs.every((values) => values.length > 2 && Math.min(...values) > IN_AIR)) continue;
    const means = outputs.map(mean);
    const all = mean(means);
    const volts = mean(within("batteryVoltage"));
    const amps = mean(within("batteryCurrent"));
    const x = [
      ...means.map((m) => m / all),
      Math.log(all * volts),
      ...(Number.isNaN(amps) ? [] : [Math.log(amps * volts)]),
      ...sight.levels.map((name) => Math.log(1e-3 + mean(within(name)))),
      ...sight.unrest.flatMap((name) => unrest(within(name))),
    ];
    if (!x.some(Number.isNaN)) windows.push({ flight, x });
  }
  return windows;
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

/** Logarithms of the spread, and of that of the changes from reading to reading. */
function unrest(values: readonly number[]): number[] {
  const spread = (of: readonly number[]): number => {
    const middle = mean(of);
    return Math.sqrt(mean(of.map((v) => (v - middle) ** 2)));
  };
  const changes = values.slice(1).map((v, i) => v - (values[i] as number));
  return [Math.log(1e-4 + spread(values)), Math.log(1e-4 + spread(changes))];
}

function lower(sorted: readonly number[], x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** About the middle, in spreads within the classes: what flights of one class differ by is noise. */
function scaler(
  teach: readonly Window[],
  label: (window: Window) => number,
): (windows: readonly Window[]) => Float64Array {
  const width = teach[0]?.x.length ?? 0;
  const columns = Array.from({ length: width }, (_, j) => teach.map(({ x }) => x[j] as number));
  const labels = teach.map(label);
  const classes = Array.from({ length: Math.max(...labels) + 1 }, (_, c) => c);
  const middles = columns.map(mean);
  const spreads = columns.map((column) => {
    const own = classes.map((c) => mean(column.filter((_, i) => labels[i] === c)));
    return Math.sqrt(mean(column.map((v, i) => (v - (own[labels[i] ?? -1] ?? 0)) ** 2))) || 1;
  });
  return (windows) =>
    Float64Array.from(
      windows.flatMap(({ x }) =>
        x.map((v, j) => {
          const z = (v - (middles[j] as number)) / (spreads[j] as number);
          return Math.max(-CLIP, Math.min(CLIP, z));
        }),
      ),
    );
}

function judge(
  teach: readonly Window[],
  test: readonly Window[],
  classOf: (flight: Flight) => string,
  fold: string,
  seed: number,
): Judged {
  const classes = [...new Set(teach.map(({ flight }) => classOf(flight)))].sort();
  const label = ({ flight }: Window): number => classes.indexOf(classOf(flight));
  const counts = classes.map((_, c) => teach.filter((window) => label(window) === c).length);
  const most = Math.max(...counts);
  // Each class as often as the others.
  const even = teach.flatMap((window) => {
    const times = Math.round(most / (counts[label(window)] as number));
    return new Array<Window>(times).fill(window);
  });
  const scale = scaler(teach, label);
  const y = new Float64Array(even.length * classes.length);
  even.forEach((window, i) => {
    y[i * classes.length + label(window)] = 1;
  });
  const set: Examples = { count: even.length, x: scale(even), y };
  const sizes = [teach[0]?.x.length ?? 0, ...HIDDEN, classes.length];
  const plan = classRecipe(sizes, INPUT_STEP, JITTER);
  const { teacher, pupil } = train(plan, set, prng(seed, "flights"));
  const x = scale(test);
  const truth = test.map(label);
  const said = bests(predict(pupil, x, true), test.length);
  return {
    fold,
    file: macroF1(truth, said),
    float: macroF1(truth, bests(predict(teacher, x, false), test.length)),
    right: truth.filter((t, i) => t === said[i]).length / truth.length,
    ...sizesOf(pupil),
  };
}

type Split = (flight: Flight, index: number) => number;

function judgeSet(
  seeds: Seeds,
  set: FlightSet,
  sight: Sight,
  classOf: (flight: Flight) => string,
  split: Split,
): Judged[] {
  const folds = new Map(set.flights.map((flight, i) => [flight, split(flight, i)]));
  const windows = set.flights.flatMap((flight) => windowsOf(flight, sight));
  return [...new Set(folds.values())].sort().flatMap((k) => {
    const held = ({ flight }: Window): boolean => folds.get(flight) === k;
    const teach = windows.filter((window) => !held(window));
    const test = windows.filter(held);
    return seeds.map((seed) => judge(teach, test, classOf, `fold ${k + 1}`, seed));
  });
}

/** Three classes of cut, each repetition taught by the other: one pair of F1 a seed and fold. */
export function propcutClasses(seeds: Seeds): Judged[] {
  const repetition: Split = ({ name }) => Number(name.endsWith("_2"));
  return judgeSet(seeds, readPropcut(), PROPCUT, ({ what }) => what, repetition);
}

/** Healthy, cut (any depth), tape, weight; three folds, each kind's flights dealt in turn. */
export function crazypadClasses(seeds: Seeds): Judged[] {
  const set = readCrazypad();
  const order = new Map<string, number>();
  const dealt = new Map(
    set.flights.map((flight) => {
      const nth = order.get(flight.what) ?? 0;
      order.set(flight.what, nth + 1);
      return [flight, nth % 3];
    }),
  );
  return judgeSet(
    seeds,
    set,
    CRAZYPAD,
    ({ what }) => what.split("_")[0] ?? "",
    (flight) => dealt.get(flight) ?? 0,
  );
}

export const CLASS_NAMES = ["propcut-f1", "crazypad-f1"] as const;
type Name = (typeof CLASS_NAMES)[number];
const SETS: Readonly<
  Record<Name, { folder: string; min: number; run: (seeds: Seeds) => Judged[] }>
> = {
  "propcut-f1": { folder: "drone_ardupilot_propcut", min: 0.92, run: propcutClasses },
  "crazypad-f1": { folder: "drone_crazypad", min: 0.84, run: crazypadClasses },
};
const judged = new Map<Name, readonly Judged[]>();

/** Pairs of F1, file and float, of a set; null where it is not at hand. */
export function classesOfFlights(name: Name, seeds: Seeds): readonly Judged[] | null {
  const { folder, run } = SETS[name];
  if (!hasSet(folder)) return null;
  const found = judged.get(name) ?? run(seeds);
  judged.set(name, found);
  return found;
}

export function classRows(seeds: Seeds): Row[] {
  return CLASS_NAMES.flatMap((name): Row[] => {
    const { min } = SETS[name];
    const found = classesOfFlights(name, seeds);
    if (found === null) return noData([name], "1", { min });
    const files = found.map(({ file }) => file);
    const folds = [...new Set(found.map(({ fold }) => fold))].map((fold) => {
      const own = found.filter((one) => one.fold === fold).map(({ file }) => file);
      return `${fold} ${mean(own).toFixed(3)}`;
    });
    const note =
      `macro-F1 of windows of 2 s by flight, ${seeds.length} seeds: ${folds.join(", ")}; worst ` +
      `${Math.min(...files).toFixed(3)}; float32 teachers ` +
      `${mean(found.map(({ float }) => float)).toFixed(3)}; for evaluation, does not ship`;
    return [{ name, value: mean(files), unit: "1", min, note }];
  });
}
