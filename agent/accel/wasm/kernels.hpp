// WebAssembly SIMD128. A 16-byte vector of the layout is 4 outputs x 4 inputs: read as 16-bit lanes,
// the low bytes are inputs 0 and 2, the high bytes 1 and 3, so one dot product sums two inputs of
// each of four outputs, and no horizontal sum is ever needed.
#pragma once
#include <wasm_simd128.h>
#include "../native/scalar.hpp"

namespace sterna::simd128 {

inline v128_t even(v128_t v) { return wasm_i16x8_shr(wasm_i16x8_shl(v, 8), 8); }
inline v128_t odd(v128_t v) { return wasm_i16x8_shr(v, 8); }

// One row of x. The fields stay where they are in a byte; their sums are shifted back at the end
// (at most 64 * 2 * 127 * 65,536, which 31 bits hold).
inline void ternary_row(const uint8_t* w, uint32_t quads, const int8_t* x, int32_t* sums) {
  for (int h = 0; h < 4; h++) {
    v128_t acc[4];
    for (int f = 0; f < 4; f++) acc[f] = wasm_i32x4_splat(0);
    for (uint32_t q = 0; q < quads; q++) {
      const v128_t low = wasm_v128_load(w + q * TILE + h * 16);
      const v128_t high = wasm_u16x8_shr(low, 8);
      const v128_t xx = wasm_v128_load32_splat(x + q * 4);
      const v128_t x0 = even(xx), x1 = odd(xx);
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++) {
        const v128_t mask = wasm_i16x8_splat(static_cast<int16_t>(3 << (2 * f)));
        const v128_t a = wasm_i32x4_dot_i16x8(wasm_v128_and(low, mask), x0);
        const v128_t b = wasm_i32x4_dot_i16x8(wasm_v128_and(high, mask), x1);
        acc[f] = wasm_i32x4_add(acc[f], wasm_i32x4_add(a, b));
      }
    }
    int32_t* y = sums + h * 4;
    wasm_v128_store(y, acc[0]);
    wasm_v128_store(y + 16, wasm_i32x4_shr(acc[1], 2));
    wasm_v128_store(y + 32, wasm_i32x4_shr(acc[2], 4));
    wasm_v128_store(y + 48, wasm_i32x4_shr(acc[3], 6));
  }
}

// More rows share what it takes to bring the weights into another form: two outputs in a lane of
// 16 bits, w + 2^14 w'. Their sums in 32 bits stay apart for 64 inputs, 64 * 127 < 2^13, so one dot
// product is 16 multiplications.
constexpr uint32_t ROUND = 16;  // quads
constexpr int UPPER = 14;

// A byte of codes in each lane: the lower two of the four, each less one.
inline v128_t paired(v128_t codes) {
  const v128_t both = wasm_i16x8_mul(codes, wasm_i16x8_splat(4097));
  const v128_t fields = wasm_v128_and(both, wasm_i16x8_splat(static_cast<int16_t>(0xc003)));
  return wasm_i16x8_sub(fields, wasm_i16x8_splat((1 << UPPER) + 1));
}

// Of 4 outputs x 4 inputs of each group the weights: of groups 0 and 1 for inputs 0 and 2, and for
// 1 and 3; then the same of groups 2 and 3.
inline void unpack(const uint8_t* w, v128_t* to) {
  const v128_t codes = wasm_v128_load(w);
  const v128_t low = wasm_v128_and(codes, wasm_i16x8_splat(0xff)), high = wasm_u16x8_shr(codes, 8);
  to[0] = paired(low);
  to[1] = paired(high);
  to[2] = paired(wasm_u16x8_shr(low, 4));
  to[3] = paired(wasm_u16x8_shr(high, 4));
}

// Of some quads inputs 0 and 2, and 1 and 3.
struct Inputs {
  int32_t even[ROUND], odd[ROUND];
};

inline void spread(const int8_t* x, uint32_t quads, Inputs& to) {
  for (uint32_t q = 0; q < quads; q += 4) {
    const v128_t v = wasm_v128_load(x + q * 4);
    wasm_v128_store(to.even + q, even(v));
    wasm_v128_store(to.odd + q, odd(v));
  }
}

inline void add_to(int32_t* sums, v128_t v) {
  wasm_v128_store(sums, wasm_i32x4_add(wasm_v128_load(sums), v));
}

template <int T>
inline void pairs(const v128_t (*w)[4], uint32_t quads, const Inputs* x, int32_t* sums) {
  v128_t acc[T][2];
  for (int t = 0; t < T; t++) acc[t][0] = acc[t][1] = wasm_i32x4_splat(0);
  for (uint32_t q = 0; q < quads; q++) {
#pragma clang loop unroll(full)
    for (int t = 0; t < T; t++) {
      const v128_t x0 = wasm_v128_load32_splat(x[t].even + q);
      const v128_t x1 = wasm_v128_load32_splat(x[t].odd + q);
#pragma clang loop unroll(full)
      for (int i = 0; i < 2; i++) {
        acc[t][i] = wasm_i32x4_add(acc[t][i], wasm_i32x4_dot_i16x8(w[q][2 * i], x0));
        acc[t][i] = wasm_i32x4_add(acc[t][i], wasm_i32x4_dot_i16x8(w[q][2 * i + 1], x1));
      }
    }
  }
  for (int t = 0; t < T; t++) {
    for (int i = 0; i < 2; i++) {
      const v128_t low = wasm_i32x4_shr(wasm_i32x4_shl(acc[t][i], 32 - UPPER), 32 - UPPER);
      add_to(sums + t * TILE + i * 32, low);
      add_to(sums + t * TILE + i * 32 + 16, wasm_i32x4_shr(wasm_i32x4_sub(acc[t][i], low), UPPER));
    }
  }
}

inline int32_t total(const int8_t* x, uint32_t quads) {
  v128_t sum = wasm_i32x4_splat(0);
  uint32_t i = 0;
  for (; i + 16 <= quads * 4; i += 16) {
    const v128_t pairs = wasm_i16x8_extadd_pairwise_i8x16(wasm_v128_load(x + i));
    sum = wasm_i32x4_add(sum, wasm_i32x4_extadd_pairwise_i16x8(pairs));
  }
  int32_t rest = wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
                 wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
  for (; i < quads * 4; i++) rest += x[i];
  return rest;
}

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t, bool, int32_t* sums) {
  if (count == 1) return ternary_row(w, quads, x, sums);
  v128_t weights[ROUND][4];
  Inputs inputs[ROWS_MAX];
  // Those of the codes w + 1 are wanted.
  for (uint32_t r = 0; r < count; r++) {
    const v128_t all = wasm_i32x4_splat(total(x + r * ldx, quads));
    for (uint32_t i = 0; i < TILE; i += 4) wasm_v128_store(sums + r * TILE + i, all);
  }
  for (uint32_t from = 0; from < quads; from += ROUND) {
    const uint32_t some = least(ROUND, quads - from);
    for (uint32_t r = 0; r < count; r++) spread(x + r * ldx + from * 4, some, inputs[r]);
    for (uint32_t h = 0; h < 4; h++) {
      const uint8_t* at = w + from * TILE + h * 16;
      for (uint32_t q = 0; q < some; q++) unpack(at + q * TILE, weights[q]);
      int32_t* to = sums + h * 4;
      uint32_t r = 0;
      for (; count - r >= 3; r += 3) pairs<3>(weights, some, inputs + r, to + r * TILE);
      if (count - r == 2) pairs<2>(weights, some, inputs + r, to + r * TILE);
      if (count - r == 1) pairs<1>(weights, some, inputs + r, to + r * TILE);
    }
  }
}

inline void wide(const uint8_t* w, const int32_t*, uint32_t quads, const int8_t* x, size_t ldx,
                 uint32_t count, uint32_t groups, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t g = 0; g < groups; g++) {
      v128_t acc[4];
      for (int i = 0; i < 4; i++) acc[i] = wasm_i32x4_splat(0);
      for (uint32_t q = 0; q < quads; q++) {
        const v128_t xx = wasm_v128_load32_splat(x + r * ldx + q * 4);
        const v128_t x0 = even(xx), x1 = odd(xx);
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
          const v128_t v = wasm_v128_load(w + q * TILE * 4 + g * 64 + i * 16);
          const v128_t a = wasm_i32x4_dot_i16x8(even(v), x0);
          acc[i] = wasm_i32x4_add(acc[i], wasm_i32x4_add(a, wasm_i32x4_dot_i16x8(odd(v), x1)));
        }
      }
      for (int i = 0; i < 4; i++) wasm_v128_store(sums + r * TILE + g * 16 + i * 4, acc[i]);
    }
  }
}

// Two of four sums, in doubles, as steps in the lower half.
inline v128_t two_steps(v128_t sums, const double* scale, v128_t low, v128_t high) {
  const v128_t v = wasm_f64x2_mul(wasm_f64x2_convert_low_i32x4(sums), wasm_v128_load(scale));
  const v128_t step = wasm_f64x2_floor(wasm_f64x2_add(v, wasm_f64x2_splat(0.5)));
  return wasm_i32x4_trunc_sat_f64x2_zero(wasm_f64x2_pmax(wasm_f64x2_pmin(step, high), low));
}

// As it is stated, in doubles, for sixteen sums of which a float is not sure.
inline void sure_steps(v128_t* sums, const double* scale, Range range) {
  const v128_t low = wasm_f64x2_splat(range.low), high = wasm_f64x2_splat(range.high);
  for (int i = 0; i < 4; i++, scale += 4) {
    const v128_t other = wasm_i64x2_shuffle(sums[i], sums[i], 1, 1);
    sums[i] = wasm_i64x2_shuffle(two_steps(sums[i], scale, low, high),
                                 two_steps(other, scale + 2, low, high), 0, 2);
  }
}

// Within +-128 a float is off by less than 3e-5: where it is farther than that from a half, it
// rounds as the double does. What is clipped is sure.
constexpr float SURE = 0.4999f;
constexpr float WHOLE = 12582912;  // 1.5 * 2^23: added, it leaves the nearest whole number

// Sixteen sums of one row from output `i` on.
inline v128_t sixteen_steps(const Sums& s, uint32_t row, uint32_t i, const v128_t* by,
                            Range range) {
  const v128_t low = wasm_f32x4_splat(static_cast<float>(range.low) - 0.25f);
  const v128_t high = wasm_f32x4_splat(static_cast<float>(range.high) + 0.25f);
  const v128_t whole = wasm_f32x4_splat(WHOLE), offset = wasm_i32x4_splat(s.offsets[row]);
  v128_t sums[4], steps[4], off = wasm_f32x4_splat(0);
#pragma clang loop unroll(full)
  for (int n = 0; n < 4; n++) {
    const v128_t sum = wasm_v128_load(s.sums + row * s.row + i + 4 * n);
    sums[n] = wasm_i32x4_sub(wasm_i32x4_add(sum, wasm_v128_load(s.bias + i + 4 * n)), offset);
    const v128_t product = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[n]), by[n]);
    const v128_t v = wasm_f32x4_pmax(low, wasm_f32x4_pmin(high, product));
    steps[n] = wasm_f32x4_add(v, whole);
    const v128_t rest = wasm_f32x4_sub(v, wasm_f32x4_sub(steps[n], whole));
    off = wasm_f32x4_pmax(off, wasm_f32x4_abs(rest));
    steps[n] = wasm_i32x4_sub(steps[n], whole);
  }
  if (wasm_v128_any_true(wasm_f32x4_gt(off, wasm_f32x4_splat(SURE)))) {
    sure_steps(sums, s.scale + i, range);
    for (int n = 0; n < 4; n++) steps[n] = sums[n];
  }
  return wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(steps[0], steps[1]),
                                 wasm_i16x8_narrow_i32x4(steps[2], steps[3]));
}

inline void requantise(const Sums& given, Range range, int8_t* y, size_t ldy) {
  const Sums s = given;  // bytes written through y might change what a reference stands for
  for (uint32_t i = 0; i < s.count; i += 16) {
    const uint32_t some = least(16u, s.count - i);
    v128_t by[4];
    for (int n = 0; n < 4; n++) {
      const double* scale = s.scale + i + 4 * n;
      by[n] = wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(wasm_v128_load(scale)),
                                 wasm_f32x4_demote_f64x2_zero(wasm_v128_load(scale + 2)), 0, 2);
    }
    for (uint32_t r = 0; r < s.rows; r++) {
      const v128_t steps = sixteen_steps(s, r, i, by, range);
      int8_t* to = y + r * ldy + i;
      if (some == 16) {
        wasm_v128_store(to, steps);
        continue;
      }
      int8_t bytes[16];
      wasm_v128_store(bytes, steps);
      for (uint32_t n = 0; n < some; n++) to[n] = bytes[n];
    }
  }
}

inline const Kernels KERNELS = {
    "wasm",             scalar::supported, ternary,      wide,              total,
    requantise,         scalar::quantise,  scalar::real, scalar::real_sums, nullptr,
    planes::plain::run};

}  // namespace sterna::simd128
