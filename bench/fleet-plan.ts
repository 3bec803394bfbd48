//! What happens to each turbine of the simulated fleet, all of it from its seed: a machine fault a
//! month, one after the other, faults of sensors and ordinary events between them.
import { type Prng, prng } from "../agent/base/prng.js";
import { TURBINE_CHANNELS } from "../agent/sensors/plants/channels.js";
import { FAULTS } from "../agent/sensors/plants/faults.js";

/** Seeds of the report; 1 to 99 are for tuning, and those of earlier reports are not used again. */
export const TEST_SEED = 3100;
export const TUNING_SEED = 1;
export const DAY_s = 86_400;
/** Healthy time from which the machine learns its normal, and a day for it to settle. */
export const LEARN_days = 14;
const BEGIN_days = LEARN_days + 1;
export const MONTH_days = 30;
export const MONTHS = 2;
/** Weeks from the first sign to the full fault, as bearings, coolers and blades take. */
const RAMP_days = 14;
const FAULT_days = 18;
/** After a repair nothing is judged: heat and windows have to forget. */
export const RECOVERY_days = 1.5;
/** Days of a month at which its machine fault begins. */
const ONSET_days = { least: 3, most: 8 } as const;

export type Episode = {
  readonly name: string;
  readonly class: "machine" | "sensor" | "event";
  readonly from_s: number;
  readonly to_s: number;
  readonly ramp_s: number;
  readonly severity: number;
};

export type FleetPlan = {
  readonly seed: number;
  /** Built and measured exactly as the monitors' equations have it. */
  readonly matched: boolean;
  readonly begin_s: number;
  readonly end_s: number;
  readonly episodes: readonly Episode[];
};

const MACHINE = FAULTS.filter((row) => row.kind === "wind-turbine" && row.class === "machine").map(
  (row) => row.name,
);
const SENSOR_MODES = ["stuck", "spike", "drift", "bias", "dropout", "scale", "saturation"] as const;
const SENSORS = TURBINE_CHANNELS.filter((c) => c.shape === "scalar" && c.noise > 0);

/** `index` counts turbines of a run, so that the kinds of faults take turns. */
export function planTurbine(seed: number, index: number, matched = false): FleetPlan {
  const chance = prng(seed, "plan");
  const begin_s = BEGIN_days * DAY_s;
  const end_s = begin_s + MONTHS * MONTH_days * DAY_s;
  const months = Array.from({ length: MONTHS }, (_, month) => month);
  const machine = months.map((month): Episode => {
    const name = MACHINE[(MONTHS * index + month) % MACHINE.length] ?? "";
    const day = ONSET_days.least + (ONSET_days.most - ONSET_days.least) * chance.next();
    const from_s = begin_s + (MONTH_days * month + day) * DAY_s;
    const to_s = from_s + FAULT_days * DAY_s;
    const severity = 0.5 + 0.5 * chance.next();
    return { name, class: "machine", from_s, to_s, ramp_s: RAMP_days * DAY_s, severity };
  });
  const busy = machine.map(({ from_s, to_s }): Span => {
    return { from_s: from_s - DAY_s, to_s: to_s + RECOVERY_days * DAY_s };
  });
  const span = { from_s: begin_s, to_s: end_s };
  const others: Episode[] = [];
  const put = (count: number, hours: readonly [number, number], more: Named): void => {
    for (let i = 0; i < count; i++) {
      const length_s = 3600 * (hours[0] + (hours[1] - hours[0]) * chance.next());
      const from_s = freeTime(chance, span, length_s, [...busy, ...others]);
      if (from_s !== null) others.push({ ...more(), from_s, to_s: from_s + length_s, ramp_s: 0 });
    }
  };
  for (const _ of months) {
    put(2 + Math.floor(5 * chance.next()), [3, 18], () => sensorFault(chance));
  }
  // What a turbine sees in any month happens during faults, too.
  busy.length = 0;
  for (const _ of months) {
    put(3, [1, 4], () => event("stop"));
    put(3, [2, 8], () => event("curtail"));
    put(6, [0.02, 0.02], () => event("gust"));
    if (chance.next() < 0.5) put(1, [48, 72], () => event("heat_wave"));
  }
  return { seed, matched, begin_s, end_s, episodes: [...machine, ...others] };
}

type Span = { readonly from_s: number; readonly to_s: number };
type Named = () => Pick<Episode, "name" | "class" | "severity">;

const event = (name: string) => ({ name, class: "event", severity: 1 }) as const;

function sensorFault(chance: Prng) {
  const channel = SENSORS[Math.floor(chance.next() * SENSORS.length)]?.name ?? "oilTemp";
  const mode = SENSOR_MODES[Math.floor(chance.next() * SENSOR_MODES.length)] ?? "bias";
  const name = `wind-turbine:sensor:${channel}:${mode}`;
  return { name, class: "sensor", severity: 0.3 + 0.7 * chance.next() } as const;
}

/** A start at which nothing of `taken` is within an hour; null when none was found. */
function freeTime(
  chance: Prng,
  { from_s, to_s }: Span,
  length_s: number,
  taken: readonly Span[],
): number | null {
  for (let i = 0; i < 40; i++) {
    const at_s = from_s + chance.next() * (to_s - from_s - length_s);
    const clear = (other: Span) =>
      at_s > other.to_s + 3600 || at_s + length_s + 3600 < other.from_s;
    if (taken.every(clear)) return at_s;
  }
  return null;
}
