// AVX-512 with VNNI: vpdpbusd multiplies unsigned by signed bytes, four inputs of 16 outputs at
// once. GCC 12 spills the accumulators of the intrinsic at every step; inline assembly keeps them in
// registers (three times the speed).
#pragma once
#include <immintrin.h>
#include "net.hpp"

#define STERNA_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define STERNA_UNROLL _Pragma("GCC unroll 32")

namespace sterna::avx512 {

inline bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

typedef int32_t Four __attribute__((aligned(1), may_alias));

// acc += bytes of w (unsigned) times the four bytes at x, repeated in every lane.
STERNA_AVX512 inline void dot(__m512i& acc, __m512i w, const int8_t* x) {
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(acc)
      : "v"(w), "m"(*reinterpret_cast<const Four*>(x)));
}

STERNA_AVX512 inline void dot(__m512i& acc, __m512i unsigned_x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(unsigned_x), "v"(w));
}

// T rows of x, G groups of 16 outputs, U quads at once so that T * G * U chains hide the latency.
template <int T, int G, int U>
STERNA_AVX512 inline void ternary_rows(const uint8_t* w, uint32_t quads, const int8_t* x,
                                       size_t ldx, int32_t* sums) {
  __m512i acc[U][T][G];
  STERNA_UNROLL for (int u = 0; u < U; u++)
    STERNA_UNROLL for (int t = 0; t < T; t++)
      STERNA_UNROLL for (int g = 0; g < G; g++) acc[u][t][g] = _mm512_setzero_si512();
  const __m512i masks[4] = {_mm512_set1_epi8(3), _mm512_set1_epi8(12), _mm512_set1_epi8(48),
                            _mm512_set1_epi8(static_cast<char>(192))};
  uint32_t q = 0;
  for (; q + U <= quads; q += U) {
    STERNA_UNROLL for (int u = 0; u < U; u++) {
      const __m512i v = _mm512_load_si512(w + static_cast<size_t>(q + u) * TILE);
      __m512i codes[G];
      STERNA_UNROLL for (int g = 0; g < G; g++) codes[g] = _mm512_and_si512(v, masks[g]);
      STERNA_UNROLL for (int t = 0; t < T; t++)
        STERNA_UNROLL for (int g = 0; g < G; g++)
          dot(acc[u][t][g], codes[g], x + t * ldx + static_cast<size_t>(q + u) * 4);
    }
  }
  for (; q < quads; q++) {
    const __m512i v = _mm512_load_si512(w + static_cast<size_t>(q) * TILE);
    STERNA_UNROLL for (int t = 0; t < T; t++)
      STERNA_UNROLL for (int g = 0; g < G; g++)
        dot(acc[0][t][g], _mm512_and_si512(v, masks[g]), x + t * ldx + static_cast<size_t>(q) * 4);
  }
  // The fields were left where they are in a byte: their sums are shifted back once, here.
  STERNA_UNROLL for (int t = 0; t < T; t++)
    STERNA_UNROLL for (int g = 0; g < G; g++) {
      __m512i sum = acc[0][t][g];
      STERNA_UNROLL for (int u = 1; u < U; u++) sum = _mm512_add_epi32(sum, acc[u][t][g]);
      _mm512_storeu_si512(sums + t * TILE + g * 16, _mm512_srai_epi32(sum, 2 * g));
    }
}

template <int G>
STERNA_AVX512 void ternary_groups(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                                  uint32_t count, int32_t* sums) {
  switch (count) {
    case 6: return ternary_rows<6, G, 1>(w, quads, x, ldx, sums);
    case 5: return ternary_rows<5, G, 1>(w, quads, x, ldx, sums);
    case 4: return ternary_rows<4, G, 1>(w, quads, x, ldx, sums);
    case 3: return ternary_rows<3, G, G == 1 ? 4 : 2>(w, quads, x, ldx, sums);
    case 2: return ternary_rows<2, G, 2>(w, quads, x, ldx, sums);
    default: return ternary_rows<1, G, 4>(w, quads, x, ldx, sums);
  }
}

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t groups, int32_t* sums) {
  switch (groups) {
    case 1: return ternary_groups<1>(w, quads, x, ldx, count, sums);
    case 2: return ternary_groups<2>(w, quads, x, ldx, count, sums);
    case 3: return ternary_groups<3>(w, quads, x, ldx, count, sums);
    default: return ternary_groups<4>(w, quads, x, ldx, count, sums);
  }
}

// int8 weights are the signed operand, so x goes in as x + 128; `fold` starts the sums 128 lower.
STERNA_AVX512 inline void wide(const uint8_t* w, const int32_t* fold, uint32_t quads,
                               const int8_t* x, size_t ldx, uint32_t count, uint32_t groups,
                               int32_t* sums) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t g = 0; g < groups; g++) {
      __m512i acc = _mm512_loadu_si512(fold + g * 16);
      __m512i odd = _mm512_setzero_si512();
      const uint8_t* at = w + g * 64;
      const int8_t* from = x + r * ldx;
      for (uint32_t q = 0; q < quads; q++, at += TILE * 4, from += 4) {
        int32_t four;
        __builtin_memcpy(&four, from, 4);
        const __m512i shifted = _mm512_xor_si512(_mm512_set1_epi32(four), flip);
        dot(q & 1 ? odd : acc, shifted, _mm512_load_si512(at));
      }
      _mm512_storeu_si512(sums + r * TILE + g * 16, _mm512_add_epi32(acc, odd));
    }
  }
}

STERNA_AVX512 inline int32_t total(const int8_t* x, uint32_t quads) {
  const __m512i one = _mm512_set1_epi8(1);
  __m512i acc = _mm512_setzero_si512();
  const uint32_t bytes = quads * 4;
  uint32_t i = 0;
  for (; i + 64 <= bytes; i += 64) dot(acc, one, _mm512_loadu_si512(x + i));
  if (i < bytes) {
    const __mmask64 rest = ~0ULL >> (64 - (bytes - i));
    dot(acc, one, _mm512_maskz_loadu_epi8(rest, x + i));
  }
  return _mm512_reduce_add_epi32(acc);
}

STERNA_AVX512 inline __mmask16 first(uint32_t count) {
  return count >= 16 ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
}

STERNA_AVX512 inline __m512i biased(const int32_t* sums, int32_t offset, const int32_t* bias) {
  const __m512i v = _mm512_add_epi32(_mm512_loadu_si512(sums), _mm512_loadu_si512(bias));
  return _mm512_sub_epi32(v, _mm512_set1_epi32(offset));
}

STERNA_AVX512 inline __m512d low_half(__m512i v) {
  return _mm512_cvtepi32_pd(_mm512_castsi512_si256(v));
}

STERNA_AVX512 inline __m512d high_half(__m512i v) {
  return _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1));
}

// Clipped, then floor: the limits are whole, so the order does not matter.
STERNA_AVX512 inline __m256i floor_within(__m512d v, __m512d low, __m512d high) {
  v = _mm512_max_pd(_mm512_min_pd(v, high), low);
  return _mm512_cvt_roundpd_epi32(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

STERNA_AVX512 inline __m512i joined(__m256i a, __m256i b) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
}

STERNA_AVX512 inline void requantise(const int32_t* sums, int32_t offset, const int32_t* bias,
                                     const double* scale, uint32_t count, Range range, int8_t* y) {
  const __m512d low = _mm512_set1_pd(range.low), high = _mm512_set1_pd(range.high);
  const __m512d half = _mm512_set1_pd(0.5);
  for (uint32_t i = 0; i < count; i += 16) {
    const __m512i v = biased(sums + i, offset, bias + i);
    const __m512d a = _mm512_fmadd_pd(low_half(v), _mm512_loadu_pd(scale + i), half);
    const __m512d b = _mm512_fmadd_pd(high_half(v), _mm512_loadu_pd(scale + i + 8), half);
    const __m512i steps = joined(floor_within(a, low, high), floor_within(b, low, high));
    _mm_mask_storeu_epi8(y + i, first(count - i), _mm512_cvtepi32_epi8(steps));
  }
}

STERNA_AVX512 inline void real_sums(const int32_t* sums, int32_t offset, const int32_t* bias,
                                    const double* scale, uint32_t count, bool relu, float* y) {
  const __m512d none = _mm512_setzero_pd();
  for (uint32_t i = 0; i < count; i += 16) {
    const __m512i v = biased(sums + i, offset, bias + i);
    __m512d a = _mm512_mul_pd(low_half(v), _mm512_loadu_pd(scale + i));
    __m512d b = _mm512_mul_pd(high_half(v), _mm512_loadu_pd(scale + i + 8));
    if (relu) {
      a = _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, none, _CMP_NLT_UQ), a);
      b = _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(b, none, _CMP_NLT_UQ), b);
    }
    const __m512i both = joined(_mm256_castps_si256(_mm512_cvtpd_ps(a)),
                                _mm256_castps_si256(_mm512_cvtpd_ps(b)));
    _mm512_mask_storeu_ps(y + i, first(count - i), _mm512_castsi512_ps(both));
  }
}

// As it is stated, in doubles, for the sixteen values of which a float is not sure.
STERNA_AVX512 inline __m512i sure_steps(__m512 x, double inverse, int32_t limit) {
  const __m512d by = _mm512_set1_pd(inverse), half = _mm512_set1_pd(0.5);
  const __m512d low = _mm512_set1_pd(-limit), high = _mm512_set1_pd(limit);
  const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
  const __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  return joined(floor_within(_mm512_add_pd(_mm512_mul_pd(a, by), half), low, high),
                floor_within(_mm512_add_pd(_mm512_mul_pd(b, by), half), low, high));
}

STERNA_AVX512 inline bool quantise(const float* x, double inverse, uint32_t count, int32_t limit,
                                   int8_t* y) {
  // Within +-130 a float is off by less than 4e-5: farther than that from a whole number its floor
  // is that of the double.
  constexpr float SURE = 1e-4f, FAR = 130.5f;
  const bool plain = inverse > 1e-30 && inverse < 1e30;
  const __m512 by = _mm512_set1_ps(static_cast<float>(inverse)), half = _mm512_set1_ps(0.5f);
  const __m512i low = _mm512_set1_epi32(-limit), high = _mm512_set1_epi32(limit);
  __mmask16 bad = 0;
  for (uint32_t i = 0; i < count; i += 16) {
    const __mmask16 some = first(count - i);
    const __m512 v = _mm512_maskz_loadu_ps(some, x + i);
    bad |= _mm512_fpclass_ps_mask(v, 0x99);  // NaN, infinity
    __m512 t = _mm512_fmadd_ps(v, by, half);
    t = _mm512_max_ps(_mm512_min_ps(t, _mm512_set1_ps(FAR)), _mm512_set1_ps(-FAR));
    const __m512 whole = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const __m512 off = _mm512_abs_ps(_mm512_sub_ps(_mm512_sub_ps(t, whole), half));
    __m512i steps = _mm512_cvtps_epi32(whole);
    steps = _mm512_max_epi32(_mm512_min_epi32(steps, high), low);
    const __mmask16 sure = _mm512_cmp_ps_mask(off, _mm512_set1_ps(0.5f - SURE), _CMP_LT_OQ);
    if (sure != 0xffff || !plain) steps = sure_steps(v, inverse, limit);
    _mm_mask_storeu_epi8(y + i, some, _mm512_cvtepi32_epi8(steps));
  }
  return bad == 0;
}

STERNA_AVX512 inline void real(const int8_t* x, const double* scale, uint32_t count, float* y) {
  for (uint32_t i = 0; i < count; i += 8) {
    const uint32_t left = count - i;
    const __mmask8 some = left >= 8 ? 0xff : static_cast<__mmask8>((1u << left) - 1);
    const __m256i steps = _mm256_cvtepi8_epi32(_mm_maskz_loadu_epi8(some, x + i));
    const __m512d by = _mm512_maskz_loadu_pd(some, scale + i);
    const __m256 value = _mm512_cvtpd_ps(_mm512_mul_pd(_mm512_cvtepi32_pd(steps), by));
    _mm256_mask_storeu_ps(y + i, some, value);
  }
}

inline const Kernels KERNELS = {"avx512-vnni", supported, ternary, wide,      total,
                                requantise,    quantise,  real,    real_sums, nullptr};

}  // namespace sterna::avx512
