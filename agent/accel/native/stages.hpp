// The stages that multiply no matrix, over rows of channels. Portable text: the compiler makes
// vectors of the inner loops. The integers are stated by agent/accel/reference-stages.ts.
#pragma once
#include "rows.hpp"

namespace sterna {

// No library: a copy that a compiler can keep inline.
inline void copy_bytes(int8_t* to, const int8_t* from, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) __builtin_memcpy(to + i, from + i, 16);
  for (; i + 4 <= count; i += 4) __builtin_memcpy(to + i, from + i, 4);
  for (; i < count; i++) to[i] = from[i];
}

inline int64_t shifted(int64_t value, int32_t shift, int64_t low, int64_t most) {
  // floor((v + 2^(s-1)) / 2^s), with the shift stored as s - 1
  const int64_t step = ((value >> shift) + 1) >> 1;
  return step < low ? low : step > most ? most : step;
}

// Vectors of the compiler, which it cuts to what the CPU has.
typedef int8_t Bytes __attribute__((vector_size(16)));
typedef int16_t Shorts __attribute__((vector_size(32)));
typedef int32_t Words __attribute__((vector_size(64)));

// Sums of 16 channels over all taps. One product fits 16 bits (127 * 127), and so do the ternary
// sums of up to 256 taps.
template <bool Narrow>
inline void sum_taps(const Stage& s, const int8_t* w, size_t padded, const uint32_t* taps,
                            const int8_t* x, int32_t* sums) {
  Shorts narrow = {};
  Words words = {};
  for (uint32_t t = 0; t < s.runs; t++) {
    Bytes left, right;
    __builtin_memcpy(&left, w + t * padded, sizeof left);
    __builtin_memcpy(&right, x + taps[t], sizeof right);
    const Shorts product =
        __builtin_convertvector(left, Shorts) * __builtin_convertvector(right, Shorts);
    if (Narrow) narrow += product;
    else words += __builtin_convertvector(product, Words);
  }
  if (Narrow) words = __builtin_convertvector(narrow, Words);
  __builtin_memcpy(sums, &words, sizeof words);
}

inline void depthwise_row(const Net& net, const Stage& s, const int8_t* x, int8_t* y) {
  const size_t padded = (static_cast<size_t>(s.rows) + 63) / 64 * 64;
  const int8_t* weights = part<int8_t>(net, s.weights);
  const uint32_t* taps = part<uint32_t>(net, s.run_at);
  const bool narrow = s.form == TERNARY && s.runs <= 256;
  const int32_t limit = static_cast<int32_t>(s.limit), none = 0;
  const Range range = {s.relu != 0 ? 0 : -limit, limit};
  alignas(64) int32_t sums[TILE] = {};
  for (uint32_t at = 0; at < s.rows; at += TILE) {
    const uint32_t count = least(TILE, s.rows - at);
    const int8_t* w = weights + at;
    uint32_t c = 0;
    for (; c + 16 <= count; c += 16) {
      if (narrow) sum_taps<true>(s, w + c, padded, taps, x + at + c, sums + c);
      else sum_taps<false>(s, w + c, padded, taps, x + at + c, sums + c);
    }
    for (; c < count; c++) {
      sums[c] = 0;
      for (uint32_t t = 0; t < s.runs; t++) sums[c] += w[t * padded + c] * x[taps[t] + at + c];
    }
    const double* scale = part<double>(net, s.scale) + at;
    const Sums done = {sums, TILE, &none, 1, part<int32_t>(net, s.bias) + at, scale, count};
    net.kernels->requantise(done, range, y + at, 0);
  }
}

inline int32_t read_value(const int8_t* row, uint32_t c, bool wide) {
  if (!wide) return row[c];
  int16_t value;
  __builtin_memcpy(&value, row + 2 * c, 2);
  return value;
}

inline void add_row(const Net& net, const Stage& s, const int8_t* a, const int8_t* b, int8_t* y) {
  const int32_t* gain_a = part<int32_t>(net, s.multiplier);
  const int32_t* gain_b = part<int32_t>(net, s.fold);
  const int32_t* bias = part<int32_t>(net, s.bias);
  const int32_t* shift = part<int32_t>(net, s.shift);
  const int64_t most = (s.wide & 4) != 0 ? 32767 : 127, low = s.relu != 0 ? 0 : -most;
  for (uint32_t c = 0; c < s.rows; c++) {
    const int64_t left = static_cast<int64_t>(read_value(a, c, (s.wide & 1) != 0)) * gain_a[c];
    const int64_t right = static_cast<int64_t>(read_value(b, c, (s.wide & 2) != 0)) * gain_b[c];
    const int64_t value = shifted(left + right + bias[c], shift[c], low, most);
    if ((s.wide & 4) == 0) {
      y[c] = static_cast<int8_t>(value);
    } else {
      const int16_t two = static_cast<int16_t>(value);
      __builtin_memcpy(y + 2 * c, &two, 2);
    }
  }
}

inline void mul_row(const Net& net, const Stage& s, const int8_t* a, const int8_t* b, int8_t* y) {
  const int64_t m = *part<int32_t>(net, s.multiplier);
  const int32_t shift = *part<int32_t>(net, s.shift);
  for (uint32_t c = 0; c < s.rows; c++) {
    y[c] = static_cast<int8_t>(shifted(a[c] * b[c] * m, shift, -127, 127));
  }
}

inline void table_row(const Net& net, const Stage& s, const int8_t* x, int8_t* y) {
  const int8_t* table = part<int8_t>(net, s.weights) + 128;
  for (uint32_t c = 0; c < s.rows; c++) y[c] = table[x[c]];
}

// The part of a window that lies in the plane.
struct Cut {
  uint32_t from, to;
};
inline Cut cut(uint32_t at, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t size) {
  const uint32_t begin = at * stride;
  return {begin > pad ? begin - pad : 0, least(size, begin + kernel - pad)};
}

inline void pool_row(const Net& net, const Stage& s, const int8_t* plane, uint32_t l, uint32_t p,
                     int8_t* y) {
  const Cut lines = cut(l, s.stride_h, s.pad_h, s.kernel_h, s.height);
  const Cut places = cut(p, s.stride_w, s.pad_w, s.kernel_w, s.width);
  const uint32_t taps = (lines.to - lines.from) * (places.to - places.from);
  alignas(64) int32_t found[TILE];
  for (uint32_t at = 0; at < s.rows; at += TILE) {
    const uint32_t count = least(TILE, s.rows - at);
    for (uint32_t c = 0; c < TILE; c++) found[c] = s.largest != 0 ? -127 : 0;
    for (uint32_t i = lines.from; i < lines.to; i++) {
      for (uint32_t j = places.from; j < places.to; j++) {
        const int8_t* x = plane + static_cast<size_t>(i) * s.line + j * s.step + at;
        if (s.largest != 0) {
          for (uint32_t c = 0; c < count; c++) found[c] = x[c] > found[c] ? x[c] : found[c];
        } else {
          for (uint32_t c = 0; c < count; c++) found[c] += x[c];
        }
      }
    }
    const int64_t m = s.largest != 0 ? 0 : part<int32_t>(net, s.multiplier)[taps - 1];
    const int32_t shift = s.largest != 0 ? 0 : part<int32_t>(net, s.shift)[taps - 1];
    for (uint32_t c = 0; c < count; c++) {
      const int64_t value = s.largest != 0 ? found[c] : shifted(found[c] * m, shift, -127, 127);
      y[at + c] = static_cast<int8_t>(value);
    }
  }
}

// Every row of a stage that is no matrix.
inline void run_plane(const Net& net, const Stage& s, int8_t* arena) {
  for (uint32_t l = 0; l < s.lines; l++) {
    const int8_t* x = arena + s.from + static_cast<size_t>(l) * s.line;
    const int8_t* b = arena + s.from2 + static_cast<size_t>(l) * s.line2;
    int8_t* y = arena + s.to + static_cast<size_t>(l) * s.to_line;
    for (uint32_t p = 0; p < s.places; p++, x += s.step, b += s.step2, y += s.to_step) {
      if (s.kind == DEPTHWISE) depthwise_row(net, s, x, y);
      else if (s.kind == ADD) add_row(net, s, x, b, y);
      else if (s.kind == MUL) mul_row(net, s, x, b, y);
      else if (s.kind == TABLE) table_row(net, s, x, y);
      else pool_row(net, s, arena + s.from, l, p, y);
    }
  }
}

}  // namespace sterna
