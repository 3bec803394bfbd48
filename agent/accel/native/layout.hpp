// The image that agent/accel/image.ts lays out, word for word, and what an instruction set brings.
// No library, so that the same text becomes WebAssembly.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sterna {

// Mirrors image.ts, word for word. Offsets are bytes from the start of the image or of an arena.
struct Stage {
  uint32_t rows, cols, quads, places, step, from, to, ternary;
  uint32_t relu, weights, bias, multiplier, shift, fold, sparse, reserved;
  uint32_t kind, lines, line, to_step, to_line, runs, run, run_at;
  uint32_t from2, step2, line2, wide, height, width, kernel_h, kernel_w;
  uint32_t stride_h, stride_w, pad_h, pad_w, largest, free[11];
};
enum Kind : uint32_t { MATMUL, DEPTHWISE, ADD, MUL, TABLE, POOL };
struct State {
  uint32_t from, to, bytes;
};
struct Header {
  uint32_t magic, stages, stride, batch, in_channels, in_length, in_at, out_channels;
  uint32_t out_places, out_at, out_sums, out_relu, out_scale, stage_at, image_bytes, scratch;
  double inverse;
  uint32_t in_lines, in_line, gather, states, state_at, free[25];
};
static_assert(sizeof(Stage) == 192 && sizeof(Header) == 192, "as image.ts has it");

constexpr uint32_t GATHER_ROWS = 48;  // rows gathered at once
constexpr uint32_t TILE = 64;  // outputs side by side in the weights
constexpr uint32_t ROWS_MAX = 6;  // rows of x that a kernel takes at once

// What an instruction set brings. `sums` is [count][TILE]; `groups` of 16 outputs are wanted.
// Ternary sums are those of the codes w + 1: the caller takes the sum of x away.
struct Kernels {
  const char* name;
  bool (*supported)();
  void (*ternary)(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                  uint32_t groups, int32_t* sums);
  void (*wide)(const uint8_t* w, const int32_t* fold, uint32_t quads, const int8_t* x, size_t ldx,
               uint32_t count, uint32_t groups, int32_t* sums);
  int32_t (*total)(const int8_t* x, uint32_t quads);
  void (*requantise)(const int32_t* sums, int32_t offset, const int32_t* bias, const int32_t* m,
                     const int32_t* shift, uint32_t count, bool relu, int8_t* y);
  // False when a value is not finite.
  bool (*quantise)(const float* x, double inverse, uint32_t count, int8_t* y);
  void (*real)(const int8_t* x, const double* scale, uint32_t count, float* y);
};

template <class T>
inline T least(T a, T b) { return a < b ? a : b; }

struct Net {
  const uint8_t* image;
  int8_t* arena;    // batch * stride, zero at first: the pads stay so
  int32_t* totals;  // one for each row of x of the largest stage; then the rows gathered
  const Kernels* kernels;
};

inline const Header& header(const Net& net) { return *reinterpret_cast<const Header*>(net.image); }

template <class T>
inline const T* part(const Net& net, uint32_t at) {
  return reinterpret_cast<const T*>(net.image + at);
}

inline size_t scratch_bytes(const Header& h) {
  return static_cast<size_t>(h.batch) * h.stride + static_cast<size_t>(h.scratch) * 4 + 256;
}

}  // namespace sterna
