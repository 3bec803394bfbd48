// AVX-512 with VNNI. The ternary rows are in vnni.hpp.
#pragma once
#include "vnni.hpp"

namespace sterna::avx512 {

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

STERNA_AVX512 inline __m512d low_half(__m512i v) {
  return _mm512_cvtepi32_pd(_mm512_castsi512_si256(v));
}

STERNA_AVX512 inline __m512d high_half(__m512i v) {
  return _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1));
}

// Clipped from above, then floor: the limit is whole, so the order does not matter. What lies below
// all int32 becomes the smallest of them.
STERNA_AVX512 inline __m256i floor_below(__m512d v, __m512d high) {
  v = _mm512_min_pd(v, high);
  return _mm512_cvt_roundpd_epi32(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

STERNA_AVX512 inline __m512i joined(__m256i a, __m256i b) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
}

// All rows for sixteen outputs at a time: bias and scale stay in registers.
STERNA_AVX512 inline void requantise(const Sums& given, Range range, int8_t* y, size_t ldy) {
  const Sums s = given;  // bytes written through y might change what a reference stands for
  const __m512d high = _mm512_set1_pd(range.high), half = _mm512_set1_pd(0.5);
  const __m128i low = _mm_set1_epi8(static_cast<char>(range.low));
  for (uint32_t i = 0; i < s.count; i += 16) {
    const __m512i bias = _mm512_loadu_si512(s.bias + i);
    const __m512d by0 = _mm512_loadu_pd(s.scale + i), by1 = _mm512_loadu_pd(s.scale + i + 8);
    const __mmask16 some = first(s.count - i);
    for (uint32_t r = 0; r < s.rows; r++) {
      __m512i v = _mm512_add_epi32(_mm512_loadu_si512(s.sums + r * s.row + i), bias);
      v = _mm512_sub_epi32(v, _mm512_set1_epi32(s.offsets[r]));
      const __m512d a = _mm512_fmadd_pd(low_half(v), by0, half);
      const __m512d b = _mm512_fmadd_pd(high_half(v), by1, half);
      const __m512i steps = joined(floor_below(a, high), floor_below(b, high));
      const __m128i bytes = _mm_max_epi8(_mm512_cvtsepi32_epi8(steps), low);
      _mm_mask_storeu_epi8(y + r * ldy + i, some, bytes);
    }
  }
}

STERNA_AVX512 inline void real_sums(const Sums& given, bool relu, float* y, size_t ldy) {
  const Sums s = given;
  const __m512d none = _mm512_setzero_pd();
  for (uint32_t i = 0; i < s.count; i += 16) {
    const __m512i bias = _mm512_loadu_si512(s.bias + i);
    const __m512d by0 = _mm512_loadu_pd(s.scale + i), by1 = _mm512_loadu_pd(s.scale + i + 8);
    const __mmask16 some = first(s.count - i);
    for (uint32_t r = 0; r < s.rows; r++) {
      __m512i v = _mm512_add_epi32(_mm512_loadu_si512(s.sums + r * s.row + i), bias);
      v = _mm512_sub_epi32(v, _mm512_set1_epi32(s.offsets[r]));
      __m512d a = _mm512_mul_pd(low_half(v), by0), b = _mm512_mul_pd(high_half(v), by1);
      if (relu) {
        a = _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, none, _CMP_NLT_UQ), a);
        b = _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(b, none, _CMP_NLT_UQ), b);
      }
      const __m512i both = joined(_mm256_castps_si256(_mm512_cvtpd_ps(a)),
                                  _mm256_castps_si256(_mm512_cvtpd_ps(b)));
      _mm512_mask_storeu_ps(y + r * ldy + i, some, _mm512_castsi512_ps(both));
    }
  }
}

// As it is stated, in doubles, for sixteen values of which a float is not sure.
STERNA_AVX512 inline __m512i sure_steps(__m512 x, double inverse, int32_t limit) {
  const __m512d by = _mm512_set1_pd(inverse), half = _mm512_set1_pd(0.5);
  const __m512d high = _mm512_set1_pd(limit);
  const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
  const __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  const __m512i steps = joined(floor_below(_mm512_add_pd(_mm512_mul_pd(a, by), half), high),
                               floor_below(_mm512_add_pd(_mm512_mul_pd(b, by), half), high));
  return _mm512_max_epi32(steps, _mm512_set1_epi32(-limit));
}

// Within +-128 a float is off by less than 4e-5: farther than SURE from a whole number its floor is
// that of the double. What is clipped is sure.
constexpr float SURE = 1e-4f;

// Sixteen steps; `zero` becomes NaN where a value is none, or infinite.
STERNA_AVX512 inline __m128i sixteen_steps(__m512 v, double inverse, int32_t limit, __m512& zero) {
  const __m512 low = _mm512_set1_ps(static_cast<float>(-limit) + 0.25f);
  const __m512 high = _mm512_set1_ps(static_cast<float>(limit) + 0.75f);
  const __m512 by = _mm512_set1_ps(static_cast<float>(inverse)), half = _mm512_set1_ps(0.5f);
  zero = _mm512_fmadd_ps(v, _mm512_setzero_ps(), zero);
  const __m512 t = _mm512_max_ps(_mm512_min_ps(_mm512_fmadd_ps(v, by, half), high), low);
  __m512i steps = _mm512_cvt_roundps_epi32(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  const __m512 far = _mm512_abs_ps(_mm512_reduce_ps(t, _MM_FROUND_TO_NEAREST_INT));
  const bool clear = _mm512_cmp_ps_mask(far, _mm512_set1_ps(SURE), _CMP_GT_OQ) == 0xffff;
  if (!clear) steps = sure_steps(v, inverse, limit);
  return _mm512_cvtepi32_epi8(steps);
}

STERNA_AVX512 inline bool quantise(const float* x, double inverse, uint32_t count, int32_t limit,
                                   int8_t* y) {
  __m512 zero = _mm512_setzero_ps(), other = zero;
  const bool plain = inverse > 1e-30 && inverse < 1e30;
  uint32_t i = 0;
  for (; plain && i + 32 <= count; i += 32) {
    const __m128i a = sixteen_steps(_mm512_loadu_ps(x + i), inverse, limit, zero);
    const __m128i b = sixteen_steps(_mm512_loadu_ps(x + i + 16), inverse, limit, other);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), a);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i + 16), b);
  }
  for (; i < count; i += 16) {
    const __mmask16 some = first(count - i);
    const __m512 v = _mm512_maskz_loadu_ps(some, x + i);
    zero = _mm512_fmadd_ps(v, _mm512_setzero_ps(), zero);
    const __m128i bytes = _mm512_cvtepi32_epi8(sure_steps(v, inverse, limit));
    _mm_mask_storeu_epi8(y + i, some, bytes);
  }
  zero = _mm512_add_ps(zero, other);
  return _mm512_cmp_ps_mask(zero, zero, _CMP_UNORD_Q) == 0;
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
                                requantise,    quantise,  real,    real_sums, nullptr,
                                planes::wide512::run};

}  // namespace sterna::avx512
