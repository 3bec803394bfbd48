//! Rows over recorded flights with damaged propellers: each healthy flight is judged by what the
//! other healthy ones of its airframe taught, and so is each flight with a defect.
import { type Judged, judgeFlight, learnFlights } from "./flight-judge.js";
import { type FlightSet, readCrazypad, readPropcut } from "./flights.js";
import { bootstrap, intervalText } from "./intervals.js";
import { hasSet, noData } from "./monitor-sets.js";
import { type Bound, failedRow, type Row } from "./result.js";

const FALSE: Bound = { max: 2 };
/** Fewer teach nothing. */
const OTHERS_LEAST = 2;

export const PROPCUT_NAMES = ["propcut-false", "propcut-recall"] as const;
export const CRAZYPAD_NAMES = ["crazypad-false", "crazypad-recall"] as const;

export const propcutRows = (): Row[] =>
  rowsOf(PROPCUT_NAMES, "drone_ardupilot_propcut", readPropcut);
export const crazypadRows = (): Row[] => rowsOf(CRAZYPAD_NAMES, "drone_crazypad", readCrazypad);

export type FlightScore = {
  readonly healthy: readonly Judged[];
  readonly faulty: readonly Judged[];
  readonly refused: readonly string[];
};

/** As many rounds as there are healthy flights; in each one is held out. */
export function scoreFlights(set: FlightSet): FlightScore {
  const healthy: Judged[] = [];
  const faulty: Judged[] = [];
  const refused: string[] = [];
  for (const airframe of new Set(set.flights.map((flight) => flight.airframe))) {
    const own = set.flights.filter((flight) => flight.airframe === airframe);
    const sound = own.filter(({ what }) => what === "");
    if (sound.length <= OTHERS_LEAST) continue;
    for (const held of sound) {
      const baseline = learnFlights(
        set,
        sound.filter((flight) => flight !== held),
      );
      if (typeof baseline === "string") {
        refused.push(`without ${held.name}: ${baseline}`);
        continue;
      }
      healthy.push(judgeFlight(set, held, baseline));
      const defects = own.filter(({ what }) => what !== "");
      faulty.push(...defects.map((flight) => judgeFlight(set, flight, baseline)));
    }
  }
  return { healthy, faulty, refused };
}

function rowsOf(
  [falsely, recall]: readonly [string, string],
  folder: string,
  read: () => FlightSet,
): Row[] {
  if (!hasSet(folder)) return [...noData([falsely], "%", FALSE), ...noData([recall], "%", {})];
  const { healthy, faulty, refused } = scoreFlights(read());
  const why = refused[0] ?? "too few healthy flights";
  if (healthy.length === 0) return [failedRow(falsely, "%", FALSE, why)];
  const interval = intervalText(bootstrap(healthy, (drawn) => share(drawn, "alarmed")));
  const refusals = refused.length === 0 ? "" : `; ${refused.length} rounds refused: ${why}`;
  const windows = healthy.reduce((sum, judged) => sum + judged.windows, 0);
  const kinds = [...new Set(faulty.map(({ flight }) => flight.what))].sort();
  const found = kinds.map((what) => {
    const own = faulty.filter(({ flight }) => flight.what === what);
    const seen = own.filter(isFound).length;
    return `${what} ${seen} of ${own.length} (${share(own, "machine").toFixed(0)} % of windows)`;
  });
  const note =
    `of ${windows} windows of 2 s in ${healthy.length} healthy flights, alarms of either class, ` +
    `each flight held out in turn; ${interval} over flights${refusals}`;
  return [
    { name: falsely, value: share(healthy, "alarmed"), unit: "%", ...FALSE, note },
    {
      name: recall,
      value: (100 * faulty.filter(isFound).length) / faulty.length,
      unit: "%",
      note: `flights with an alarm of class machine, all rounds: ${found.join(", ")}`,
    },
  ];
}

const isFound = ({ machine }: Judged): boolean => machine > 0;

/** Windows in alarm in per cent. */
function share(all: readonly Judged[], of: "alarmed" | "machine"): number {
  const windows = all.reduce((sum, judged) => sum + judged.windows, 0);
  return (100 * all.reduce((sum, judged) => sum + judged[of], 0)) / windows;
}
