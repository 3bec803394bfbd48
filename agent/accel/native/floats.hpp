// The float tier of an encoder: attention, layer norm, GELU. The same text (floats.inc) for every
// instruction set. No promise of identical numbers, but of a bound: agent/accel/encoder.ts states
// it against reference-encoder.ts, in doubles.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>
#include <cmath>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif
#include "layout.hpp"

namespace sterna::floats {

#define STERNA_ALL _Pragma("GCC unroll 16")

// Queries, keys and values of a layer as words of 16 bits, each row of each head in a unit of its
// own, two by two in 32 bits: of queries and keys two channels, of values two rows.
struct Heads {
  uint32_t sequence, heads, head;
  bool causal;  // a row sees no key behind it
  size_t padded;
  int16_t* queries;  // [sequence][heads * head]
  int32_t* keys;     // [heads * head / 2][padded]
  int32_t* values;   // [padded / 2][heads * head]
  float *query_units, *key_units, *value_units;  // [sequence][heads], [heads][padded] twice
};

// The least that a mask adds; and what it has beyond the sequence, where all may be masked.
constexpr float MASKED = -1e30f, BEYOND = -1e35f;

struct Steps {
  float inverse, limit;
  int8_t* y;
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
  // Rows `from` to `to` of floats, which lie `stride` apart, as heads; `from` is even.
  void (*narrow)(const Heads&, const float* x, size_t stride, uint32_t from, uint32_t to,
                 uint8_t* scratch);
  // mask: [padded], added to the scores; what lies beyond the sequence has BEYOND.
  void (*attend)(const Heads&, const float* mask, Steps, uint32_t from, uint32_t to,
                 uint8_t* scratch);
};

#if defined(__x86_64__)
// What GELU lacks of max(x, 0) at |x| = a: a (1 - tanh(u(a))) / 2 or a (1 - erf(a / sqrt(2))) / 2, a
// cubic around each of 32 nodes, off by 6e-7 at most. Made here, for CPUs without AVX-512 run this
// too.
constexpr float GELU_END = 5.5f, GELU_EACH = 31 / GELU_END;
struct GeluTable {
  alignas(64) float factors[4][32];
  explicit GeluTable(double (*lack)(double)) {
    for (int node = 0; node < 32; node++) {
      double x[4], d[4];
      for (int i = 0; i < 4; i++) {
        x[i] = 0.5 * std::cos((2 * i + 1) * 0.39269908169872414);
        d[i] = lack((node + x[i]) / GELU_EACH);
      }
      // Newton's differences, multiplied out.
      for (int n = 1; n < 4; n++) {
        for (int i = 3; i >= n; i--) d[i] = (d[i] - d[i - 1]) / (x[i] - x[i - n]);
      }
      double c[4] = {d[3], 0, 0, 0};
      for (int n = 2; n >= 0; n--) {
        for (int i = 3; i > 0; i--) c[i] = c[i - 1] - x[n] * c[i];
        c[0] = d[n] - x[n] * c[0];
      }
      for (int i = 0; i < 4; i++) factors[i][node] = static_cast<float>(c[i]);
    }
  }
};
inline const GeluTable GELU_TANH([](double a) {
  return a * (1 - std::tanh(0.7978845608028654 * (a + 0.044715 * a * a * a))) / 2;
});
inline const GeluTable GELU_ERF([](double a) { return a * std::erfc(a * 0.7071067811865476) / 2; });
#endif

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")
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
