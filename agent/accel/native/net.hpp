// The whole integer network behind one call, for every instruction set alike. It computes and
// nothing else: agent/accel/image.ts lays the image out and checks every size before. The integers
// are stated by agent/accel/reference.ts. No library, so that the same text becomes WebAssembly.
#pragma once
#include "gather.hpp"

namespace sterna {

inline void run_matmul(const Net& net, const Stage& s, uint32_t batch, float* real) {
  const Header& h = header(net);
  const size_t size = static_cast<size_t>(h.out_channels) * h.out_places;
  const uint32_t count = s.lines * s.places;
  const bool straight = s.runs == 0 && s.lines == 1;
  int8_t* arena = net.arena;
  if (count == 1) {  // one row of x an asset: the batch is one matrix
    if (!straight) return run_gathered(net, {s, arena, h.stride, batch}, real, size, 1);
    return run_rows(net, s,
                    {arena + s.from, h.stride, arena + s.to, h.stride, batch, real, size, 1});
  }
  for (uint32_t b = 0; b < batch; b++, arena += h.stride) {
    float* y = real == nullptr ? nullptr : real + b * size;
    if (!straight) run_gathered(net, {s, arena, 0, count}, y, 1, count);
    else run_rows(net, s, {arena + s.from, s.step, arena + s.to, s.to_step, count, y, 1, count});
  }
}

inline void run_stage(const Net& net, const Stage& s, uint32_t batch, float* real) {
  if (s.kind == MATMUL) return run_matmul(net, s, batch, real);
  for (uint32_t b = 0; b < batch; b++) {
    net.kernels->plane(net, s, net.arena + static_cast<size_t>(b) * header(net).stride);
  }
}

inline bool quantise_in(const Net& net, const float* x, int8_t* arena) {
  const Header& h = header(net);
  int8_t* to = arena + h.in_at;
  const int32_t limit = static_cast<int32_t>(h.in_limit);
  const uint32_t places = h.in_lines * h.in_length;
  const bool packed = h.in_lines == 1 || h.in_line == h.in_length;
  if (places == 1 || (h.in_channels == 1 && packed)) {
    return net.kernels->quantise(x, h.inverse, h.in_channels * places, limit, to);
  }
  // Channel-first outside, channel-last in here.
  int8_t steps[256];
  for (uint32_t row = 0; row < h.in_channels * h.in_lines; row++, x += h.in_length) {
    int8_t* line = to + static_cast<size_t>(row % h.in_lines) * h.in_line + row / h.in_lines;
    if (h.in_channels == 1) {
      if (!net.kernels->quantise(x, h.inverse, h.in_length, limit, line)) return false;
      continue;
    }
    for (uint32_t at = 0; at < h.in_length; at += 256) {
      const uint32_t count = least(256u, h.in_length - at);
      if (!net.kernels->quantise(x + at, h.inverse, count, limit, steps)) return false;
      for (uint32_t i = 0; i < count; i++) line[(at + i) * h.in_channels] = steps[i];
    }
  }
  return true;
}

// What the next call of an asset reads: copied when all of this one is done.
inline void keep_state(const Net& net, int8_t* arena) {
  const Header& h = header(net);
  const State* states = part<State>(net, h.state_at);
  for (uint32_t i = 0; i < h.states; i++) {
    copy_bytes(arena + states[i].to, arena + states[i].from, states[i].bytes);
  }
}

inline void reset(const Net& net, uint32_t asset) {
  const Header& h = header(net);
  const State* states = part<State>(net, h.state_at);
  for (uint32_t i = 0; i < h.states; i++) {
    int8_t* to = net.arena + static_cast<size_t>(asset) * h.stride + states[i].to;
    for (uint32_t n = 0; n < states[i].bytes; n++) to[n] = 0;
  }
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
  const size_t in = static_cast<size_t>(h.in_channels) * h.in_lines * h.in_length;
  const size_t out = static_cast<size_t>(h.out_channels) * h.out_places;
  bool all = true;
  net.back = !net.back;
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
    int8_t* arena = net.arena + static_cast<size_t>(b) * h.stride;
    if (!h.out_sums) steps_out(net, arena + h.out_at, y + b * out);
    if (bad[b >> 3] >> (b & 7) & 1) {
      for (size_t i = 0; i < out; i++) y[b * out + i] = __builtin_nanf("");
    } else if (h.states != 0) {
      keep_state(net, arena);
    }
  }
}

}  // namespace sterna
