// Plain C++ for the parts of a kernel that no instruction set needs to speed up, and for a CPU that
// has none of the others.
#pragma once
#include "net.hpp"

namespace sterna::scalar {

inline bool supported() { return true; }

inline void ternary(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                    uint32_t groups, int32_t* sums) {
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

inline void requantise(const int32_t* sums, int32_t offset, const int32_t* bias, const int32_t* m,
                       const int32_t* shift, uint32_t count, bool relu, int8_t* y) {
  const int64_t low = relu ? 0 : -127;
  for (uint32_t i = 0; i < count; i++) {
    const int64_t product = static_cast<int64_t>(sums[i] + bias[i] - offset) * m[i];
    // floor((v + 2^(s-1)) / 2^s), with the shift stored as s - 1
    const int64_t value = ((product >> shift[i]) + 1) >> 1;
    y[i] = static_cast<int8_t>(value < low ? low : value > 127 ? 127 : value);
  }
}

inline bool quantise(const float* x, double inverse, uint32_t count, int8_t* y) {
  bool finite = true;
  for (uint32_t i = 0; i < count; i++) {
    finite = finite && x[i] - x[i] == 0;
    const double step = __builtin_floor(x[i] * inverse + 0.5);
    y[i] = static_cast<int8_t>(step > 127 ? 127 : step > -127 ? step : -127);
  }
  return finite;
}

inline void real(const int8_t* x, const double* scale, uint32_t count, float* y) {
  for (uint32_t i = 0; i < count; i++) y[i] = static_cast<float>(x[i] * scale[i]);
}

inline const Kernels KERNELS = {"scalar",   supported,  ternary,  wide,
                                total,      requantise, quantise, real};

}  // namespace sterna::scalar
