// Matrix times rows of x: what every weighted stage comes down to. The integers are stated by
// agent/accel/reference.ts.
#pragma once
#include "multiply.hpp"

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

inline Matrix matrix_of(const Net& net, const Stage& s) {
  const uint32_t* sparse = s.sparse == 0 ? nullptr : part<uint32_t>(net, s.sparse);
  return {*net.kernels, s.form, s.rows, s.quads, part<uint8_t>(net, s.weights),
          part<int32_t>(net, s.fold), sparse};
}

inline void run_part(const void* data, uint32_t index, uint32_t lane) {
  const Job& job = *static_cast<const Job*>(data);
  const Net& net = job.net;
  const Stage& s = job.s;
  const Rows& rows = job.rows;
  const uint32_t piece = index % job.row_parts, group = index / job.row_parts;
  const uint32_t row = begin_of(rows.count, piece, job.row_parts);
  const uint32_t tile = begin_of(job.tiles, group, job.tile_parts);
  const Piece part = {rows.x + row * rows.ldx, rows.ldx, net.totals + row,
                      begin_of(rows.count, piece + 1, job.row_parts) - row, tile,
                      begin_of(job.tiles, group + 1, job.tile_parts), net.back};
  uint8_t* scratch = net.lane + static_cast<size_t>(lane) * header(net).lane_bytes;
  multiply(matrix_of(net, s), part, scratch, [&](const Sums& sums, uint32_t r, uint32_t at) {
    finish(net, s, sums, row + r, rows, at);
  });
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
  net.crew.share(net.crew.lanes, tile_parts * row_parts, run_part, &job, net.back);
}

}  // namespace sterna
