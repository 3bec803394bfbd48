// AVX-512 with VBMI: x of 4 bits (-7..7) by look-up. The sums of four inputs for all 81 patterns of
// four trits stand in a table of bytes, and one vpermi2b looks 64 outputs up: 256 multiply-adds an
// instruction. Everything else is that of avx512.hpp.
#pragma once
#include "avx512.hpp"

#define STERNA_VBMI \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))

namespace sterna::vbmi {

inline bool supported() { return avx512::supported() && __builtin_cpu_supports("avx512vbmi"); }

// The 81 sums are made of 2 x 9: lane 0..7 of a vector holds what the first two trits give, lane
// 8..15 the last two, each plus HALF; the pair 0, 0 needs no lane and reads HALF from byte 2.
constexpr int HALF = 14, WHOLE = 2 * HALF;
struct Patterns {
  alignas(64) int8_t trits[64] = {};
  alignas(64) int32_t start[16] = {};
  alignas(64) uint8_t zero[64] = {};
  alignas(64) uint8_t first[2][64] = {}, last[2][64] = {};
  constexpr Patterns() {
    zero[2] = HALF;
    for (int e = 0; e < 9; e++) {
      if (e == 4) continue;
      const int lane = e < 4 ? e : e - 1;
      trits[lane * 4] = trits[(8 + lane) * 4 + 2] = static_cast<int8_t>(e / 3 - 1);
      trits[lane * 4 + 1] = trits[(8 + lane) * 4 + 3] = static_cast<int8_t>(e % 3 - 1);
      // x goes in as x + 8, which is unsigned.
      start[lane] = start[8 + lane] = HALF - 8 * (e / 3 - 1 + e % 3 - 1);
    }
    for (int code = 0; code < 81; code++) {
      const int a = code / 9, b = code % 9;
      const int at = a == 4 ? 2 : (a < 4 ? a : a - 1) * 4;
      first[code / 64][code % 64] = static_cast<uint8_t>(at);
      last[code / 64][code % 64] =
          static_cast<uint8_t>(b == 4 ? 2 : (8 + (b < 4 ? b : b - 1)) * 4);
    }
  }
};
inline constexpr Patterns PATTERNS;

// 128 bytes a quad: the sum of pattern c plus WHOLE. Quads from `quads` on are those of x = 0.
STERNA_VBMI inline void build(const int8_t* x, uint32_t quads, uint32_t all, uint8_t* table) {
  const __m512i trits = _mm512_load_si512(PATTERNS.trits), eight = _mm512_set1_epi8(8);
  const __m512i start = _mm512_load_si512(PATTERNS.start);
  const __m512i zero = _mm512_load_si512(PATTERNS.zero), byte = _mm512_set1_epi32(255);
  const __m512i f0 = _mm512_load_si512(PATTERNS.first[0]);
  const __m512i f1 = _mm512_load_si512(PATTERNS.first[1]);
  const __m512i l0 = _mm512_load_si512(PATTERNS.last[0]), l1 = _mm512_load_si512(PATTERNS.last[1]);
  for (uint32_t q = 0; q < all; q++, table += 128) {
    int32_t four = 0;
    if (q < quads) __builtin_memcpy(&four, x + static_cast<size_t>(q) * 4, 4);
    __m512i v = start;
    avx512::dot(v, _mm512_add_epi8(_mm512_set1_epi32(four), eight), trits);
    // (v & byte) | zero
    v = _mm512_ternarylogic_epi32(v, byte, zero, 0xea);
    _mm512_store_si512(table, _mm512_add_epi8(_mm512_permutexvar_epi8(f0, v),
                                              _mm512_permutexvar_epi8(l0, v)));
    _mm512_store_si512(table + 64, _mm512_add_epi8(_mm512_permutexvar_epi8(f1, v),
                                                   _mm512_permutexvar_epi8(l1, v)));
  }
}

// 64 sums in 16 bits, even and odd outputs apart, as 32 bits in order; `quads` tables biased them.
STERNA_VBMI inline void widen(__m512i even, __m512i odd, uint32_t quads, bool add, int32_t* sums) {
  const __m512i a = _mm512_unpacklo_epi16(even, odd), b = _mm512_unpackhi_epi16(even, odd);
  const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  const __m512i half[2] = {_mm512_permutex2var_epi64(a, front, b),
                           _mm512_permutex2var_epi64(a, back, b)};
  const __m512i bias = _mm512_set1_epi32(WHOLE * static_cast<int32_t>(quads));
  STERNA_UNROLL for (int i = 0; i < 4; i++) {
    const __m256i words = i % 2 == 0 ? _mm512_castsi512_si256(half[i / 2])
                                     : _mm512_extracti64x4_epi64(half[i / 2], 1);
    __m512i v = _mm512_sub_epi32(_mm512_cvtepu16_epi32(words), bias);
    if (add) v = _mm512_add_epi32(v, _mm512_loadu_si512(sums + i * 16));
    _mm512_storeu_si512(sums + i * 16, v);
  }
}

// In assembly because the compiler overwrites a table and loads it anew for each look-up.
STERNA_VBMI inline __m512i look_up(__m512i codes, __m512i low, __m512i high) {
  asm("vpermi2b %2, %1, %0" : "+v"(codes) : "v"(low), "v"(high));
  return codes;
}

// T rows of x, V tiles of outputs: four quads fit a byte (4 * 56 = 224), LOOKUP_QUADS 16 bits.
template <int T, int V>
STERNA_VBMI inline void rows(const uint8_t* w, size_t tile_bytes, uint32_t quads,
                             const uint8_t* tables, bool add, int32_t* sums, size_t row) {
  __m512i words[T][V], odd[T][V];
  STERNA_UNROLL for (int t = 0; t < T; t++)
    STERNA_UNROLL for (int v = 0; v < V; v++) words[t][v] = odd[t][v] = _mm512_setzero_si512();
  for (uint32_t q = 0; q < quads; q += 4) {
    __m512i bytes[T][V];
    STERNA_UNROLL for (int u = 0; u < 4; u++) {
      __m512i codes[V];
      STERNA_UNROLL for (int v = 0; v < V; v++)
        codes[v] = _mm512_load_si512(w + v * tile_bytes + static_cast<size_t>(q + u) * TILE);
      STERNA_UNROLL for (int t = 0; t < T; t++) {
        const uint8_t* table = tables + (static_cast<size_t>(t) * LOOKUP_QUADS + q + u) * 128;
        const __m512i low = _mm512_load_si512(table), high = _mm512_load_si512(table + 64);
        STERNA_UNROLL for (int v = 0; v < V; v++) {
          const __m512i found = look_up(codes[v], low, high);
          bytes[t][v] = u == 0 ? found : _mm512_add_epi8(bytes[t][v], found);
        }
      }
    }
    STERNA_UNROLL for (int t = 0; t < T; t++)
      STERNA_UNROLL for (int v = 0; v < V; v++) {
        words[t][v] = _mm512_add_epi16(words[t][v], bytes[t][v]);
        odd[t][v] = _mm512_add_epi16(odd[t][v], _mm512_srli_epi16(bytes[t][v], 8));
      }
  }
  STERNA_UNROLL for (int t = 0; t < T; t++)
    STERNA_UNROLL for (int v = 0; v < V; v++) {
      const __m512i even = _mm512_sub_epi16(words[t][v], _mm512_slli_epi16(odd[t][v], 8));
      widen(even, odd[t][v], quads, add, sums + t * row + v * TILE);
    }
}

template <int T>
STERNA_VBMI void block(const uint8_t* w, uint32_t tiles, size_t tile_bytes, uint32_t quads,
                       const uint8_t* tables, bool add, int32_t* sums) {
  constexpr int V = T == 1 ? 4 : 2;
  const size_t row = static_cast<size_t>(tiles) * TILE;
  uint32_t at = 0;
  for (; at + V <= tiles; at += V) {
    rows<T, V>(w + at * tile_bytes, tile_bytes, quads, tables, add, sums + at * TILE, row);
  }
  for (; at < tiles; at++) {
    rows<T, 1>(w + at * tile_bytes, tile_bytes, quads, tables, add, sums + at * TILE, row);
  }
}

inline void lookup(const uint8_t* w, uint32_t tiles, uint32_t quads, const int8_t* x, size_t ldx,
                   uint32_t count, uint8_t* tables, int32_t* sums) {
  const uint32_t all = (quads + 3) / 4 * 4;
  const size_t tile_bytes = static_cast<size_t>(all) * TILE;
  for (uint32_t from = 0; from < all; from += LOOKUP_QUADS) {
    const uint32_t some = least(LOOKUP_QUADS, all - from), real = least(some, quads - from);
    for (uint32_t r = 0; r < count; r++) {
      const size_t at = r * ldx + static_cast<size_t>(from) * 4;
      build(x + at, real, some, tables + static_cast<size_t>(r) * LOOKUP_QUADS * 128);
    }
    const uint8_t* codes = w + static_cast<size_t>(from) * TILE;
    if (count == 3) block<3>(codes, tiles, tile_bytes, some, tables, from > 0, sums);
    else if (count == 2) block<2>(codes, tiles, tile_bytes, some, tables, from > 0, sums);
    else block<1>(codes, tiles, tile_bytes, some, tables, from > 0, sums);
  }
}

inline const Kernels KERNELS = {
    "avx512-vbmi",      supported,        avx512::ternary, avx512::wide,      avx512::total,
    avx512::requantise, avx512::quantise, avx512::real,    avx512::real_sums, lookup,
    planes::wide512::run};

}  // namespace sterna::vbmi
