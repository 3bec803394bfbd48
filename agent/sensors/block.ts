//! The binary waveform payload "STB1" (docs/payloads.md). Little-endian. The decoder trusts no
//! field: sizes are checked against the bytes that came before anything is allocated.
import { assert } from "../base/errors.js";
import type { Reject } from "../base/telemetry.js";

export const BLOCK_BYTES_MAX = 4_194_304;

/*  0  magic "STB1"     4  type: 1 f32, 2 i16     5  bytes of unit     6  zero, zero
 *  8  fs_hz f64       16  start t_ms f64        24  scale f64
 * 32  rpm f32         36  count u32             40  unit, then count samples  */
const HEADER_BYTES = 40;
const MAGIC = 0x31425453; // "STB1" read as little-endian u32
const TYPES = [null, "f32", "i16"] as const;

export type BlockHeader = {
  readonly fs_hz: number;
  /** Source time of the first sample, ms since the epoch; NaN: unknown. */
  readonly t_ms: number;
  /** Unit per count: the value of a sample is sample * scale in `unit`. */
  readonly scale: number;
  /** Shaft speed while the block was taken; null: not known. */
  readonly rpm: number | null;
  /** At most 255 bytes, as the sender writes it; "": the unit of the config. */
  readonly unit: string;
};

export type RawBlock = Omit<BlockHeader, "rpm"> & {
  readonly speed_radps: number | null;
  readonly type: "f32" | "i16";
  /** The samples where they lie in the payload, unaligned. */
  readonly bytes: Uint8Array;
};

/** The payload of one block; the kind of array chooses the type. */
export function encodeBlock(header: BlockHeader, samples: Float32Array | Int16Array): Uint8Array {
  const unit = new TextEncoder().encode(header.unit);
  assert(unit.length <= 255, "a unit of a block fits one byte of length");
  const payload = new Uint8Array(HEADER_BYTES + unit.length + samples.byteLength);
  const view = new DataView(payload.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, samples instanceof Float32Array ? 1 : 2);
  view.setUint8(5, unit.length);
  view.setFloat64(8, header.fs_hz, true);
  view.setFloat64(16, header.t_ms, true);
  view.setFloat64(24, header.scale, true);
  view.setFloat32(32, header.rpm ?? Number.NaN, true);
  view.setUint32(36, samples.length, true);
  payload.set(unit, HEADER_BYTES);
  const raw = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  payload.set(raw, HEADER_BYTES + unit.length);
  return payload;
}

/** The header and where the samples lie, or what is wrong with the payload. */
export function decodeBlock(payload: Uint8Array): RawBlock | Reject {
  if (payload.length > BLOCK_BYTES_MAX) return "too-long";
  if (payload.length === 0) return "empty";
  if (payload.length < HEADER_BYTES) return "malformed";
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const type = TYPES[view.getUint8(4)] ?? null;
  if (view.getUint32(0, true) !== MAGIC || type === null) return "malformed";
  if (view.getUint16(6, true) !== 0) return "malformed"; // a later version, not this one
  const fs_hz = view.getFloat64(8, true);
  const t_ms = view.getFloat64(16, true);
  const scale = view.getFloat64(24, true);
  const rpm = view.getFloat32(32, true);
  const count = view.getUint32(36, true);
  const start = HEADER_BYTES + view.getUint8(5);
  if (count === 0) return "empty";
  if (payload.length !== start + count * (type === "f32" ? 4 : 2)) return "malformed";
  const infinite = Math.abs(t_ms) === Number.POSITIVE_INFINITY || !Number.isFinite(scale);
  if (infinite || !Number.isFinite(fs_hz)) return "not-finite";
  if (fs_hz <= 0 || scale === 0) return "out-of-range";
  const speed_radps = Number.isNaN(rpm) ? null : radPerSecond(rpm);
  if (!plausibleSpeed(speed_radps)) return "out-of-range";
  const unit = Buffer.from(payload.buffer, payload.byteOffset + HEADER_BYTES, start - HEADER_BYTES);
  return {
    type,
    fs_hz,
    t_ms,
    scale,
    speed_radps,
    unit: unit.toString(),
    bytes: payload.subarray(start),
  };
}

export const radPerSecond = (rpm: number): number => (rpm * Math.PI) / 30;

const SPEED_MAX_radps = radPerSecond(1e6); // a turbocharger reaches 400,000 rpm

/** A speed is no direction; null is not known. */
export function plausibleSpeed(speed_radps: number | null): boolean {
  return speed_radps === null || (speed_radps >= 0 && speed_radps <= SPEED_MAX_radps);
}
