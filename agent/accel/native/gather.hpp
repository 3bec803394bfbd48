// Matrix stages whose rows of x lie in pieces, or in lines with pads between: rows are gathered in
// blocks, multiplied, and where the rows of y lie in lines too, spread again.
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

// The rows of one call: those of an asset, or, where each asset has one row, those of the batch.
struct Gathered {
  const Stage& stage;
  int8_t* arena;
  size_t stride;  // 0: all rows lie in one asset
  uint32_t count;

  const int8_t* from(uint32_t row) const {
    return arena + stage.from + row * stride + at(row, stage.line, stage.step);
  }
  int8_t* to(uint32_t row) const {
    return arena + stage.to + row * stride + at(row, stage.to_line, stage.to_step);
  }
  size_t at(uint32_t row, uint32_t line, uint32_t step) const {
    if (stride != 0) return 0;
    return static_cast<size_t>(row / stage.places) * line +
           static_cast<size_t>(row % stage.places) * step;
  }
};

inline void gather_row(const Net& net, const Stage& s, const int8_t* from, int8_t* to) {
  if (s.runs == 0) return copy_bytes(to, from, s.cols);
  const uint32_t* runs = part<uint32_t>(net, s.run_at);
  for (uint32_t i = 0; i < s.runs; i++, to += s.run) copy_bytes(to, from + runs[i], s.run);
}

inline void run_gathered(const Net& net, const Gathered& g, float* real, size_t row_step,
                         size_t channel_step) {
  const Stage& s = g.stage;
  const size_t ldx = (static_cast<size_t>(s.cols) + 63) / 64 * 64;
  const size_t ldy = (static_cast<size_t>(s.rows) + 63) / 64 * 64;
  int8_t* x = reinterpret_cast<int8_t*>(net.totals + header(net).gather);
  int8_t* y = x + GATHER_ROWS * ldx;
  // Rows of y one step apart, over the ends of lines too, need no spreading.
  const bool straight = g.stride != 0 || s.lines == 1 || s.to_line == s.places * s.to_step;
  const size_t step = g.stride != 0 ? g.stride : s.to_step;
  for (uint32_t r = 0; r < g.count; r += GATHER_ROWS) {
    const uint32_t few = least(GATHER_ROWS, g.count - r);
    for (uint32_t i = 0; i < few; i++) gather_row(net, s, g.from(r + i), x + i * ldx);
    float* out = real == nullptr ? nullptr : real + r * row_step;
    if (straight || real != nullptr) {
      run_rows(net, s, {x, ldx, g.to(r), step, few, out, row_step, channel_step});
      continue;
    }
    run_rows(net, s, {x, ldx, y, ldy, few, nullptr, 0, 0});
    for (uint32_t i = 0; i < few; i++) copy_bytes(g.to(r + i), y + i * ldy, s.rows);
  }
}

}  // namespace sterna
