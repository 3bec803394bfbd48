//! Rows over labelled waveforms: networks that the repository's own script trains on the real sets,
//! judged on loads, or sizes of damage, that they never saw. For evaluation: none of them ships.
import { prng } from "../agent/base/prng.js";
import {
  bests,
  fileSays,
  macroF1,
  sizesOf,
  teacherSays,
  trainBlocks,
} from "../agent/models/convert/block-net.js";
import { classesOf, cut, type Features } from "../agent/models/convert/block-set.js";
import type { Labelled } from "../agent/models/convert/labelled.js";
import { predict } from "../agent/models/convert/ternary.js";
import { makeVibnet, VIBNET_PLAN, type VibnetPlan } from "../agent/models/convert/vibnet.js";
import { makeSet } from "../agent/models/convert/vibration-set.js";
import { atLowRate, type CwruRecord, cwruRecords, gearboxRecords } from "./labelled-sets.js";
import { hasSet, noData } from "./monitor-sets.js";
import { failedRow, type Row } from "./result.js";

const CWRU_BLOCK = 8192; // 0.7 s; two of them are all that half of the healthy record has
const GEARBOX_BLOCK = 1024;
const OVERLAP = 8;
const SIMULATED = { seed: 1001, blocks: 1500 } as const;
/** Of a quick run: the shipped recipe, cut short. */
const SHORT = { examples: 2000, teacherSteps: 800, pupilSteps: 800 } as const;

/** One network judged: macro-F1 of the file's integers and of its float teacher. */
export type Judged = {
  readonly fold: string;
  readonly file: number;
  readonly float: number;
  /** Share of right blocks, by the file. */
  readonly right: number;
  readonly zeros: number;
  readonly smaller: number;
};

type Fold = {
  readonly name: string;
  readonly teach: readonly Labelled[];
  readonly test: readonly Labelled[];
};

function judge(fold: Fold, features: Features, count: number, seed: number): Judged {
  const classes = classesOf([...fold.teach, ...fold.test], features);
  const random = prng(seed, "bench/speed");
  const taught = cut(fold.teach, { features, count, hop: count / OVERLAP, random });
  const net = trainBlocks(taught, { features, classes, seed });
  const samples = cut(fold.test, { features, count, hop: count });
  const truth = samples.map(({ record }) => classes.indexOf(record.label));
  const said = fileSays(net, samples);
  return {
    fold: fold.name,
    file: macroF1(truth, said),
    float: macroF1(truth, teacherSays(net, samples)),
    right: truth.filter((t, i) => t === said[i]).length / truth.length,
    ...sizesOf(net.pupil),
  };
}

const remembered = new Map<string, readonly Judged[]>();
/** Every fold with every seed, once a run: two rows may ask for the same. */
function judged(name: string, make: () => readonly Judged[]): readonly Judged[] {
  const known = remembered.get(name) ?? make();
  remembered.set(name, known);
  return known;
}

type Seeds = readonly number[];
const all = (
  seeds: Seeds,
  folds: readonly Fold[],
  features: Features,
  count: number,
): readonly Judged[] =>
  folds.flatMap((fold) => seeds.map((seed) => judge(fold, features, count, seed)));

/** `isTest` parts the damaged records; the healthy too if both sides have one, else by time. */
function split(
  name: string,
  records: readonly CwruRecord[],
  isTaught: (record: CwruRecord) => boolean,
  isTest: (record: CwruRecord) => boolean,
): Fold {
  const healthy = records.filter(({ label }) => label === "healthy");
  const damaged = records.filter(({ label }) => label !== "healthy");
  const apart = healthy.some(isTaught) && healthy.some(isTest);
  const half = (record: CwruRecord, second: boolean): CwruRecord => {
    const channels = record.channels.map((values) => {
      const middle = values.length >> 1;
      return second ? values.subarray(middle) : values.subarray(0, middle);
    });
    return { ...record, channels };
  };
  const own = (isOwn: (record: CwruRecord) => boolean, second: boolean): CwruRecord[] =>
    apart ? healthy.filter(isOwn) : healthy.map((record) => half(record, second));
  return {
    name,
    teach: [...own(isTaught, false), ...damaged.filter(isTaught)],
    test: [...own(isTest, true), ...damaged.filter(isTest)],
  };
}

const cwruLoads = (seeds: Seeds): readonly Judged[] =>
  judged("cwru loads", () => {
    const records = cwruRecords().map(atLowRate);
    const loads = [...new Set(records.map(({ group }) => group))].sort();
    const folds = loads.map((load) =>
      split(
        `${load} hp`,
        records,
        ({ group }) => group !== load,
        ({ group }) => group === load,
      ),
    );
    return all(seeds, folds, "orders", CWRU_BLOCK);
  });

const cwruSizes = (seeds: Seeds): readonly Judged[] => {
  const records = cwruRecords().map(atLowRate);
  const sizes = records.flatMap(({ label, size_mil }) => (label === "healthy" ? [] : [size_mil]));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  // The healthy record has no size: it is split in time.
  const fold = split(
    `${least} to ${most} mil`,
    records,
    ({ size_mil }) => size_mil === least,
    ({ size_mil }) => size_mil === most,
  );
  return all(seeds, [fold], "orders", CWRU_BLOCK);
};

const gearboxLoads = (seeds: Seeds): readonly Judged[] =>
  judged("gearbox", () => {
    const records = gearboxRecords();
    const loads = [...new Set(records.map(({ group }) => group))].sort((a, b) => +a - +b);
    const folds = loads.flatMap((first, i) =>
      loads.slice(i + 1).map((second): Fold => {
        const isTaught = ({ group }: Labelled): boolean => group === first || group === second;
        return {
          name: `${first} and ${second} %`,
          teach: records.filter(isTaught),
          test: records.filter((record) => !isTaught(record)),
        };
      }),
    );
    return all(seeds, folds, "bands", GEARBOX_BLOCK);
  });

function simulated(seeds: Seeds, plan: VibnetPlan): readonly Judged[] {
  const set = makeSet(SIMULATED.blocks, SIMULATED.seed, "test");
  const truth = [...set.label];
  return seeds.map((seed) => {
    const { teacher, pupil } = makeVibnet({ ...plan, seed });
    const said = bests(predict(pupil, set.x, true), set.count);
    return {
      fold: "simulated",
      file: macroF1(truth, said),
      float: macroF1(truth, bests(predict(teacher, set.x, false), set.count)),
      right: truth.filter((t, i) => t === said[i]).length / truth.length,
      ...sizesOf(pupil),
    };
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
const fixed = (value: number): string => value.toFixed(3);

const seedsOf = (found: readonly Judged[]): number =>
  found.length / Math.max(1, new Set(found.map(({ fold }) => fold)).size);

/** Mean of each fold over its seeds. */
function byFold(found: readonly Judged[]): string {
  const names = [...new Set(found.map(({ fold }) => fold))];
  return names
    .map((name) => {
      const own = found.filter(({ fold }) => fold === name).map(({ file }) => file);
      return `${name} ${fixed(mean(own))}`;
    })
    .join(", ");
}

function f1Row(name: string, found: readonly Judged[], bound: { min?: number }, more = ""): Row {
  const files = found.map(({ file }) => file);
  const note =
    `macro-F1 over ${seedsOf(found)} seeds: ${byFold(found)}; worst ${fixed(Math.min(...files))}; ` +
    `float32 teachers ${fixed(mean(found.map(({ float }) => float)))}${more}`;
  return { name, value: mean(files), unit: "1", ...bound, note };
}

export const CWRU_NAMES = ["cwru-f1", "cwru-f1-sizes"] as const;

export function cwruTrainedRows(seeds: Seeds): Row[] {
  if (!hasSet("cwru")) return noData(CWRU_NAMES, "1", { min: 0.97 });
  const held = "; trained on the other loads, healthy record split in time";
  const rest = "; all loads, healthy record split in time";
  return [
    f1Row(CWRU_NAMES[0], cwruLoads(seeds), { min: 0.97 }, held),
    f1Row(CWRU_NAMES[1], cwruSizes(seeds), { min: 0.88 }, rest),
  ];
}

export function gearboxRow(seeds: Seeds): Row {
  const name = "gearbox-accuracy";
  const bound = { min: 99 };
  if (!hasSet("gearbox_spectraquest")) return failedRow(name, "%", bound, "no data");
  const found = gearboxLoads(seeds);
  const right = found.map((one) => 100 * one.right);
  const pairs = new Set(found.map(({ fold }) => fold)).size;
  const note =
    `of blocks of ${GEARBOX_BLOCK} from 4 accelerometers at unseen loads; ${pairs} pairs of loads ` +
    `that teach x ${seeds.length} seeds, worst ${Math.min(...right).toFixed(2)} %`;
  return { name, value: mean(right), unit: "%", ...bound, note };
}

type Set = readonly [name: string, judged: readonly Judged[]];

/** The largest gap of any set counts, each a mean over seeds and folds. */
function gapOf(name: string, sets: readonly Set[]): Row {
  const gaps = sets.map(([, found]) => mean(found.map(({ float, file }) => 100 * (float - file))));
  const each = sets.map(([set, found], i) => {
    const zeros = mean(found.map((one) => one.zeros));
    const smaller = mean(found.map((one) => one.smaller));
    const sizes = `zeros ${zeros.toFixed(2)}, weights ${smaller.toFixed(1)}x smaller`;
    const both = [({ float }: Judged) => float, ({ file }: Judged) => file];
    const scores = both.map((read) => (100 * mean(found.map(read))).toFixed(2)).join(" to ");
    return `${set} ${(gaps[i] ?? 0).toFixed(2)} (${scores}; ${sizes})`;
  });
  const note = `macro-F1 of the float32 teacher less that of the integers, ${seedsOf(sets[0]?.[1] ?? [])} seeds; ${each.join(", ")}`;
  return { name, value: Math.max(...gaps), unit: "points", max: 1, note };
}

/** `more`: sets of other benchmarks. */
export function gapRow(seeds: Seeds, more: readonly Set[]): Row {
  const name = "ternary-f1-gap";
  if (!hasSet("cwru") || !hasSet("gearbox_spectraquest")) {
    return failedRow(name, "points", { max: 1 }, "no data");
  }
  return gapOf(name, [["CWRU loads", cwruLoads(seeds)], ["gearbox", gearboxLoads(seeds)], ...more]);
}

/** The network that ships, by other seeds of it and of its simulated blocks. */
export const vibnetGapRow = (seeds: Seeds, quick: boolean): Row =>
  gapOf(
    "vibnet-f1-gap",
    quick
      ? [["simulated, training cut short", simulated(seeds, { ...VIBNET_PLAN, ...SHORT })]]
      : [["simulated", simulated(seeds, VIBNET_PLAN)]],
  );
