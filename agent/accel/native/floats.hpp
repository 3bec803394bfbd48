// The float tier of an encoder: attention, layer norm, GELU. Portable text in vectors of sixteen
// floats, which the compiler lowers to what an instruction set has; every function is inlined into
// one that carries the target (STERNA_FLOATS). No promise of identical numbers, but of a bound:
// agent/accel/encoder.ts states it against reference-encoder.ts, in doubles.
#pragma once
#include "layout.hpp"

#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace sterna::floats {

#define STERNA_INLINE inline __attribute__((always_inline))
#define STERNA_ALL _Pragma("GCC unroll 16")

constexpr uint32_t WIDTH = 16;
typedef float Vector __attribute__((vector_size(64)));
typedef int32_t Words __attribute__((vector_size(64)));
typedef int8_t Bytes __attribute__((vector_size(16)));
typedef float Loose __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t LooseWords __attribute__((vector_size(64), aligned(4), may_alias));
typedef int8_t LooseBytes __attribute__((vector_size(16), aligned(1), may_alias));

STERNA_INLINE Vector load(const float* at) { return *reinterpret_cast<const Loose*>(at); }
STERNA_INLINE void store(float* at, Vector v) { *reinterpret_cast<Loose*>(at) = v; }
STERNA_INLINE Vector all(float v) { return v - Vector{}; }
STERNA_INLINE Vector real(Words v) { return __builtin_convertvector(v, Vector); }
STERNA_INLINE Words whole(Vector v) { return __builtin_convertvector(v, Words); }
STERNA_INLINE Vector smaller(Vector a, Vector b) { return a < b ? a : b; }
STERNA_INLINE Vector larger(Vector a, Vector b) { return a > b ? a : b; }

STERNA_INLINE float sum_of(Vector v) {
  float sum = 0;
  STERNA_ALL for (uint32_t i = 0; i < WIDTH; i++) sum += v[i];
  return sum;
}

STERNA_INLINE float largest_of(Vector v) {
  float most = v[0];
  STERNA_ALL for (uint32_t i = 1; i < WIDTH; i++) most = v[i] > most ? v[i] : most;
  return most;
}

// e^x to some 2e-7 of it, for x clipped to +-87: 2^n by its exponent, the rest by its series.
STERNA_INLINE Vector exponential(Vector x) {
  x = larger(smaller(x, all(87)), all(-87));
  const Vector t = x * 1.44269504f;
  const Words n = whole(t + (t < 0 ? all(-0.5f) : all(0.5f)));
  const Vector f = t - real(n);
  Vector p = all(1.5403530e-4f);
  p = p * f + 1.3333558e-3f;
  p = p * f + 9.6181291e-3f;
  p = p * f + 5.5504109e-2f;
  p = p * f + 2.4022651e-1f;
  p = p * f + 6.9314718e-1f;
  p = p * f + 1.0f;
  const Words power = (n + 127) << 23;
  Vector by;
  __builtin_memcpy(&by, &power, sizeof by);
  return p * by;
}

// GELU in its tanh form: x / (1 + e^-u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3).
STERNA_INLINE Vector gelu(Vector x) {
  const Vector u = x * (x * x * -0.071354816f - 1.5957691f);
  return x / (exponential(u) + 1.0f);
}

// floor(v + 0.5), clipped.
STERNA_INLINE void store_steps(int8_t* at, Vector v, float limit) {
  v = larger(smaller(v + 0.5f, all(limit + 0.5f)), all(-limit));
  Words step = whole(v);
  step += v < real(step);
  *reinterpret_cast<LooseBytes*>(at) = __builtin_convertvector(step, Bytes);
}

STERNA_INLINE Vector value(const Sums& s, uint32_t row, uint32_t i, const float* scale,
                           const float* bias) {
  const Words sum = *reinterpret_cast<const LooseWords*>(s.sums + row * s.row + i);
  return real(sum - s.offsets[row]) * load(scale + i) + load(bias + i);
}

// y = sum * scale + bias; with `add` on top of what is there.
STERNA_INLINE void reals(const Sums& s, const float* scale, const float* bias, float* y,
                         size_t ldy) {
  for (uint32_t i = 0; i < s.count; i += WIDTH) {
    for (uint32_t r = 0; r < s.rows; r++) store(y + r * ldy + i, value(s, r, i, scale, bias));
  }
}

STERNA_INLINE void gelu_steps(const Sums& s, const float* scale, const float* bias, float inverse,
                              float limit, int8_t* y, size_t ldy) {
  for (uint32_t i = 0; i < s.count; i += WIDTH) {
    for (uint32_t r = 0; r < s.rows; r++) {
      store_steps(y + r * ldy + i, gelu(value(s, r, i, scale, bias)) * inverse, limit);
    }
  }
}

STERNA_INLINE void steps(const float* x, uint32_t count, float inverse, float limit, int8_t* y) {
  for (uint32_t i = 0; i < count; i += WIDTH) store_steps(y + i, load(x + i) * inverse, limit);
}

// y = gain * (v - mean) / sqrt(variance + epsilon) + offset, v = a + b.
STERNA_INLINE void normalise(const float* a, const float* b, uint32_t width, const float* gain,
                             const float* offset, float epsilon, float* y) {
  Vector total = all(0);
  for (uint32_t i = 0; i < width; i += WIDTH) {
    const Vector v = load(a + i) + load(b + i);
    store(y + i, v);
    total += v;
  }
  const Vector mean = all(sum_of(total) / static_cast<float>(width));
  Vector squares = all(0);
  for (uint32_t i = 0; i < width; i += WIDTH) {
    const Vector v = load(y + i) - mean;
    squares += v * v;
  }
  const float variance = sum_of(squares) / static_cast<float>(width);
  const Vector by = all(1 / __builtin_sqrtf(variance + epsilon));
  for (uint32_t i = 0; i < width; i += WIDTH) {
    store(y + i, (load(y + i) - mean) * by * load(gain + i) + load(offset + i));
  }
}

// Four rows of queries of one head against all keys, which lie channel by channel.
template <int J>
STERNA_INLINE void scores(const float* const* q, const float* keys, size_t padded, uint32_t head,
                          float* to) {
  Vector acc[4][J];
  STERNA_ALL for (int r = 0; r < 4; r++) STERNA_ALL for (int j = 0; j < J; j++) acc[r][j] = all(0);
  for (uint32_t d = 0; d < head; d++, keys += padded) {
    Vector k[J];
    STERNA_ALL for (int j = 0; j < J; j++) k[j] = load(keys + j * WIDTH);
    STERNA_ALL for (int r = 0; r < 4; r++) {
      const Vector qq = all(q[r][d]);
      STERNA_ALL for (int j = 0; j < J; j++) acc[r][j] += qq * k[j];
    }
  }
  STERNA_ALL for (int r = 0; r < 4; r++)
    STERNA_ALL for (int j = 0; j < J; j++) store(to + r * padded + j * WIDTH, acc[r][j]);
}

// e^(scale * (score - largest)); gives the sum. What lies beyond the sequence counts for nothing.
STERNA_INLINE float weigh(float* score, uint32_t sequence, size_t padded, float scale) {
  for (size_t j = sequence; j < padded; j++) score[j] = -1e30f;
  Vector most = load(score);
  for (size_t j = WIDTH; j < padded; j += WIDTH) most = larger(most, load(score + j));
  const Vector top = all(largest_of(most));
  Vector sum = all(0);
  for (size_t j = 0; j < padded; j += WIDTH) {
    const Vector weight = exponential((load(score + j) - top) * scale);
    store(score + j, weight);
    sum += weight;
  }
  return sum_of(sum);
}

struct Heads {
  const float *queries, *keys, *values;  // queries and values: [sequence][stride]
  size_t stride, padded;                 // keys: [heads * head][padded]
  uint32_t sequence, heads, head;
  float inverse, limit;  // steps of the result
  int8_t* y;             // [sequence][heads * head]
};

template <int D>
STERNA_INLINE void blend(const Heads& h, const float* weights, const float* values,
                         const float* by, int8_t* const* y) {
  Vector acc[4][D];
  STERNA_ALL for (int r = 0; r < 4; r++) STERNA_ALL for (int d = 0; d < D; d++) acc[r][d] = all(0);
  for (uint32_t j = 0; j < h.sequence; j++, values += h.stride) {
    Vector v[D];
    STERNA_ALL for (int d = 0; d < D; d++) v[d] = load(values + d * WIDTH);
    STERNA_ALL for (int r = 0; r < 4; r++) {
      const Vector weight = all(weights[r * h.padded + j]);
      STERNA_ALL for (int d = 0; d < D; d++) acc[r][d] += weight * v[d];
    }
  }
  STERNA_ALL for (int r = 0; r < 4; r++)
    STERNA_ALL for (int d = 0; d < D; d++) store_steps(y[r] + d * WIDTH, acc[r][d] * by[r], h.limit);
}

// Rows `from` to `to` of softmax(q k / sqrt(head)) v, as steps. `score` holds 4 * padded floats.
STERNA_INLINE void attend(const Heads& h, uint32_t from, uint32_t to, float* score) {
  const float scale = 1 / __builtin_sqrtf(static_cast<float>(h.head));
  const size_t width = static_cast<size_t>(h.heads) * h.head;
  for (uint32_t head = 0; head < h.heads; head++) {
    const size_t at = static_cast<size_t>(head) * h.head;
    for (uint32_t t = from; t < to; t += 4) {
      const float* q[4];
      int8_t* y[4];
      float by[4];
      for (uint32_t r = 0; r < 4; r++) {  // the last row again, where there are fewer than four
        const size_t row = least(t + r, to - 1);
        q[r] = h.queries + row * h.stride + at;
        y[r] = h.y + row * width + at;
      }
      size_t j = 0;
      for (; j + 4 * WIDTH <= h.padded; j += 4 * WIDTH) {
        scores<4>(q, h.keys + at * h.padded + j, h.padded, h.head, score + j);
      }
      for (; j < h.padded; j += WIDTH) {
        scores<1>(q, h.keys + at * h.padded + j, h.padded, h.head, score + j);
      }
      for (uint32_t r = 0; r < 4; r++) {
        by[r] = h.inverse / weigh(score + r * h.padded, h.sequence, h.padded, scale);
      }
      uint32_t d = 0;
      for (; d + 4 * WIDTH <= h.head; d += 4 * WIDTH) {
        int8_t* const to_d[4] = {y[0] + d, y[1] + d, y[2] + d, y[3] + d};
        blend<4>(h, score, h.values + at + d, by, to_d);
      }
      for (; d < h.head; d += WIDTH) {
        int8_t* const to_d[4] = {y[0] + d, y[1] + d, y[2] + d, y[3] + d};
        blend<1>(h, score, h.values + at + d, by, to_d);
      }
    }
  }
}

struct Functions {
  void (*reals)(const Sums&, const float* scale, const float* bias, float* y, size_t ldy);
  void (*gelu_steps)(const Sums&, const float* scale, const float* bias, float inverse, float limit,
                     int8_t* y, size_t ldy);
  void (*steps)(const float* x, uint32_t count, float inverse, float limit, int8_t* y);
  void (*normalise)(const float* a, const float* b, uint32_t width, const float* gain,
                    const float* offset, float epsilon, float* y);
  void (*attend)(const Heads&, uint32_t from, uint32_t to, float* score);
};

#define STERNA_FLOATS(TARGET)                                                                     \
  TARGET inline void reals(const Sums& s, const float* scale, const float* bias, float* y,        \
                           size_t ldy) {                                                          \
    floats::reals(s, scale, bias, y, ldy);                                                        \
  }                                                                                               \
  TARGET inline void gelu_steps(const Sums& s, const float* scale, const float* bias, float inverse, \
                                float limit, int8_t* y, size_t ldy) {                             \
    floats::gelu_steps(s, scale, bias, inverse, limit, y, ldy);                                   \
  }                                                                                               \
  TARGET inline void steps(const float* x, uint32_t count, float inverse, float limit, int8_t* y) { \
    floats::steps(x, count, inverse, limit, y);                                                   \
  }                                                                                               \
  TARGET inline void normalise(const float* a, const float* b, uint32_t width, const float* gain, \
                               const float* offset, float epsilon, float* y) {                    \
    floats::normalise(a, b, width, gain, offset, epsilon, y);                                     \
  }                                                                                               \
  TARGET inline void attend(const Heads& h, uint32_t from, uint32_t to, float* score) {           \
    floats::attend(h, from, to, score);                                                           \
  }                                                                                               \
  inline const Functions FUNCTIONS = {reals, gelu_steps, steps, normalise, attend};

#if defined(__x86_64__)
namespace wide512 {
STERNA_FLOATS(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))))
}
namespace wide256 {
STERNA_FLOATS(__attribute__((target("avx2,fma"))))
}
#endif
namespace plain {
STERNA_FLOATS()
}

inline const Functions& functions_of(const Kernels& kernels) {
#if defined(__x86_64__)
  // "avx512-...", "avx2"; a CPU with AVX2 has FMA (one that has not is not offered the kernels).
  if (kernels.name[0] == 'a') return kernels.name[3] == '5' ? wide512::FUNCTIONS : wide256::FUNCTIONS;
#endif
  (void)kernels;
  return plain::FUNCTIONS;
}

}  // namespace sterna::floats

#pragma GCC diagnostic pop
#pragma GCC pop_options
