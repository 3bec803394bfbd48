//! A line through points that are forgotten with time: slope and value at zero, with errors.
export type Line = {
  readonly slope: number;
  readonly slopeError: number;
  readonly atZero: number;
  /** Standard deviation of x. */
  readonly width: number;
  /** Points that it rests on. */
  readonly count: number;
};

export class Slope {
  readonly #tau_s: number;
  #w = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #yy = 0;

  constructor(tau_s: number) {
    this.#tau_s = tau_s;
  }

  add(x: number, y: number, dt_s: number): void {
    const keep = Math.exp(-dt_s / this.#tau_s);
    this.#w = keep * this.#w + 1;
    this.#x = keep * this.#x + x;
    this.#y = keep * this.#y + y;
    this.#xx = keep * this.#xx + x * x;
    this.#xy = keep * this.#xy + x * y;
    this.#yy = keep * this.#yy + y * y;
  }

  reset(): void {
    this.#w = this.#x = this.#y = this.#xx = this.#xy = this.#yy = 0;
  }

  get line(): Line {
    const [w, x, y] = [this.#w, this.#x / this.#w, this.#y / this.#w];
    const sxx = Math.max(0, this.#xx / w - x * x);
    const sxy = this.#xy / w - x * y;
    const syy = Math.max(0, this.#yy / w - y * y);
    const slope = sxx > 0 ? sxy / sxx : Number.NaN;
    const rest = Math.max(0, syy - slope * sxy);
    return {
      slope,
      slopeError: Math.sqrt(rest / sxx / w),
      atZero: y - slope * x,
      width: Math.sqrt(sxx),
      count: w,
    };
  }
}
