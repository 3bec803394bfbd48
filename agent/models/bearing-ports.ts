//! The channels a bearing may have and its nameplate. Only the accelerometer and a speed are needed.
import type { PortRow } from "./chain/port.js";
import type { NameplateRow } from "./setup.js";

const row = (
  name: string,
  unit: string,
  range: readonly [number, number],
  spike: number | null,
  about: string,
  insteadOf?: string,
): PortRow => ({
  name,
  unit,
  shape: name === "accel" ? "block" : "scalar",
  about,
  range,
  jump: null,
  pace: null,
  spike,
  noisy: name !== "accel",
  whole: false,
  ...(insteadOf === undefined ? {} : { insteadOf, plain: true }),
});

/** Readings that stand for a block: of sensors that deliver figures instead of waveforms. */
export const FIGURES = ["accelRms", "accelRms2"] as const;

export const BEARING_PORTS: readonly PortRow[] = [
  row("shaftSpeed", "rpm", [-5, 30_000], 50, "inner race"),
  row("load", "kN", [-0.2, 100], 0.5, "radial"),
  row("torque", "N.m", [-0.2, 50], 0.3, "friction, between drive and bearing"),
  row("ambientTemp", "Cel", [-40, 70], 3, "air around the housing"),
  row("bearingTemp", "Cel", [-40, 200], 4, "outer race"),
  row("accel", "m/s2", [-2000, 2000], null, "accelerometer on the housing"),
  row(FIGURES[0], "m/s2{rms}", [0, 2000], null, "rms of each block, without its waveform", "accel"),
  row(FIGURES[1], "m/s2{rms}", [0, 2000], null, "the same in a second direction", "accel"),
];

export const BEARING_PLATE: readonly NameplateRow[] = [
  { key: "rollers", unit: "1", otherwise: null, about: "rolling elements" },
  { key: "ballDiameter", unit: "mm", otherwise: null, about: "rolling element" },
  { key: "pitchDiameter", unit: "mm", otherwise: null, about: "circle of the centres" },
  { key: "contactAngle", unit: "deg", otherwise: 0, about: "0 for deep groove" },
];

/** Geometry that no bearing can have, by the key of a nameplate that is to be mended. */
export function geometryFaults(
  plate: Readonly<Record<string, number>>,
): { readonly key: string; readonly what: string; readonly instead: string }[] {
  return ["", "hssBearing."].flatMap((prefix) => {
    const [ball, pitch, rollers] = ["ballDiameter", "pitchDiameter", "rollers"].map(
      (key) => plate[prefix + key],
    );
    if (ball === undefined || pitch === undefined) return [];
    const [d, D] = [ball, pitch].map((m) => `${Number((m * 1000).toPrecision(6))} mm`);
    const key = `${prefix}ballDiameter`;
    if (!(ball > 0 && ball < pitch)) {
      const what = `rolling elements of ${d} do not fit on a pitch circle of ${D}`;
      return [{ key, what, instead: "swap ballDiameter and pitchDiameter, or mend one" }];
    }
    if (rollers === undefined || rollers * ball <= Math.PI * pitch) return [];
    const what = `${rollers} rolling elements of ${d} are more than a circle of ${D} holds`;
    return [{ key, what, instead: "mend rollers, ballDiameter or pitchDiameter" }];
  });
}
