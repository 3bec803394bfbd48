// Ternary rows by AVX-512 VNNI: vpdpbusd multiplies unsigned by signed bytes, four inputs of 16
// outputs at once. GCC 12 spills the accumulators of the intrinsic at every step; inline assembly
// keeps them in registers (three times the speed).
#pragma once
#include <immintrin.h>
#include "net.hpp"
#include "planes.hpp"

#define STERNA_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define STERNA_UNROLL _Pragma("GCC unroll 32")

namespace sterna::avx512 {

inline bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

typedef int32_t Four __attribute__((aligned(1), may_alias));

STERNA_AVX512 inline __m512i four(const int8_t* x) {
  return _mm512_set1_epi32(*reinterpret_cast<const Four*>(x));
}

// acc += bytes of a (unsigned) times bytes of b, four by four.
STERNA_AVX512 inline void dot(__m512i& acc, __m512i a, __m512i b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

// T rows of x, G groups of 16 outputs, U quads at once so that T * G * U chains hide the latency.
template <int T, int G, int U>
STERNA_AVX512 inline void ternary_rows(const uint8_t* w, uint32_t quads, const int8_t* x,
                                       size_t ldx, bool back, int32_t* sums) {
  __m512i acc[U][T][G];
  STERNA_UNROLL for (int u = 0; u < U; u++)
    STERNA_UNROLL for (int t = 0; t < T; t++)
      STERNA_UNROLL for (int g = 0; g < G; g++) acc[u][t][g] = _mm512_setzero_si512();
  // The fourth field needs no mask: whole bytes sum to s0 + 4 s1 + 16 s2 + 64 s3.
  constexpr int MASKED = G < 4 ? G : 3;
  const __m512i masks[3] = {_mm512_set1_epi8(3), _mm512_set1_epi8(12), _mm512_set1_epi8(48)};
  // Pointers, not indices: whose arithmetic would take a third of the loop.
  const size_t rounds = quads / U, turned = T == 1 && back ? rounds - 1 : 0;
  const ptrdiff_t turn = T == 1 && back ? -1 : 1;
  const uint8_t *at = w + turned * U * TILE, *ahead = at + turn * 2048;
  const int8_t* from = x + turned * U * 4;
  for (size_t n = 0; n < rounds; n++) {
    STERNA_UNROLL for (int u = 0; u < U; u++) {
      // One row of x is as fast as weights arrive.
      if (T == 1) _mm_prefetch(ahead + u * TILE, _MM_HINT_T0);
      const __m512i v = _mm512_load_si512(at + u * TILE);
      __m512i codes[G];
      STERNA_UNROLL for (int g = 0; g < G; g++)
        codes[g] = g < MASKED ? _mm512_and_si512(v, masks[g]) : v;
      STERNA_UNROLL for (int t = 0; t < T; t++) {
        const __m512i xx = four(from + t * ldx + u * 4);
        STERNA_UNROLL for (int g = 0; g < G; g++) dot(acc[u][t][g], codes[g], xx);
      }
    }
    at += turn * U * TILE, ahead += turn * U * TILE, from += turn * U * 4;
  }
  for (size_t q = rounds * U; q < quads; q++) {
    const __m512i v = _mm512_load_si512(w + q * TILE);
    STERNA_UNROLL for (int t = 0; t < T; t++) {
      const __m512i xx = four(x + t * ldx + q * 4);
      STERNA_UNROLL for (int g = 0; g < G; g++)
        dot(acc[0][t][g], g < MASKED ? _mm512_and_si512(v, masks[g]) : v, xx);
    }
  }
  // The fields were left where they are in a byte: their sums are shifted back once, here.
  STERNA_UNROLL for (int t = 0; t < T; t++)
    STERNA_UNROLL for (int g = 0; g < G; g++) {
      __m512i sum = acc[0][t][g];
      STERNA_UNROLL for (int u = 1; u < U; u++) sum = _mm512_add_epi32(sum, acc[u][t][g]);
      acc[0][t][g] = sum;
      STERNA_UNROLL for (int i = 0; g >= MASKED && i < MASKED; i++)
        sum = _mm512_sub_epi32(sum, acc[0][t][i]);
      _mm512_storeu_si512(sums + t * TILE + g * 16, _mm512_srai_epi32(sum, 2 * g));
    }
}

// Four to six rows of x and all 64 outputs: all 32 registers are in use, which no compiler manages.
// zmm0..23 sums of row, field; zmm24 a tile, zmm25..27 three of its fields; zmm28 x; zmm29..31
// masks. The fourth field needs no mask: whole bytes sum to s0 + 4 s1 + 16 s2 + 64 s3.
#define STERNA_ZERO(a, b, c, d) \
  "vpxord %%zmm" #a ", %%zmm" #a ", %%zmm" #a "\n vpxord %%zmm" #b ", %%zmm" #b ", %%zmm" #b "\n" \
  "vpxord %%zmm" #c ", %%zmm" #c ", %%zmm" #c "\n vpxord %%zmm" #d ", %%zmm" #d ", %%zmm" #d "\n"
#define STERNA_DOTS(x, a, b, c, d) \
  "vpbroadcastd " x ", %%zmm28\n vpdpbusd %%zmm28, %%zmm25, %%zmm" #a "\n" \
  "vpdpbusd %%zmm28, %%zmm26, %%zmm" #b "\n vpdpbusd %%zmm28, %%zmm27, %%zmm" #c "\n" \
  "vpdpbusd %%zmm28, %%zmm24, %%zmm" #d "\n"
#define STERNA_STORE(row, a, b, c, d) \
  "vpsubd %%zmm" #a ", %%zmm" #d ", %%zmm" #d "\n vpsubd %%zmm" #b ", %%zmm" #d ", %%zmm" #d "\n" \
  "vpsubd %%zmm" #c ", %%zmm" #d ", %%zmm" #d "\n vpsrad $2, %%zmm" #b ", %%zmm" #b "\n" \
  "vpsrad $4, %%zmm" #c ", %%zmm" #c "\n vpsrad $6, %%zmm" #d ", %%zmm" #d "\n" \
  "vmovdqa64 %%zmm" #a ", " #row "*256(%[sums])\n" \
  "vmovdqa64 %%zmm" #b ", " #row "*256+64(%[sums])\n" \
  "vmovdqa64 %%zmm" #c ", " #row "*256+128(%[sums])\n" \
  "vmovdqa64 %%zmm" #d ", " #row "*256+192(%[sums])\n"
#define STERNA_MANY(NAME, ZERO, DOTS, STORE)                                                      \
  STERNA_AVX512 inline void NAME(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,   \
                                 int32_t* sums) {                                                 \
    static const uint32_t masks[3] = {0x03030303, 0x0c0c0c0c, 0x30303030};                        \
    const int8_t* fourth = x + 3 * ldx;                                                           \
    const uint8_t* end = w + static_cast<size_t>(quads) * TILE;                                   \
    asm volatile("vpbroadcastd (%[masks]), %%zmm29\n vpbroadcastd 4(%[masks]), %%zmm30\n"         \
                 "vpbroadcastd 8(%[masks]), %%zmm31\n" ZERO                                       \
                 "cmp %[end], %[w]\n je 2f\n .p2align 5\n"                                        \
                 "1:\n vmovdqa64 (%[w]), %%zmm24\n vpandd %%zmm24, %%zmm29, %%zmm25\n"            \
                 "vpandd %%zmm24, %%zmm30, %%zmm26\n vpandd %%zmm24, %%zmm31, %%zmm27\n" DOTS     \
                 "add $64, %[w]\n add $4, %[x]\n add $4, %[fourth]\n"                             \
                 "cmp %[end], %[w]\n jne 1b\n 2:\n" STORE                                        \
                 : [w] "+r"(w), [x] "+r"(x), [fourth] "+r"(fourth)                                \
                 : [ldx] "r"(ldx), [end] "r"(end), [sums] "r"(sums), [masks] "r"(masks)           \
                 : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",        \
                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",  \
                   "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",        \
                   "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");       \
  }
#define STERNA_ZERO_4 \
  STERNA_ZERO(0, 1, 2, 3) STERNA_ZERO(4, 5, 6, 7) \
  STERNA_ZERO(8, 9, 10, 11) STERNA_ZERO(12, 13, 14, 15)
#define STERNA_DOTS_4                                                          \
  STERNA_DOTS("(%[x])", 0, 1, 2, 3) STERNA_DOTS("(%[x],%[ldx])", 4, 5, 6, 7)   \
  STERNA_DOTS("(%[x],%[ldx],2)", 8, 9, 10, 11) STERNA_DOTS("(%[fourth])", 12, 13, 14, 15)
#define STERNA_STORE_4                                                      \
  STERNA_STORE(0, 0, 1, 2, 3) STERNA_STORE(1, 4, 5, 6, 7)                   \
  STERNA_STORE(2, 8, 9, 10, 11) STERNA_STORE(3, 12, 13, 14, 15)
#define STERNA_ZERO_5 STERNA_ZERO_4 STERNA_ZERO(16, 17, 18, 19)
#define STERNA_DOTS_5 STERNA_DOTS_4 STERNA_DOTS("(%[fourth],%[ldx])", 16, 17, 18, 19)
#define STERNA_STORE_5 STERNA_STORE_4 STERNA_STORE(4, 16, 17, 18, 19)
#define STERNA_ZERO_6 STERNA_ZERO_5 STERNA_ZERO(20, 21, 22, 23)
#define STERNA_DOTS_6 STERNA_DOTS_5 STERNA_DOTS("(%[fourth],%[ldx],2)", 20, 21, 22, 23)
#define STERNA_STORE_6 STERNA_STORE_5 STERNA_STORE(5, 20, 21, 22, 23)
STERNA_MANY(four_rows, STERNA_ZERO_4, STERNA_DOTS_4, STERNA_STORE_4)
STERNA_MANY(five_rows, STERNA_ZERO_5, STERNA_DOTS_5, STERNA_STORE_5)
STERNA_MANY(six_rows, STERNA_ZERO_6, STERNA_DOTS_6, STERNA_STORE_6)

template <int G>
STERNA_AVX512 void ternary_groups(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx,
                                  uint32_t count, bool back, int32_t* sums) {
  switch (count) {
    case 6:
      if (G > 2) return six_rows(w, quads, x, ldx, sums);
      return ternary_rows<6, G, 1>(w, quads, x, ldx, back, sums);
    case 5:
      if (G > 2) return five_rows(w, quads, x, ldx, sums);
      return ternary_rows<5, G, 1>(w, quads, x, ldx, back, sums);
    case 4:
      if (G > 2) return four_rows(w, quads, x, ldx, sums);
      return ternary_rows<4, G, 1>(w, quads, x, ldx, back, sums);
    case 3: return ternary_rows<3, G, G == 1 ? 4 : 2>(w, quads, x, ldx, back, sums);
    case 2: return ternary_rows<2, G, 2>(w, quads, x, ldx, back, sums);
    default: return ternary_rows<1, G, 4>(w, quads, x, ldx, back, sums);
  }
}

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t groups, bool back, int32_t* sums) {
  switch (groups) {
    case 1: return ternary_groups<1>(w, quads, x, ldx, count, back, sums);
    case 2: return ternary_groups<2>(w, quads, x, ldx, count, back, sums);
    case 3: return ternary_groups<3>(w, quads, x, ldx, count, back, sums);
    default: return ternary_groups<4>(w, quads, x, ldx, count, back, sums);
  }
}

}  // namespace sterna::avx512
