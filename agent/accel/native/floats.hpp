// The float tier of an encoder: attention, layer norm, GELU. The same text (floats.inc) for every
// instruction set. No promise of identical numbers, but of a bound: agent/accel/encoder.ts states
// it against reference-encoder.ts, in doubles.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#include "layout.hpp"

namespace sterna::floats {

#define STERNA_ALL _Pragma("GCC unroll 16")

struct Heads {
  const float *queries, *keys, *values;  // queries and values: [sequence][stride]
  const float* mask;                     // [padded], added to the scores times root; or none
  size_t stride, padded;                 // keys: [heads * head][padded]
  uint32_t sequence, heads, head;
  float inverse, limit;  // steps of the result
  int8_t* y;             // [sequence][heads * head]
};

struct Functions {
  void (*reals)(const Sums&, const float* scale, const float* bias, float* y, size_t ldy);
  // By activation, as ACTIVATIONS of encoder.ts has them.
  void (*active_steps[3])(const Sums&, const float* scale, const float* bias, float inverse,
                          float limit, int8_t* y, size_t ldy);
  void (*steps)(const float* x, uint32_t count, float inverse, float limit, int8_t* y);
  void (*add)(const float* a, const float* b, uint32_t count, float* y);
  // Of a + b, or of a alone; without `centred` the mean stays in.
  void (*normalise)(const float* a, const float* b, uint32_t width, const float* gain,
                    const float* offset, float epsilon, bool centred, float* y);
  void (*attend)(const Heads&, uint32_t from, uint32_t to, float* score);
};

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#define STERNA_BITS 512
namespace wide512 {
#include "floats.inc"
}
#undef STERNA_BITS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define STERNA_BITS 256
namespace wide256 {
#include "floats.inc"
}
#undef STERNA_BITS
#pragma GCC pop_options
#endif

#define STERNA_BITS 0
namespace plain {
#include "floats.inc"
}
#undef STERNA_BITS

inline const Functions& functions_of(const Kernels& kernels) {
#if defined(__x86_64__)
  // "avx512-..." or "avx2", whose CPUs have what the target says: see supported() of each.
  if (kernels.name[0] == 'a') {
    return kernels.name[3] == '5' ? wide512::FUNCTIONS : wide256::FUNCTIONS;
  }
#endif
  (void)kernels;
  return plain::FUNCTIONS;
}

}  // namespace sterna::floats
