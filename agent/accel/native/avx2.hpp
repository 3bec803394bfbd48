// AVX2: vpmaddubsw sums two products in 16 bits; 64 quads of codes 0..2 and |x| <= 127 stay within
// them (64 * 2 * 2 * 127 = 32,512), then they go to 32 bits.
#pragma once
#include <immintrin.h>
#include "scalar.hpp"

#define STERNA_AVX2 __attribute__((target("avx2")))

namespace sterna::avx2 {

inline bool supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

STERNA_AVX2 inline __m256i four(const int8_t* x) {
  int32_t v;
  __builtin_memcpy(&v, x, 4);
  return _mm256_set1_epi32(v);
}

template <int T>
STERNA_AVX2 inline void ternary_half(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                                     int32_t* sums) {
  const __m256i three = _mm256_set1_epi8(3), one = _mm256_set1_epi16(1);
  __m256i sum[T][4];
  for (int t = 0; t < T; t++) for (int f = 0; f < 4; f++) sum[t][f] = _mm256_setzero_si256();
  for (uint32_t from = 0; from < quads; from += 64) {
    const uint32_t to = least(quads, from + 64);
    __m256i acc[T][4];
#pragma GCC unroll 8
    for (int t = 0; t < T; t++)
#pragma GCC unroll 8
      for (int f = 0; f < 4; f++) acc[t][f] = _mm256_setzero_si256();
    for (uint32_t q = from; q < to; q++) {
      const __m256i v =
          _mm256_load_si256(reinterpret_cast<const __m256i*>(w + static_cast<size_t>(q) * TILE));
      const __m256i codes[4] = {_mm256_and_si256(v, three),
                                _mm256_and_si256(_mm256_srli_epi16(v, 2), three),
                                _mm256_and_si256(_mm256_srli_epi16(v, 4), three),
                                _mm256_and_si256(_mm256_srli_epi16(v, 6), three)};
#pragma GCC unroll 8
      for (int t = 0; t < T; t++) {
        const __m256i xx = four(x + t * ldx + static_cast<size_t>(q) * 4);
#pragma GCC unroll 8
        for (int f = 0; f < 4; f++) {
          acc[t][f] = _mm256_add_epi16(acc[t][f], _mm256_maddubs_epi16(codes[f], xx));
        }
      }
    }
    // Unrolled, or the accumulators would live in memory to be indexed here.
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
#pragma GCC unroll 8
      for (int f = 0; f < 4; f++) {
        sum[t][f] = _mm256_add_epi32(sum[t][f], _mm256_madd_epi16(acc[t][f], one));
      }
    }
  }
  for (int t = 0; t < T; t++) {
    for (int f = 0; f < 4; f++) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + t * TILE + f * 16), sum[t][f]);
    }
  }
}

STERNA_AVX2 inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                                uint32_t count, uint32_t, int32_t* sums) {
  for (int half = 0; half < 2; half++) {
    const uint8_t* from = w + half * 32;
    uint32_t r = 0;
    for (; r + 2 <= count; r += 2) {
      ternary_half<2>(from, quads, x + r * ldx, ldx, sums + r * TILE + half * 8);
    }
    if (r < count) ternary_half<1>(from, quads, x + r * ldx, ldx, sums + r * TILE + half * 8);
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
  const int64_t all = _mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) +
                      _mm256_extract_epi64(sum, 2) + _mm256_extract_epi64(sum, 3);
  const int32_t whole = static_cast<int32_t>(all) - 128 * 4 * static_cast<int32_t>(q);
  return whole + scalar::total(x + static_cast<size_t>(q) * 4, quads - q);
}

// Four sums at a time, in doubles: the baseline compiler of scalar.hpp has no floor of its own.
STERNA_AVX2 inline void requantise(const Sums& s, Range range, int8_t* y, size_t ldy) {
  const __m256d low = _mm256_set1_pd(range.low), high = _mm256_set1_pd(range.high);
  const __m256d half = _mm256_set1_pd(0.5);
  for (uint32_t r = 0; r < s.rows; r++, y += ldy) {
    const int32_t* from = s.sums + r * s.row;
    for (uint32_t i = 0; i < s.count; i += 4) {
      const __m128i sum = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
      const __m128i bias = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s.bias + i));
      const __m128i all = _mm_sub_epi32(_mm_add_epi32(sum, bias), _mm_set1_epi32(s.offsets[r]));
      __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(all), _mm256_loadu_pd(s.scale + i));
      v = _mm256_floor_pd(_mm256_add_pd(v, half));
      v = _mm256_max_pd(_mm256_min_pd(v, high), low);
      const __m128i steps = _mm256_cvtpd_epi32(v);
      const __m128i words = _mm_packs_epi32(steps, steps);
      const int32_t bytes = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
      store_four(y + i, bytes, s.count - i);
    }
  }
}

inline const Kernels KERNELS = {"avx2",           supported,    ternary,           wide,    total,
                                requantise,       scalar::quantise, scalar::real,
                                scalar::real_sums, nullptr,          planes::wide256::run};

}  // namespace sterna::avx2
