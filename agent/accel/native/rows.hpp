// Matrix times rows of x: what every weighted stage comes down to. The integers are stated by
// agent/accel/reference.ts.
#pragma once
#include "layout.hpp"

namespace sterna {

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

}  // namespace sterna
