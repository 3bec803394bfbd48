// Plain C++ for the parts of a kernel that no instruction set needs to speed up, and for a CPU that
// has none of the others.
#pragma once
#include "net.hpp"
#include "planes.hpp"

namespace sterna::scalar {

inline bool supported() { return true; }

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t groups, bool, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t n = 0; n < groups * 16; n++) {
      int32_t sum = 0;
      for (uint32_t i = 0; i < quads * 4; i++) {
        const uint8_t byte = w[(i / 4) * TILE + (n % 16) * 4 + i % 4];
        sum += (byte >> (2 * (n / 16)) & 3) * x[r * ldx + i];
      }
      sums[r * TILE + n] = sum;
    }
  }
}

inline void wide(const uint8_t* w, const int32_t*, uint32_t quads, const int8_t* x, size_t ldx,
                 uint32_t count, uint32_t groups, int32_t* sums) {
  for (uint32_t r = 0; r < count; r++) {
    for (uint32_t n = 0; n < groups * 16; n++) {
      int32_t sum = 0;
      for (uint32_t i = 0; i < quads * 4; i++) {
        sum += static_cast<int8_t>(w[(i / 4) * TILE * 4 + n * 4 + i % 4]) * x[r * ldx + i];
      }
      sums[r * TILE + n] = sum;
    }
  }
}

inline int32_t total(const int8_t* x, uint32_t quads) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < quads * 4; i++) sum += x[i];
  return sum;
}

inline double value_of(const Sums& s, uint32_t row, uint32_t i) {
  return (s.sums[row * s.row + i] + s.bias[i] - s.offsets[row]) * s.scale[i];
}

inline void requantise(const Sums& s, Range range, int8_t* y, size_t ldy) {
  const double low = range.low, high = range.high;
  for (uint32_t r = 0; r < s.rows; r++, y += ldy) {
    for (uint32_t i = 0; i < s.count; i++) {
      const double v = __builtin_floor(value_of(s, r, i) + 0.5);
      y[i] = static_cast<int8_t>(v < low ? low : v > high ? high : v);
    }
  }
}

inline bool quantise(const float* x, double inverse, uint32_t count, int32_t limit, int8_t* y) {
  bool finite = true;
  const double high = limit;
  for (uint32_t i = 0; i < count; i++) {
    finite = finite && x[i] - x[i] == 0;
    const double step = __builtin_floor(x[i] * inverse + 0.5);
    y[i] = static_cast<int8_t>(step > high ? high : step > -high ? step : -high);
  }
  return finite;
}

inline void real(const int8_t* x, const double* scale, uint32_t count, float* y) {
  for (uint32_t i = 0; i < count; i++) y[i] = static_cast<float>(x[i] * scale[i]);
}

inline void real_sums(const Sums& s, bool relu, float* y, size_t ldy) {
  for (uint32_t r = 0; r < s.rows; r++, y += ldy) {
    for (uint32_t i = 0; i < s.count; i++) {
      const double value = value_of(s, r, i);
      y[i] = static_cast<float>(relu && value < 0 ? 0 : value);
    }
  }
}

inline const Kernels KERNELS = {"scalar",   supported, ternary, wide,      total,
                                requantise, quantise,  real,    real_sums, nullptr,
                                planes::plain::run};

}  // namespace sterna::scalar
