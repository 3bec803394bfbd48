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

// Outputs from `at` on of some rows from `row` on: their sums to steps or to real numbers.
inline void finish(const Net& net, const Stage& s, Sums sums, uint32_t row, const Rows& rows,
                   uint32_t at) {
  const Header& h = header(net);
  sums.bias = part<int32_t>(net, s.bias) + at;
  if (rows.real == nullptr) {
    const int32_t limit = static_cast<int32_t>(s.limit);
    sums.scale = part<double>(net, s.scale) + at;
    const Range range = {s.relu != 0 ? 0 : -limit, limit};
    net.kernels->requantise(sums, range, rows.y + row * rows.ldy + at, rows.ldy);
    return;
  }
  sums.scale = part<double>(net, h.out_scale) + at;
  float* y = rows.real + row * rows.real_row + at * rows.real_channel;
  const bool relu = h.out_relu != 0;
  if (rows.real_channel == 1) {
    net.kernels->real_sums(sums, relu, y, rows.real_row);
    return;
  }
  for (uint32_t r = 0; r < sums.rows; r++) {
    for (uint32_t i = 0; i < sums.count; i++) {
      const int32_t sum = sums.sums[r * sums.row + i] + sums.bias[i] - sums.offsets[r];
      const double value = sum * sums.scale[i];
      y[r * rows.real_row + i * rows.real_channel] =
          static_cast<float>(relu && value < 0 ? 0 : value);
    }
  }
}

// Some tiles of outputs for some rows: what one lane does at a time.
struct Job {
  const Net& net;
  const Stage& s;
  const Rows& rows;
  uint32_t tiles, tile_parts, row_parts;
};

// Copies the blocks of x that a block-sparse tile keeps side by side, so that every kernel serves
// it as it is. `to` has room for ROWS_MAX rows of `blocks` blocks.
inline void gather(const int8_t* x, size_t ldx, uint32_t quads, const uint16_t* kept,
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

inline void run_tile(const Job& job, uint32_t tile, uint32_t from, uint32_t to, uint32_t lane) {
  const auto& [net, s, rows, tiles, tile_parts, row_parts] = job;
  const Kernels& k = *net.kernels;
  const uint32_t at = tile * TILE, count = least(TILE, s.rows - at), groups = (count + 15) / 16;
  const size_t quad_bytes = s.form == WIDE ? TILE * 4 : TILE;
  const uint8_t* w = part<uint8_t>(net, s.weights);
  const int32_t* fold = part<int32_t>(net, s.fold) + at;
  const bool sparse = s.sparse != 0;
  const uint32_t* begin = part<uint32_t>(net, s.sparse);
  const uint32_t first = sparse ? begin[tile] : 0;
  const uint32_t blocks = sparse ? begin[tile + 1] - first : 0;
  const uint16_t* kept = reinterpret_cast<const uint16_t*>(begin + tiles + 1) + first;
  const uint32_t quads = sparse ? blocks * (BLOCK / 4) : s.quads;
  w += quad_bytes * (sparse ? static_cast<size_t>(first) * (BLOCK / 4)
                            : static_cast<size_t>(tile) * s.quads);
  uint8_t* scratch = net.lane + static_cast<size_t>(lane) * header(net).lane_bytes;
  int8_t* gathered = reinterpret_cast<int8_t*>(scratch);
  alignas(64) int32_t sums[ROWS_MAX * TILE];
  // Shared out evenly: a last round of one or two rows would run at a fraction of the speed.
  uint32_t r = from;
  for (uint32_t rounds = (to - from + ROWS_MAX - 1) / ROWS_MAX; rounds > 0; rounds--) {
    const uint32_t few = (to - r + rounds - 1) / rounds;
    const int8_t* x = rows.x + r * rows.ldx;
    size_t ldx = rows.ldx;
    if (sparse) {
      gather(x, ldx, s.quads, kept, blocks, few, gathered);
      x = gathered;
      ldx = static_cast<size_t>(blocks) * BLOCK;
    }
    if (s.form == WIDE) k.wide(w, fold, quads, x, ldx, few, groups, sums);
    else k.ternary(w, quads, x, ldx, few, groups, sums);
    int32_t offsets[ROWS_MAX] = {};
    for (uint32_t i = 0; i < few && s.form != WIDE; i++) {
      offsets[i] = sparse ? k.total(x + i * ldx, quads) : net.totals[r + i];
    }
    finish(net, s, {sums, TILE, offsets, few, nullptr, nullptr, count}, r, rows, at);
    r += few;
  }
}

// Rows of 4-bit steps against all tiles: one set of tables serves them all.
inline void run_lookups(const Job& job, uint32_t from, uint32_t to, uint32_t lane) {
  const auto& [net, s, rows, tiles, tile_parts, row_parts] = job;
  uint8_t* tables = net.lane + static_cast<size_t>(lane) * header(net).lane_bytes;
  int32_t* sums = reinterpret_cast<int32_t*>(tables + TABLE_BYTES);
  const uint8_t* w = part<uint8_t>(net, s.weights);
  const int32_t none[LOOKUP_ROWS] = {};  // look-ups give whole sums
  for (uint32_t r = from; r < to; r += LOOKUP_ROWS) {
    const uint32_t few = least(LOOKUP_ROWS, to - r);
    net.kernels->lookup(w, tiles, s.quads, rows.x + r * rows.ldx, rows.ldx, few, tables, sums);
    const size_t row = static_cast<size_t>(tiles) * TILE;
    finish(net, s, {sums, row, none, few, nullptr, nullptr, s.rows}, r, rows, 0);
  }
}

// Where part `index` of `parts` begins among `count`.
inline uint32_t begin_of(uint64_t count, uint32_t index, uint32_t parts) {
  return static_cast<uint32_t>(count * index / parts);
}

inline void run_part(const void* data, uint32_t index, uint32_t lane) {
  const Job& job = *static_cast<const Job*>(data);
  const uint32_t count = job.rows.count, piece = index % job.row_parts;
  const uint32_t from = begin_of(count, piece, job.row_parts);
  const uint32_t to = begin_of(count, piece + 1, job.row_parts);
  if (job.s.form == LOOKUP) return run_lookups(job, from, to, lane);
  const uint32_t group = index / job.row_parts;
  const uint32_t end = begin_of(job.tiles, group + 1, job.tile_parts);
  for (uint32_t tile = begin_of(job.tiles, group, job.tile_parts); tile < end; tile++) {
    run_tile(job, tile, from, to, lane);
  }
}

// Parts for each lane: small enough that a lane which comes late costs little, and few enough that
// handing them out does.
constexpr uint32_t PARTS = 4;

inline void run_rows(const Net& net, const Stage& s, const Rows& rows) {
  const uint32_t tiles = (s.rows + TILE - 1) / TILE;
  if (s.form == TERNARY && s.sparse == 0) {
    for (uint32_t r = 0; r < rows.count; r++) {
      net.totals[r] = net.kernels->total(rows.x + r * rows.ldx, s.quads);
    }
  }
  const uint64_t macs = static_cast<uint64_t>(s.rows) * s.cols * rows.count;
  if (net.crew.lanes == 1 || macs < SHARE_MACS) {
    const Job job = {net, s, rows, tiles, 1, 1};
    return run_part(&job, 0, 0);
  }
  const uint32_t wanted = net.crew.lanes * PARTS;
  const uint32_t tile_parts = s.form == LOOKUP ? 1 : least(tiles, wanted);
  const uint32_t chunks = (rows.count + ROWS_MAX - 1) / ROWS_MAX;
  const uint32_t row_parts = least(chunks, (wanted + tile_parts - 1) / tile_parts);
  const Job job = {net, s, rows, tiles, tile_parts, row_parts};
  net.crew.share(net.crew.lanes, tile_parts * row_parts, run_part, &job);
}

}  // namespace sterna
