import FFT from "fft.js";
import { expect, test } from "vitest";
import { type BearingPart, bearingOrders } from "../../agent/base/physics.js";
import { prng } from "../../agent/base/prng.js";
import {
  synthesizeVibration,
  VIBRATION,
  type Vibration,
} from "../../agent/sensors/plants/vibration.js";

const COUNT = VIBRATION.count;
const fft = new FFT(COUNT);

/** Amplitude spectrum of the squared envelope in 2-6 kHz: an oracle written for this test alone. */
function envelopeSpectrum(values: Float32Array, fs_hz: number): number[] {
  const bins = fft.createComplexArray();
  fft.realTransform(bins, Array.from(values));
  for (let k = 0; k < COUNT; k++) {
    const f_hz = (k * fs_hz) / COUNT;
    const keep = f_hz >= 2000 && f_hz <= 6000 ? 2 : 0; // one-sided: the inverse is analytic
    bins[2 * k] = (bins[2 * k] ?? 0) * keep;
    bins[2 * k + 1] = (bins[2 * k + 1] ?? 0) * keep;
  }
  const analytic = fft.createComplexArray();
  fft.inverseTransform(analytic, bins);
  const squared = Array.from(
    { length: COUNT },
    (_, i) => (analytic[2 * i] ?? 0) ** 2 + (analytic[2 * i + 1] ?? 0) ** 2,
  );
  const out = fft.createComplexArray();
  fft.realTransform(out, squared);
  return Array.from({ length: COUNT / 2 }, (_, k) =>
    Math.hypot(out[2 * k] ?? 0, out[2 * k + 1] ?? 0),
  );
}

/** Height of the line at an order over the lower quartile between orders 0.2 and 12. */
function lineOverFloor(params: Vibration, seed: number, order: number): number {
  const spectrum = envelopeSpectrum(synthesizeVibration(params, prng(seed, "vib")), params.fs_hz);
  const binOf = (o: number) => (o * params.speed_radps * COUNT) / (2 * Math.PI * params.fs_hz);
  const centre = Math.round(binOf(order));
  const floor = spectrum.slice(Math.round(binOf(0.2)), Math.round(binOf(12))).sort((a, b) => a - b);
  const peak = Math.max(...spectrum.slice(centre - 2, centre + 3));
  return peak / (floor[floor.length >> 2] ?? 1);
}

const moment = (values: Float32Array, power: number): number =>
  values.reduce((sum, v) => sum + v ** power, 0) / values.length;

for (const part of ["outer", "inner", "ball", "cage"] as const) {
  const order = bearingOrders(VIBRATION.bearing)[part];
  test(`a damaged ${part} stands at order ${order.toFixed(3)}, a healthy bearing does not`, () => {
    for (const seed of [1, 2, 3]) {
      expect(lineOverFloor({ ...VIBRATION, part, severity: 1 }, seed, order)).toBeGreaterThan(7);
      expect(lineOverFloor({ ...VIBRATION, part, severity: 0 }, seed, order)).toBeLessThan(6);
    }
  });
}

test("the published orders of the 6205", () => {
  const orders = bearingOrders(VIBRATION.bearing);
  const published: Record<BearingPart, number> = {
    outer: 3.5848,
    inner: 5.4152,
    ball: 2.3567,
    cage: 0.3983,
  };
  for (const part of ["outer", "inner", "ball", "cage"] as const) {
    expect(orders[part]).toBeCloseTo(published[part], 4);
  }
});

test("damage shows in the kurtosis, and hardly in the velocity", () => {
  const healthy = synthesizeVibration(VIBRATION, prng(1, "vib"));
  const damaged = synthesizeVibration({ ...VIBRATION, severity: 1 }, prng(1, "vib"));
  const kurtosis = (v: Float32Array) => moment(v, 4) / moment(v, 2) ** 2;
  expect(kurtosis(healthy)).toBeLessThan(3.3);
  expect(kurtosis(damaged)).toBeGreaterThan(5);
  const healthyVelocity = velocityRms(healthy, VIBRATION.fs_hz);
  expect(healthyVelocity).toBeGreaterThan(0.3e-3);
  expect(healthyVelocity).toBeLessThan(3.5e-3); // below the usual B/C limit of a gearbox
  expect(velocityRms(damaged, VIBRATION.fs_hz) / healthyVelocity).toBeLessThan(1.3);
});

test("one stream, one block; a standing shaft is silent but for the noise", () => {
  const draw = (seed: number, speed_radps: number) =>
    synthesizeVibration({ ...VIBRATION, speed_radps, severity: 1 }, prng(seed, "vib"));
  expect(draw(4, 120)).toEqual(draw(4, 120));
  expect(draw(4, 120)).not.toEqual(draw(5, 120));
  expect(Math.sqrt(moment(draw(4, 0), 2))).toBeLessThan(0.15);
});

function velocityRms(values: Float32Array, fs_hz: number): number {
  const bins = fft.createComplexArray();
  fft.realTransform(bins, Array.from(values));
  let sum = 0;
  for (let k = 1; k < COUNT / 2; k++) {
    const f_hz = (k * fs_hz) / COUNT;
    if (f_hz < 10 || f_hz > 1000) continue;
    const a = (2 * Math.hypot(bins[2 * k] ?? 0, bins[2 * k + 1] ?? 0)) / COUNT;
    sum += (a / (2 * Math.PI * f_hz)) ** 2 / 2;
  }
  return Math.sqrt(sum);
}
