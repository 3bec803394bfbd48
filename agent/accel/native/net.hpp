// The whole integer network behind one call, for every instruction set alike. It computes and
// nothing else: agent/accel/image.ts lays the image out and checks every size before. The integers
// are stated by agent/accel/reference.ts. No library, so that the same text becomes WebAssembly.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sterna {

// Mirrors image.ts, word for word. Offsets are bytes from the start of the image or of an arena.
struct Stage {
  uint32_t rows, cols, quads, places, step, from, to, ternary;
  uint32_t relu, weights, bias, multiplier, shift, fold, sparse, reserved;
};
struct Header {
  uint32_t magic, stages, stride, batch, in_channels, in_length, in_at, out_channels;
  uint32_t out_places, out_at, out_sums, out_relu, out_scale, stage_at, image_bytes, sums_max;
  double inverse;
  double reserved[7];
};

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
  int32_t* totals;  // one for each row of x of the largest stage
  const Kernels* kernels;
};

inline const Header& header(const Net& net) { return *reinterpret_cast<const Header*>(net.image); }

template <class T>
inline const T* part(const Net& net, uint32_t at) {
  return reinterpret_cast<const T*>(net.image + at);
}

inline size_t scratch_bytes(const Header& h) {
  return static_cast<size_t>(h.batch) * h.stride + static_cast<size_t>(h.sums_max) * 4 + 256;
}

// Results of one stage for rows that lie `ldx` and `ldy` apart. The last stage of a network
// without output steps gives real numbers instead: `real` is then its first value.
struct Rows {
  const int8_t* x;
  size_t ldx;
  int8_t* y;
  size_t ldy;
  uint32_t count;
  float* real;
  size_t real_row, real_channel;
};

inline void real_out(const Net& net, const Stage& s, const int32_t* sums, int32_t offset,
                     uint32_t row, uint32_t count, const Rows& rows, uint32_t at) {
  const Header& h = header(net);
  const double* scale = part<double>(net, h.out_scale) + at;
  const int32_t* bias = part<int32_t>(net, s.bias) + at;
  float* y = rows.real + row * rows.real_row + at * rows.real_channel;
  for (uint32_t i = 0; i < count; i++) {
    const double value = static_cast<double>(sums[i] + bias[i] - offset) * scale[i];
    y[i * rows.real_channel] = static_cast<float>(h.out_relu && value < 0 ? 0 : value);
  }
}

inline void run_rows(const Net& net, const Stage& s, const Rows& rows) {
  const Kernels& k = *net.kernels;
  const uint8_t* w = part<uint8_t>(net, s.weights);
  const int32_t* fold = part<int32_t>(net, s.fold);
  const size_t tile_bytes = static_cast<size_t>(s.quads) * (s.ternary ? TILE : TILE * 4);
  if (s.ternary) {
    for (uint32_t r = 0; r < rows.count; r++) {
      net.totals[r] = k.total(rows.x + r * rows.ldx, s.quads);
    }
  }
  alignas(64) int32_t sums[ROWS_MAX * TILE];
  for (uint32_t at = 0; at < s.rows; at += TILE, w += tile_bytes) {
    const uint32_t count = least(TILE, s.rows - at);
    const uint32_t groups = (count + 15) / 16;
    // Shared out evenly: a last round of one or two rows would run at a fraction of the speed.
    uint32_t r = 0;
    for (uint32_t rounds = (rows.count + ROWS_MAX - 1) / ROWS_MAX; rounds > 0; rounds--) {
      const uint32_t few = (rows.count - r + rounds - 1) / rounds;
      const int8_t* x = rows.x + r * rows.ldx;
      if (s.ternary) k.ternary(w, s.quads, x, rows.ldx, few, groups, sums);
      else k.wide(w, fold + at, s.quads, x, rows.ldx, few, groups, sums);
      for (uint32_t i = 0; i < few; i++) {
        const int32_t offset = s.ternary ? net.totals[r + i] : 0;
        const int32_t* from = sums + i * TILE;
        if (rows.real != nullptr) {
          real_out(net, s, from, offset, r + i, count, rows, at);
          continue;
        }
        k.requantise(from, offset, part<int32_t>(net, s.bias) + at,
                     part<int32_t>(net, s.multiplier) + at, part<int32_t>(net, s.shift) + at,
                     count, s.relu != 0, rows.y + (r + i) * rows.ldy + at);
      }
      r += few;
    }
  }
}

inline void run_stage(const Net& net, const Stage& s, uint32_t batch, float* real) {
  const Header& h = header(net);
  const size_t size = static_cast<size_t>(h.out_channels) * h.out_places;
  if (s.places == 1) {  // one row of x an asset: the batch is one matrix
    int8_t* arena = net.arena;
    run_rows(net, s, {arena + s.from, h.stride, arena + s.to, h.stride, batch, real, size, 1});
    return;
  }
  for (uint32_t b = 0; b < batch; b++) {
    int8_t* arena = net.arena + static_cast<size_t>(b) * h.stride;
    float* y = real == nullptr ? nullptr : real + b * size;
    run_rows(net, s, {arena + s.from, s.step, arena + s.to, s.rows, s.places, y, 1, h.out_places});
  }
}

inline bool quantise_in(const Net& net, const float* x, int8_t* arena) {
  const Header& h = header(net);
  int8_t* to = arena + h.in_at;
  if (h.in_length == 1 || h.in_channels == 1) {
    return net.kernels->quantise(x, h.inverse, h.in_channels * h.in_length, to);
  }
  // Channel-first outside, channel-last in here.
  int8_t steps[256];
  for (uint32_t c = 0; c < h.in_channels; c++) {
    for (uint32_t at = 0; at < h.in_length; at += 256) {
      const uint32_t count = least(256u, h.in_length - at);
      if (!net.kernels->quantise(x + c * h.in_length + at, h.inverse, count, steps)) return false;
      for (uint32_t i = 0; i < count; i++) to[(at + i) * h.in_channels + c] = steps[i];
    }
  }
  return true;
}

inline void steps_out(const Net& net, const int8_t* from, float* y) {
  const Header& h = header(net);
  const double* scale = part<double>(net, h.out_scale);
  if (h.out_places == 1) return net.kernels->real(from, scale, h.out_channels, y);
  for (uint32_t p = 0; p < h.out_places; p++) {
    for (uint32_t c = 0; c < h.out_channels; c++) {
      y[c * h.out_places + p] = static_cast<float>(from[p * h.out_channels + c] * scale[c]);
    }
  }
}

// x: batch * input, y: batch * output; an asset with a value that is no number gets NaN alone.
inline void infer(const Net& net, const float* x, float* y, uint32_t batch) {
  const Header& h = header(net);
  const size_t in = static_cast<size_t>(h.in_channels) * h.in_length;
  const size_t out = static_cast<size_t>(h.out_channels) * h.out_places;
  bool all = true;
  for (uint32_t b = 0; b < batch; b++) {
    const bool good = quantise_in(net, x + b * in, net.arena + static_cast<size_t>(b) * h.stride);
    // The totals are not in use yet.
    net.totals[b] = good;
    all = all && good;
  }
  uint8_t bad[32] = {};
  for (uint32_t b = 0; !all && b < batch; b++) {
    if (net.totals[b] == 0) bad[b >> 3] |= static_cast<uint8_t>(1 << (b & 7));
  }
  const Stage* stages = part<Stage>(net, h.stage_at);
  for (uint32_t i = 0; i < h.stages; i++) {
    const bool last = i + 1 == h.stages && h.out_sums != 0;
    run_stage(net, stages[i], batch, last ? y : nullptr);
  }
  for (uint32_t b = 0; b < batch; b++) {
    const int8_t* arena = net.arena + static_cast<size_t>(b) * h.stride;
    if (!h.out_sums) steps_out(net, arena + h.out_at, y + b * out);
    if (bad[b >> 3] >> (b & 7) & 1) {
      for (size_t i = 0; i < out; i++) y[b * out + i] = __builtin_nanf("");
    }
  }
}

}  // namespace sterna
