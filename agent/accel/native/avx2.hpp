// AVX2: vpmaddubsw sums two products in 16 bits; 64 quads of codes 0..2 and |x| <= 127 stay within
// them (64 * 2 * 2 * 127 = 32,512), then they go to 32 bits.
#pragma once
#include <immintrin.h>
#include "scalar.hpp"

#define STERNA_AVX2 __attribute__((target("avx2")))
#define STERNA_EACH _Pragma("GCC unroll 8")

namespace sterna::avx2 {

inline bool supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

STERNA_AVX2 inline __m256i four(const int8_t* x) {
  int32_t v;
  __builtin_memcpy(&v, x, 4);
  return _mm256_set1_epi32(v);
}

typedef int32_t Four __attribute__((aligned(1), may_alias));

// Adds to two accumulators the codes a and b times four of x. In assembly: GCC 12 begins with all
// products and spills the accumulators.
STERNA_AVX2 inline void add_row(__m256i& first, __m256i& second, __m256i a, __m256i b,
                                const int8_t* x) {
  __m256i xx, product;
  asm("vpbroadcastd %[x], %[xx]\n vpmaddubsw %[xx], %[a], %[product]\n"
      "vpaddw %[product], %[first], %[first]\n vpmaddubsw %[xx], %[b], %[xx]\n"
      "vpaddw %[xx], %[second], %[second]\n"
      : [first] "+x"(first), [second] "+x"(second), [xx] "=&x"(xx), [product] "=&x"(product)
      : [a] "x"(a), [b] "x"(b), [x] "m"(*reinterpret_cast<const Four*>(x)));
}

// T rows of x against two of the four fields of half a tile: twelve accumulators at most.
template <int T, int F>
STERNA_AVX2 inline void ternary_fields(const uint8_t* w, uint32_t quads, const int8_t* x,
                                       size_t ldx, int32_t* sums) {
  const __m256i three = _mm256_set1_epi8(3), one = _mm256_set1_epi16(1);
  uint32_t from = 0;
  do {
    const uint32_t to = least(quads, from + 64);
    __m256i acc[T][2];
    STERNA_EACH for (int t = 0; t < T; t++) acc[t][0] = acc[t][1] = _mm256_setzero_si256();
    for (uint32_t q = from; q < to; q++) {
      const __m256i v =
          _mm256_load_si256(reinterpret_cast<const __m256i*>(w + static_cast<size_t>(q) * TILE));
      const __m256i first = F == 0 ? v : _mm256_srli_epi16(v, 2 * F);
      const __m256i a = _mm256_and_si256(first, three);
      const __m256i b = _mm256_and_si256(_mm256_srli_epi16(v, 2 * F + 2), three);
      STERNA_EACH for (int t = 0; t < T; t++) {
        add_row(acc[t][0], acc[t][1], a, b, x + t * ldx + static_cast<size_t>(q) * 4);
      }
    }
    STERNA_EACH for (int t = 0; t < T; t++) {
      STERNA_EACH for (int f = 0; f < 2; f++) {
        __m256i* at = reinterpret_cast<__m256i*>(sums + t * TILE + (F + f) * 16);
        const __m256i sum = _mm256_madd_epi16(acc[t][f], one);
        _mm256_storeu_si256(at, from == 0 ? sum : _mm256_add_epi32(_mm256_loadu_si256(at), sum));
      }
    }
    from += 64;
  } while (from < quads);
}

template <int T>
STERNA_AVX2 void ternary_rows(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                              uint32_t groups, int32_t* sums) {
  for (int half = 0; half < 2; half++) {
    ternary_fields<T, 0>(w + half * 32, quads, x, ldx, sums + half * 8);
    if (groups > 2) ternary_fields<T, 2>(w + half * 32, quads, x, ldx, sums + half * 8);
  }
}

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t groups, bool, int32_t* sums) {
  switch (count) {
    case 6: return ternary_rows<6>(w, quads, x, ldx, groups, sums);
    case 5: return ternary_rows<5>(w, quads, x, ldx, groups, sums);
    case 4: return ternary_rows<4>(w, quads, x, ldx, groups, sums);
    case 3: return ternary_rows<3>(w, quads, x, ldx, groups, sums);
    case 2: return ternary_rows<2>(w, quads, x, ldx, groups, sums);
    default: return ternary_rows<1>(w, quads, x, ldx, groups, sums);
  }
}

// 16-bit lanes hold two bytes of w: each is taken apart by shifts, so signs come for free.
STERNA_AVX2 inline void wide(const uint8_t* w, const int32_t*, uint32_t quads, const int8_t* x,
                             size_t ldx, uint32_t count, uint32_t groups, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t g = 0; g < groups * 2; g++) {
      __m256i acc = _mm256_setzero_si256();
      for (uint32_t q = 0; q < quads; q++) {
        const __m256i v = _mm256_load_si256(
            reinterpret_cast<const __m256i*>(w + static_cast<size_t>(q) * TILE * 4 + g * 32));
        const __m256i xx = four(x + r * ldx + static_cast<size_t>(q) * 4);
        const __m256i w0 = _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8);
        const __m256i x0 = _mm256_srai_epi16(_mm256_slli_epi16(xx, 8), 8);
        const __m256i odd = _mm256_madd_epi16(_mm256_srai_epi16(v, 8), _mm256_srai_epi16(xx, 8));
        acc = _mm256_add_epi32(acc, _mm256_add_epi32(_mm256_madd_epi16(w0, x0), odd));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * TILE + g * 8), acc);
    }
  }
}

STERNA_AVX2 inline int32_t total(const int8_t* x, uint32_t quads) {
  // x + 128 is unsigned, and one instruction sums eight of those.
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
  __m256i sum = _mm256_setzero_si256();
  uint32_t q = 0;
  for (; q + 8 <= quads; q += 8) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + q * 4));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_xor_si256(v, flip), _mm256_setzero_si256()));
  }
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  const int64_t all = _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
  const int32_t whole = static_cast<int32_t>(all) - 128 * 4 * static_cast<int32_t>(q);
  return whole + scalar::total(x + static_cast<size_t>(q) * 4, quads - q);
}

STERNA_AVX2 inline __m256i ints(const int32_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// As it is stated, in doubles, for sixteen sums of which a float is not sure.
STERNA_AVX2 inline __m128i sure_steps(__m256i a, __m256i b, const double* scale, Range range) {
  const __m256d low = _mm256_set1_pd(range.low), high = _mm256_set1_pd(range.high);
  const __m256d half = _mm256_set1_pd(0.5);
  const __m128i sums[4] = {_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1),
                           _mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1)};
  __m128i steps[4];
  for (int i = 0; i < 4; i++) {
    const __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(sums[i]), _mm256_loadu_pd(scale + i * 4));
    const __m256d whole = _mm256_floor_pd(_mm256_add_pd(v, half));
    steps[i] = _mm256_cvtpd_epi32(_mm256_max_pd(_mm256_min_pd(whole, high), low));
  }
  return _mm_packs_epi16(_mm_packs_epi32(steps[0], steps[1]), _mm_packs_epi32(steps[2], steps[3]));
}

// Within +-128 a float is off by less than 3e-5: where it is farther than that from a half, it
// rounds as the double does. What lies beyond is clipped, whatever it rounds to.
constexpr float SURE = 0.4999f;

// The nearest whole numbers of sum * by; `off` keeps how far the farthest was from one.
STERNA_AVX2 inline __m256i nearest(__m256i sum, __m256 by, __m256& off) {
  const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), by);
  const __m256i whole = _mm256_cvtps_epi32(v);
  const __m256 rest = _mm256_sub_ps(v, _mm256_cvtepi32_ps(whole));
  off = _mm256_max_ps(off, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), rest));
  return whole;
}

STERNA_AVX2 inline __m256 floats_of(const double* at) {
  return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_loadu_pd(at + 4)),
                         _mm256_cvtpd_ps(_mm256_loadu_pd(at)));
}

// All rows for sixteen outputs at a time: bias and scale stay in registers. `s` is a copy, for
// bytes written through y might change what a reference stands for.
STERNA_AVX2 inline void requantise_block(const Sums s, uint32_t i, Range range, int8_t* y,
                                         size_t ldy) {
  const __m128i low = _mm_set1_epi8(static_cast<char>(range.low));
  const __m128i high = _mm_set1_epi8(static_cast<char>(range.high));
  const __m256i bias0 = ints(s.bias + i), bias1 = ints(s.bias + i + 8);
  const __m256 by0 = floats_of(s.scale + i), by1 = floats_of(s.scale + i + 8);
  // A scale of 1 and more could leave what 32 bits hold.
  const __m256 large = _mm256_cmp_ps(_mm256_max_ps(by0, by1), _mm256_set1_ps(1), _CMP_GE_OQ);
  const bool small = _mm256_movemask_ps(large) == 0;
  const uint32_t some = least(16u, s.count - i);
  const int32_t* from = s.sums + i;
  for (uint32_t r = 0; r < s.rows; r++, from += s.row, y += ldy) {
    const __m256i offset = _mm256_set1_epi32(s.offsets[r]);
    const __m256i a = _mm256_add_epi32(ints(from), _mm256_sub_epi32(bias0, offset));
    const __m256i b = _mm256_add_epi32(ints(from + 8), _mm256_sub_epi32(bias1, offset));
    __m256 off = _mm256_setzero_ps();
    const __m256i words = _mm256_packs_epi32(nearest(a, by0, off), nearest(b, by1, off));
    const __m128i bytes = _mm_shuffle_epi32(_mm_packs_epi16(_mm256_castsi256_si128(words),
                                                            _mm256_extracti128_si256(words, 1)),
                                            0xd8);
    __m128i steps = _mm_max_epi8(_mm_min_epi8(bytes, high), low);
    const __m256 unsure = _mm256_cmp_ps(off, _mm256_set1_ps(SURE), _CMP_GT_OQ);
    if (!small || _mm256_movemask_ps(unsure) != 0) steps = sure_steps(a, b, s.scale + i, range);
    if (some == 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y), steps);
      continue;
    }
    alignas(16) int8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), steps);
    for (uint32_t n = 0; n < some; n++) y[n] = all[n];
  }
}

inline void requantise(const Sums& s, Range range, int8_t* y, size_t ldy) {
  for (uint32_t i = 0; i < s.count; i += 16) requantise_block(s, i, range, y + i, ldy);
}

// Four values at a time, in doubles, as scalar::quantise has it.
STERNA_AVX2 inline bool quantise(const float* x, double inverse, uint32_t count, int32_t limit,
                                 int8_t* y) {
  const __m256d high = _mm256_set1_pd(limit), low = _mm256_set1_pd(-limit);
  const __m256d by = _mm256_set1_pd(inverse), half = _mm256_set1_pd(0.5);
  __m128 bad = _mm_setzero_ps();
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m128 v = _mm_loadu_ps(x + i);
    const __m128 none = _mm_sub_ps(v, v);  // NaN, where it is no number or infinite
    bad = _mm_or_ps(bad, _mm_cmpunord_ps(none, none));
    const __m256d t = _mm256_floor_pd(_mm256_add_pd(_mm256_mul_pd(_mm256_cvtps_pd(v), by), half));
    const __m128i words = _mm_packs_epi32(
        _mm256_cvtpd_epi32(_mm256_min_pd(_mm256_max_pd(t, low), high)), _mm_setzero_si128());
    store_four(y + i, _mm_cvtsi128_si32(_mm_packs_epi16(words, words)), 4);
  }
  const bool finite = scalar::quantise(x + i, inverse, count - i, limit, y + i);
  return finite && _mm_movemask_ps(bad) == 0;
}

inline const Kernels KERNELS = {"avx2",           supported,    ternary,           wide,    total,
                                requantise,       quantise,         scalar::real,
                                scalar::real_sums, nullptr,          planes::wide256::run};

}  // namespace sterna::avx2
