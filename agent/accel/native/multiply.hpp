// Rows of x times a packed matrix, in whichever form it lies: what the integer stages and the
// projections of an encoder share.
#pragma once
#include "layout.hpp"

namespace sterna {

// As pack.ts laid it out. `sparse`: the first kept block of each tile and the end, then the places
// of the blocks as uint16; null where all are kept.
struct Matrix {
  const Kernels& kernels;
  uint32_t form, rows, quads;
  const uint8_t* weights;
  const int32_t* fold;
  const uint32_t* sparse;
};

// `count` rows of x against the tiles from `tile` to `end`. `totals` are the sums of each row. `back`:
// the last tile first, for its weights may still be in a cache from the time before.
struct Piece {
  const int8_t* x;
  size_t ldx;
  const int32_t* totals;
  uint32_t count, tile, end;
  bool back;
};

// Copies the blocks of x that a block-sparse tile keeps side by side, so that every kernel serves
// it as it is. `to` has room for ROWS_MAX rows of `blocks` blocks.
inline void keep_blocks(const int8_t* x, size_t ldx, uint32_t quads, const uint16_t* kept,
                        uint32_t blocks, uint32_t count, int8_t* to) {
  for (uint32_t r = 0; r < count; r++, x += ldx) {
    for (uint32_t b = 0; b < blocks; b++, to += BLOCK) {
      const uint32_t at = kept[b] * BLOCK;
      if (at + BLOCK <= quads * 4) {
        __builtin_memcpy(to, x + at, BLOCK);
        continue;
      }
      for (uint32_t i = 0; i < BLOCK; i++) to[i] = at + i < quads * 4 ? x[at + i] : 0;
    }
  }
}

// `done` takes the sums of a few rows from row `r` on, for the outputs from `at` on.
template <class Done>
inline void multiply_tile(const Matrix& m, const Piece& p, uint32_t tile, int8_t* scratch,
                          Done done) {
  const Kernels& k = m.kernels;
  const uint32_t tiles = (m.rows + TILE - 1) / TILE, at = tile * TILE;
  const uint32_t count = least(TILE, m.rows - at), groups = (count + 15) / 16;
  const bool sparse = m.sparse != nullptr;
  const uint32_t first = sparse ? m.sparse[tile] : 0;
  const uint32_t blocks = sparse ? m.sparse[tile + 1] - first : 0;
  const uint32_t quads = sparse ? blocks * (BLOCK / 4) : m.quads;
  const size_t skipped = sparse ? static_cast<size_t>(first) * (BLOCK / 4)
                                : static_cast<size_t>(tile) * m.quads;
  const uint8_t* w = m.weights + skipped * (m.form == WIDE ? TILE * 4 : TILE);
  alignas(64) int32_t sums[ROWS_MAX * TILE];
  // Shared out evenly: a last round of one or two rows would run at a fraction of the speed.
  uint32_t r = 0;
  for (uint32_t rounds = (p.count + ROWS_MAX - 1) / ROWS_MAX; rounds > 0; rounds--) {
    const uint32_t few = (p.count - r + rounds - 1) / rounds;
    const int8_t* x = p.x + r * p.ldx;
    size_t ldx = p.ldx;
    if (sparse) {
      const uint16_t* kept = reinterpret_cast<const uint16_t*>(m.sparse + tiles + 1) + first;
      keep_blocks(x, ldx, m.quads, kept, blocks, few, scratch);
      x = scratch;
      ldx = static_cast<size_t>(blocks) * BLOCK;
    }
    if (m.form == WIDE) k.wide(w, m.fold + at, quads, x, ldx, few, groups, sums);
    else k.ternary(w, quads, x, ldx, few, groups, false, sums);
    int32_t offsets[ROWS_MAX] = {};
    for (uint32_t i = 0; i < few && m.form != WIDE; i++) {
      offsets[i] = sparse ? k.total(x + i * ldx, quads) : p.totals[r + i];
    }
    done(Sums{sums, TILE, offsets, few, nullptr, nullptr, count}, r, at);
    r += few;
  }
}

// One row of x leaves room for the sums of ROWS_MAX tiles, which `done` takes together: a call
// for each cost 7 % of the time of a tile of 4096 inputs.
template <class Done>
inline void multiply_row(const Matrix& m, const Piece& p, Done done) {
  const Kernels& k = m.kernels;
  const bool wide = m.form == WIDE;
  const size_t tile_bytes = static_cast<size_t>(m.quads) * (wide ? TILE * 4 : TILE);
  const int32_t offset = wide ? 0 : p.totals[0];
  alignas(64) int32_t sums[ROWS_MAX * TILE];
  for (uint32_t left = p.end - p.tile; left > 0;) {
    const uint32_t some = least(ROWS_MAX, left);
    const uint32_t first = p.back ? p.tile + left - some : p.end - left;
    for (uint32_t i = 0; i < some; i++) {
      const uint32_t at = p.back ? some - 1 - i : i, row = (first + at) * TILE;
      const uint32_t groups = (least(TILE, m.rows - row) + 15) / 16;
      const uint8_t* w = m.weights + (first + at) * tile_bytes;
      int32_t* to = sums + at * TILE;
      if (wide) k.wide(w, m.fold + row, m.quads, p.x, 0, 1, groups, to);
      else k.ternary(w, m.quads, p.x, 0, 1, groups, p.back, to);
    }
    const uint32_t row = first * TILE, count = least(some * TILE, m.rows - row);
    done(Sums{sums, 0, &offset, 1, nullptr, nullptr, count}, 0u, row);
    left -= some;
  }
}

template <class Done>
inline void multiply(const Matrix& m, const Piece& p, uint8_t* scratch, Done done) {
  if (m.form != LOOKUP) {
    if (p.count == 1 && m.sparse == nullptr) return multiply_row(m, p, done);
    int8_t* kept = reinterpret_cast<int8_t*>(scratch);
    for (uint32_t tile = p.tile; tile < p.end; tile++) multiply_tile(m, p, tile, kept, done);
    return;
  }
  // One set of tables serves all tiles, so those are never shared out.
  const uint32_t tiles = (m.rows + TILE - 1) / TILE;
  const size_t row = static_cast<size_t>(tiles) * TILE;
  int32_t* sums = reinterpret_cast<int32_t*>(scratch + TABLE_BYTES);
  const int32_t none[LOOKUP_ROWS] = {};  // look-ups give whole sums
  for (uint32_t r = 0; r < p.count; r += LOOKUP_ROWS) {
    const uint32_t few = least(LOOKUP_ROWS, p.count - r);
    m.kernels.lookup(m.weights, tiles, m.quads, p.x + r * p.ldx, p.ldx, few, scratch, sums);
    done(Sums{sums, row, none, few, nullptr, nullptr, m.rows}, r, 0u);
  }
}

}  // namespace sterna
