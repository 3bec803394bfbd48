//! The learnt end of a machine's chain: what its own drivers explain is taken off each residual, and
//! what is left is tested for a small lasting shift. Rows of what is learnt say which and how.
import { explained } from "./chain/explained.js";
import { ShiftTest } from "./chain/shift.js";
import type { Finding } from "./monitor.js";
import type { Recalled } from "./recall.js";
import { type Learnt, learnt, type Setup, scaleName } from "./setup.js";

type One = {
  readonly row: Learnt;
  readonly fit: readonly number[] | undefined;
  readonly test: ShiftTest;
  readonly scale: number;
  part: number;
};

export class Shifts implements Recalled {
  readonly #ones: readonly One[];
  readonly #commissioned: boolean;
  readonly #parts = new Map<string, One>();
  readonly #evidence = new Map<string, One>();

  constructor(rows: readonly Learnt[], setup: Setup) {
    this.#commissioned = setup.baseline !== null;
    this.#ones = rows
      .filter((row) => row.shift !== undefined || row.explained !== undefined)
      .map((row) => {
        const scale = learnt(setup, scaleName(row), Number.NaN);
        const fit = setup.baseline?.vectors?.[row.output];
        return { row, fit, scale, test: new ShiftTest(scale, row.shift?.large), part: 0 };
      });
    for (const one of this.#ones) {
      this.#parts.set(one.row.output, one);
      if (one.row.shift !== undefined) this.#evidence.set(one.row.shift.evidence, one);
    }
  }

  /** `said`: outputs before anything is taken off here; `steady`: its test may count. */
  step(dt_s: number, steady: (output: string) => boolean, said: (output: string) => number): void {
    for (const one of this.#ones) {
      const { row, fit, test } = one;
      const { explained: of, shift, about } = row;
      one.part = of === undefined ? 0 : explained(fit, of.by.map(said), of.most);
      if (shift === undefined) continue;
      const rest = said(row.output) - one.part - (about === "one" ? 1 : 0);
      test.step(dt_s, steady(row.output) ? shift.side * rest : Number.NaN);
    }
  }

  /** What is taken off an output. */
  of(output: string): number {
    return this.#parts.get(output)?.part ?? 0;
  }

  /** Undefined: no output of a test. 0 with a baseline that knows no scale: an alarm must clear. */
  evidence(output: string): number | undefined {
    const one = this.#evidence.get(output);
    return this.#commissioned && Number.isNaN(one?.scale) ? 0 : one?.test.evidence;
  }

  recollect(): Readonly<Record<string, number>> {
    const sums = [...this.#evidence].flatMap(([name, { test }]) => {
      const [small, large] = test.sums;
      return [
        [`${name}.small`, small],
        [`${name}.large`, large],
      ];
    });
    return Object.fromEntries(sums);
  }

  recall(kept: Readonly<Record<string, number>>): void {
    for (const [name, { test }] of this.#evidence) {
      test.resume([kept[`${name}.small`] ?? 0, kept[`${name}.large`] ?? 0]);
    }
  }

  /** What an older baseline switches off, in words. */
  get off(): string[] {
    if (!this.#commissioned) return [];
    return this.#ones
      .filter(({ row, scale }) => row.shift !== undefined && Number.isNaN(scale))
      .map(({ row }) => `small shifts of ${row.output}: not in the baseline, commission anew`);
  }

  explain(output: string, inner: (output: string) => Finding | null): Finding | null {
    const one = this.#evidence.get(output);
    if (one === undefined) return null;
    const { row, fit, scale } = one;
    const drivers = fit === undefined ? "" : ` beyond what ${row.explained?.by.join(", ")} explain`;
    return {
      expected: 0,
      sigma: Number.NaN,
      unit: "1",
      evidence: [
        `${row.output} has shifted for hours${drivers}, small against one reading`,
        `spread of its ten-minute means ${scale}, in SI`,
        ...(inner(row.output)?.evidence ?? []),
      ],
    };
  }
}
