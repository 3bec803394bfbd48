// NEON, with and without the dot product instruction (ARMv8.2; a Raspberry Pi 4 has none).
#pragma once
#include <arm_neon.h>
#include <sys/auxv.h>
#include "scalar.hpp"

namespace sterna::neon {

inline bool supported_dot() { return (getauxval(AT_HWCAP) >> 20 & 1) != 0; }

inline int8x16_t four(const int8_t* x) {
  int32_t v;
  __builtin_memcpy(&v, x, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(v));
}

inline int8x16_t code(uint8x16_t v, int field) {
  const uint8x16_t three = vdupq_n_u8(3);
  const uint8x16_t down = vshlq_u8(v, vdupq_n_s8(static_cast<int8_t>(-2 * field)));
  return vreinterpretq_s8_u8(vandq_u8(down, three));
}

#define STERNA_DOT __attribute__((target("arch=armv8.2-a+dotprod")))

STERNA_DOT inline void ternary_dot(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                                   uint32_t count, uint32_t, bool, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (int h = 0; h < 4; h++) {
      int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
      for (uint32_t q = 0; q < quads; q++) {
        const int8x16_t xx = four(x + r * ldx + static_cast<size_t>(q) * 4);
        const uint8x16_t v = vld1q_u8(w + static_cast<size_t>(q) * TILE + h * 16);
#pragma GCC unroll 4
        for (int f = 0; f < 4; f++) acc[f] = vdotq_s32(acc[f], code(v, f), xx);
      }
      for (int f = 0; f < 4; f++) vst1q_s32(sums + r * TILE + f * 16 + h * 4, acc[f]);
    }
  }
}

STERNA_DOT inline void wide_dot(const uint8_t* w, const int32_t*, uint32_t quads, const int8_t* x,
                                size_t ldx, uint32_t count, uint32_t groups, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t g = 0; g < groups * 4; g++) {
      int32x4_t acc = vdupq_n_s32(0);
      for (uint32_t q = 0; q < quads; q++) {
        const uint8x16_t v = vld1q_u8(w + static_cast<size_t>(q) * TILE * 4 + g * 16);
        acc = vdotq_s32(acc, vreinterpretq_s8_u8(v), four(x + r * ldx + q * 4));
      }
      vst1q_s32(sums + r * TILE + g * 4, acc);
    }
  }
}

// Without it: two products of bytes fit 16 bits (2 * 127 * 127 = 32,258), their pairs go to 32.
inline int32x4_t multiply(int32x4_t acc, int8x16_t w, int8x16_t x) {
  const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
  const int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));
  return vaddq_s32(acc, vpaddq_s32(low, high));
}

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t, bool, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (int h = 0; h < 4; h++) {
      int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
      for (uint32_t q = 0; q < quads; q++) {
        const int8x16_t xx = four(x + r * ldx + static_cast<size_t>(q) * 4);
        const uint8x16_t v = vld1q_u8(w + static_cast<size_t>(q) * TILE + h * 16);
#pragma GCC unroll 4
        for (int f = 0; f < 4; f++) acc[f] = multiply(acc[f], code(v, f), xx);
      }
      for (int f = 0; f < 4; f++) vst1q_s32(sums + r * TILE + f * 16 + h * 4, acc[f]);
    }
  }
}

inline void wide(const uint8_t* w, const int32_t*, uint32_t quads, const int8_t* x, size_t ldx,
                 uint32_t count, uint32_t groups, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t g = 0; g < groups * 4; g++) {
      int32x4_t acc = vdupq_n_s32(0);
      for (uint32_t q = 0; q < quads; q++) {
        const uint8x16_t v = vld1q_u8(w + static_cast<size_t>(q) * TILE * 4 + g * 16);
        acc = multiply(acc, vreinterpretq_s8_u8(v), four(x + r * ldx + q * 4));
      }
      vst1q_s32(sums + r * TILE + g * 4, acc);
    }
  }
}

// Two sums, in doubles, as steps.
inline int32x2_t two_steps(int32x2_t sums, const double* scale, float64x2_t low, float64x2_t high) {
  const float64x2_t v = vmulq_f64(vcvtq_f64_s64(vmovl_s32(sums)), vld1q_f64(scale));
  const float64x2_t step = vrndmq_f64(vaddq_f64(v, vdupq_n_f64(0.5)));
  return vmovn_s64(vcvtq_s64_f64(vmaxq_f64(vminq_f64(step, high), low)));
}

inline void requantise(const Sums& s, Range range, int8_t* y, size_t ldy) {
  const float64x2_t low = vdupq_n_f64(range.low), high = vdupq_n_f64(range.high);
  for (uint32_t r = 0; r < s.rows; r++, y += ldy) {
    const int32x4_t offset = vdupq_n_s32(s.offsets[r]);
    for (uint32_t i = 0; i < s.count; i += 4) {
      const int32x4_t all = vaddq_s32(vld1q_s32(s.sums + r * s.row + i), vld1q_s32(s.bias + i));
      const int32x4_t v = vsubq_s32(all, offset);
      const int32x2_t a = two_steps(vget_low_s32(v), s.scale + i, low, high);
      const int32x2_t b = two_steps(vget_high_s32(v), s.scale + i + 2, low, high);
      const int16x4_t words = vmovn_s32(vcombine_s32(a, b));
      const int32x2_t bytes = vreinterpret_s32_s8(vmovn_s16(vcombine_s16(words, words)));
      store_four(y + i, vget_lane_s32(bytes, 0), s.count - i);
    }
  }
}

inline const Kernels DOT = {
    "neon-dot",         supported_dot,    ternary_dot,  wide_dot,          scalar::total,
    requantise,         scalar::quantise, scalar::real, scalar::real_sums, nullptr,
    planes::plain::run};
inline const Kernels PLAIN = {
    "neon",             scalar::supported, ternary,      wide,              scalar::total,
    requantise,         scalar::quantise,  scalar::real, scalar::real_sums, nullptr,
    planes::plain::run};

}  // namespace sterna::neon
