import { expect, test } from "vitest";
import { BEARING_6205, bearingOrders } from "../../agent/base/physics.js";
import { prng } from "../../agent/base/prng.js";
import { BlockAnalyser } from "../../agent/models/features/analyser.js";
import {
  CELL_ORDERS,
  faultAxis,
  normalise,
  ORDER_BINS,
  ORDER_STEP,
  PLAIN_AXIS,
} from "../../agent/models/features/orders.js";
import { synthesizeVibration, VIBRATION } from "../../agent/sensors/plants/vibration.js";

const FS = 25_600;
const COUNT = 32_768;
const SPEED = 122.91;
const analyser = new BlockAnalyser(COUNT);
const tone = (amplitude: number, f_hz: number): Float32Array =>
  Float32Array.from(
    { length: COUNT },
    (_, i) => amplitude * Math.sin((2 * Math.PI * f_hz * i) / FS),
  );

test("a tone: rms, crest, kurtosis 1.5, and velocity a / (2 pi f)", () => {
  for (const turns of [25, 125, 614]) {
    const f_hz = (turns * FS) / COUNT; // whole turns: no mean is left
    const found = analyser.analyse(tone(9.8, f_hz), FS);
    expect(found.rms).toBeCloseTo(9.8 / Math.SQRT2, 1);
    expect(found.peak).toBeCloseTo(9.8, 1);
    expect(found.crest).toBeCloseTo(Math.SQRT2, 1);
    expect(found.kurtosis).toBeCloseTo(1.5, 1);
    const velocity = 9.8 / Math.SQRT2 / (2 * Math.PI * f_hz);
    expect(Math.abs(found.velocityRms / velocity - 1)).toBeLessThan(0.01);
  }
});

test("velocity leaves out what is below 10 Hz and above 1 kHz", () => {
  const inside = analyser.analyse(tone(1, 100), FS).velocityRms;
  expect(analyser.analyse(tone(1, 5), FS).velocityRms).toBeLessThan(0.02 * inside);
  expect(analyser.analyse(tone(1, 1500), FS).velocityRms).toBeLessThan(1e-3 * inside);
});

test("Gaussian noise has kurtosis 3; the mean does not count", () => {
  const random = prng(3, "noise");
  const values = Float32Array.from({ length: COUNT }, () => 5 + random.normal());
  const found = analyser.analyse(values, FS);
  expect(found.kurtosis).toBeCloseTo(3, 0);
  expect(found.rms).toBeCloseTo(1, 1);
});

test("an amplitude-modulated carrier gives its modulation as one envelope line", () => {
  const rate_hz = (SPEED / (2 * Math.PI)) * 3.6;
  const values = Float32Array.from({ length: COUNT }, (_, i) => {
    const t = i / FS;
    return (2 + Math.sin(2 * Math.PI * rate_hz * t)) * Math.sin(2 * Math.PI * 3600 * t);
  });
  analyser.analyse(values, FS);
  const lines = new Float32Array(ORDER_BINS);
  analyser.orders(PLAIN_AXIS, SPEED, lines);
  const top = lines.indexOf(Math.max(...lines));
  expect(top * ORDER_STEP).toBeCloseTo(3.6, 1);
  expect(lines[top]).toBeGreaterThan(0.85);
  expect(lines[top]).toBeLessThan(1.05);
  expect(lines[top + 20]).toBeLessThan(0.02);
});

test("6205: 3.5848 / 5.4152 / 2.3567 / 0.3983", () => {
  const orders = bearingOrders(BEARING_6205);
  expect(orders.outer).toBeCloseTo(3.5848, 4);
  expect(orders.inner).toBeCloseTo(5.4152, 4);
  expect(orders.ball).toBeCloseTo(2.3567, 4);
  expect(orders.cage).toBeCloseTo(0.3983, 4);
});

test("damage shows in the envelope, then in kurtosis, never in velocity", () => {
  const found = [0, 1.5, 3, 12].map((impulse_mps2, i) => {
    const severity = impulse_mps2 === 0 ? 0 : 1;
    const params = { ...VIBRATION, part: "outer" as const, severity, impulse_mps2 };
    const features = analyser.analyse(synthesizeVibration(params, prng(i, "snr")), FS);
    const lines = new Float32Array(ORDER_BINS);
    analyser.orders(faultAxis(VIBRATION.bearing), SPEED, lines);
    const floor = Float32Array.from(lines).sort()[ORDER_BINS / 2] ?? 1;
    return { ...features, snr: Math.max(...lines.subarray(8, 24)) / floor };
  });
  const [none, slight, fair, bad] = found as [Found, Found, Found, Found];
  type Found = (typeof found)[number];
  expect(none.snr).toBeLessThan(4);
  expect(slight.snr).toBeGreaterThan(none.snr);
  expect(fair.snr).toBeGreaterThan(8);
  expect(bad.snr).toBeGreaterThan(25);
  expect(Math.abs(none.kurtosis - slight.kurtosis)).toBeLessThan(0.15);
  expect(bad.kurtosis).toBeGreaterThan(2 * none.kurtosis);
  expect(Math.abs(bad.velocityRms / none.velocityRms - 1)).toBeLessThan(0.1);
});

test("the windows put any geometry's own lines into the middle of their cells", () => {
  for (const bearing of [BEARING_6205, { ...BEARING_6205, rollers: 13, ball_m: 0.0062 }]) {
    const { centres } = faultAxis(bearing);
    const orders = bearingOrders(bearing);
    ([orders.outer, orders.inner, orders.ball, 1] as const).forEach((order, family) => {
      for (let h = 1; h <= 4; h++) {
        const middle = (family * 4 + h - 1) * 32 + 16;
        expect(Math.abs((centres[middle] ?? 0) - order * h)).toBeLessThanOrEqual(CELL_ORDERS);
      }
    });
  }
});

test("normalising cancels gain, and what was not reached reads as the floor", () => {
  const values = Float32Array.from({ length: 512 }, (_, i) => (i < 500 ? 1 + (i % 7) : Number.NaN));
  const louder = values.map((v) => 40 * v);
  normalise(values, new Float32Array(512));
  normalise(louder, new Float32Array(512));
  expect(louder.every((v, i) => Math.abs(v - (values[i] ?? 0)) < 1e-5)).toBe(true);
  expect(values[511]).toBe(1);
});
