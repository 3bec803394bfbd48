// A transformer encoder behind one call: ternary projections on the integer kernels, the rest in
// floats. agent/accel/encoder-image.ts lays it out and checks every size.
#pragma once
#include "floats.hpp"
#include "multiply.hpp"

namespace sterna::encoder {

constexpr uint32_t MAGIC = 0x53454e44;

// Mirrors encoder-image.ts, word for word.
struct Projection {
  uint32_t rows, cols, quads, form, weights, sparse, scale, bias;
};
struct Layer {
  Projection in, out, up, down;  // in: queries, keys and values in one
  float in_inverse, out_inverse, up_inverse, down_inverse;
  uint32_t gain[2], offset[2];
  uint32_t free[8];
};
struct Header {
  uint32_t magic, image_bytes, sequence, padded, width, heads, hidden, layers;
  uint32_t batch, limit, lane_bytes, layer_at;
  float epsilon;
  uint32_t form, end_gain, end_offset;
};
// Bits of `form`, as formOf of encoder-image.ts has them; the lowest two are the activation.
constexpr uint32_t PRE = 4, RMS = 8, MASKED = 16, END = 32, CAUSAL = 64;
static_assert(sizeof(Layer) == 192 && sizeof(Header) == 64, "as encoder-image.ts has it");

struct Encoder {
  const uint8_t* image;
  float *x, *mid, *sum, *inner;         // inner: [sequence][inner_stride]
  float* mask;                          // [padded], added to the scores
  floats::Heads heads[2];               // one layer's are read while the next one's are written
  int8_t *narrow, *wide;                // steps: [sequence][width], [sequence][hidden]
  int32_t* totals;
  uint8_t* lane;
  const Kernels* kernels;
  const floats::Functions* floats;
  Crew crew;
};

inline const Header& header(const Encoder& e) { return *reinterpret_cast<const Header*>(e.image); }

template <class T>
inline const T* part(const Encoder& e, uint32_t at) {
  return reinterpret_cast<const T*>(e.image + at);
}

inline const Layer& layer_of(const Encoder& e, uint32_t layer) {
  return part<Layer>(e, header(e).layer_at)[layer];
}

// Floats from one row of queries, keys and values to the next: an odd number of cache lines, or the
// rows would meet in a few sets of the cache.
inline size_t inner_stride(const Header& h) {
  const size_t lines = static_cast<size_t>(h.width) * 3 / 16;
  return 16 * (lines | 1);
}

inline size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

// `take` gives each part its room.
template <class Take>
inline void lay_out(floats::Heads& heads, const Header& h, Take take) {
  heads.sequence = h.sequence;
  heads.heads = h.heads;
  heads.head = h.width / h.heads;
  heads.padded = h.padded;
  heads.causal = (h.form & CAUSAL) != 0;
  const size_t pairs = static_cast<size_t>(h.width) * h.padded / 2;
  take(heads.queries, static_cast<size_t>(h.sequence) * h.width);
  take(heads.keys, pairs);
  take(heads.values, pairs);
  take(heads.query_units, static_cast<size_t>(h.sequence) * h.heads);
  take(heads.key_units, heads.padded * h.heads);
  take(heads.value_units, heads.padded * h.heads);
}

// Cuts `memory` up behind the image, or, without any, says how many bytes that takes.
inline size_t lay_out(Encoder& e, uint8_t* memory, const Header& h, uint32_t lanes) {
  size_t at = rounded(h.image_bytes);
  const auto take = [&](auto*& to, size_t count) {
    to = memory == nullptr ? nullptr : reinterpret_cast<decltype(to + 0)>(memory + at);
    at += rounded(count * sizeof *to);
  };
  const size_t values = static_cast<size_t>(h.sequence) * h.width;
  take(e.x, values);
  take(e.mid, values);
  take(e.sum, values);
  take(e.inner, h.sequence * inner_stride(h));
  take(e.mask, h.padded);
  for (floats::Heads& each : e.heads) lay_out(each, h, take);
  take(e.narrow, values + 64);
  take(e.wide, static_cast<size_t>(h.sequence) * h.hidden + 64);
  take(e.totals, h.sequence);
  take(e.lane, static_cast<size_t>(lanes) * h.lane_bytes);
  return at + 64;
}

struct Part {
  const Encoder& e;
  uint32_t from, to;
  uint8_t* scratch;
};

template <class Done>
inline void project(const Part& p, const Projection& m, const int8_t* x, Done done) {
  const Encoder& e = p.e;
  const uint32_t count = p.to - p.from;
  x += static_cast<size_t>(p.from) * m.cols;
  int32_t* totals = e.totals + p.from;
  if (m.form == TERNARY && m.sparse == 0) {
    for (uint32_t r = 0; r < count; r++) {
      totals[r] = e.kernels->total(x + static_cast<size_t>(r) * m.cols, m.quads);
    }
  }
  const uint32_t* sparse = m.sparse == 0 ? nullptr : part<uint32_t>(e, m.sparse);
  const Matrix matrix = {*e.kernels, m.form, m.rows, m.quads, part<uint8_t>(e, m.weights), nullptr,
                         sparse};
  const Piece piece = {x, m.cols, totals, count, 0, (m.rows + TILE - 1) / TILE, false};
  multiply(matrix, piece, p.scratch, done);
}

inline void project_reals(const Part& p, const Projection& m, const int8_t* x, float* y,
                          size_t ldy) {
  const float *scale = part<float>(p.e, m.scale), *bias = part<float>(p.e, m.bias);
  project(p, m, x, [&](const Sums& sums, uint32_t r, uint32_t at) {
    p.e.floats->reals(sums, scale + at, bias + at, y + (p.from + r) * ldy + at, ldy);
  });
}

// y = norm(a + b), or norm(a), row by row.
inline void run_norm(const Part& p, uint32_t gain, uint32_t offset, const float* a,
                     const float* b, float* y) {
  const Encoder& e = p.e;
  const Header& h = header(e);
  for (uint32_t t = p.from; t < p.to; t++) {
    const size_t at = static_cast<size_t>(t) * h.width;
    e.floats->normalise(a + at, b == nullptr ? b : b + at, h.width, part<float>(e, gain),
                        part<float>(e, offset), h.epsilon, (h.form & RMS) == 0, y + at);
  }
}

// Steps of x, or of norm(x), for which `free` has room, where the norms stand before projections.
inline void run_steps(const Part& p, const Layer& l, int which, const float* x, float inverse,
                      float* free) {
  const Encoder& e = p.e;
  const Header& h = header(e);
  if (h.form & PRE) run_norm(p, l.gain[which], l.offset[which], x, nullptr, free);
  const size_t first = p.from * static_cast<size_t>(h.width);
  e.floats->steps((h.form & PRE ? free : x) + first, (p.to - p.from) * h.width, inverse,
                  static_cast<float>(h.limit), e.narrow + first);
}

// The residual sum and what stands behind it.
inline void run_sum(const Part& p, const Layer& l, int which, const float* residual, float* y) {
  const Encoder& e = p.e;
  const Header& h = header(e);
  const size_t first = p.from * static_cast<size_t>(h.width);
  if (h.form & PRE) {
    e.floats->add(residual + first, e.sum + first, (p.to - p.from) * h.width, y + first);
  } else {
    run_norm(p, l.gain[which], l.offset[which], e.sum, residual, y);
  }
}

// Queries, keys and values of some rows.
inline void run_in(const Part& p, uint32_t layer) {
  const Encoder& e = p.e;
  const Layer& l = layer_of(e, layer);
  const Header& h = header(e);
  run_steps(p, l, 0, e.x, l.in_inverse, e.mid);
  project_reals(p, l.in, e.narrow, e.inner, inner_stride(h));
  e.floats->narrow(e.heads[layer & 1], e.inner, inner_stride(h), p.from, p.to, p.scratch);
}

// All that some rows need once every key and value is there.
inline void run_rest(const Part& p, uint32_t layer) {
  const Encoder& e = p.e;
  const Header& h = header(e);
  const Layer& l = layer_of(e, layer);
  const float limit = static_cast<float>(h.limit);
  const floats::Steps steps = {l.out_inverse, limit, e.narrow};
  e.floats->attend(e.heads[layer & 1], e.mask, steps, p.from, p.to, p.scratch);
  project_reals(p, l.out, e.narrow, e.sum, h.width);
  run_sum(p, l, 0, e.x, e.mid);
  run_steps(p, l, 1, e.mid, l.up_inverse, e.sum);
  const float *scale = part<float>(e, l.up.scale), *bias = part<float>(e, l.up.bias);
  const auto active = e.floats->active_steps[h.form & 3];
  project(p, l.up, e.narrow, [&](const Sums& sums, uint32_t r, uint32_t at) {
    int8_t* to = e.wide + static_cast<size_t>(p.from + r) * h.hidden + at;
    active(sums, scale + at, bias + at, l.down_inverse, limit, to, h.hidden);
  });
  project_reals(p, l.down, e.wide, e.sum, h.width);
  run_sum(p, l, 1, e.mid, e.x);
}

// One step: the rest of layer `layer - 1`, and of its results the queries, keys and values of the
// next. Rows need each other only in attention, so there is one meeting of the lanes a layer.
struct Job {
  const Encoder& e;
  uint32_t layer, parts;
};

inline void run_part(const void* data, uint32_t index, uint32_t lane) {
  const Job& job = *static_cast<const Job*>(data);
  const Header& h = header(job.e);
  // Pairs of rows, as values lie.
  const uint32_t pairs = (h.sequence + 1) / 2;
  const Part part = {job.e, 2 * begin_of(pairs, index, job.parts),
                     least(h.sequence, 2 * begin_of(pairs, index + 1, job.parts)),
                     job.e.lane + static_cast<size_t>(lane) * h.lane_bytes};
  if (job.layer > 0) run_rest(part, job.layer - 1);
  if (job.layer < h.layers) run_in(part, job.layer);
  else if (h.form & END) run_norm(part, h.end_gain, h.end_offset, job.e.x, nullptr, job.e.x);
}

inline void run_step(const Job& job) {
  if (job.parts == 1) run_part(&job, 0, 0);
  else job.e.crew.share(job.e.crew.lanes, job.parts, run_part, &job, job.layer % 2 != 0);
}

// x: batch * sequence * (width, and one more with a mask), y: batch * sequence * width. A sequence
// with a value that is no number gives NaN.
inline void infer(const Encoder& e, const float* x, float* y, uint32_t batch) {
  const Header& h = header(e);
  const size_t values = static_cast<size_t>(h.sequence) * h.width;
  // Rounds of ROWS_MAX rows fill the kernels; parts are what lanes share.
  const uint32_t parts = e.crew.lanes == 1 ? 1 : least(e.crew.lanes * 3, (h.sequence + 5) / 6);
  const size_t place = h.width + (h.form & MASKED ? 1 : 0);
  for (uint32_t t = h.sequence; t < h.padded; t++) e.mask[t] = floats::BEYOND;
  for (uint32_t b = 0; b < batch; b++, x += h.sequence * place, y += values) {
    bool finite = true;
    for (size_t i = 0; i < h.sequence * place; i++) finite = finite && x[i] - x[i] == 0;
    for (uint32_t t = 0; t < h.sequence; t++) {
      __builtin_memcpy(e.x + static_cast<size_t>(t) * h.width, x + t * place, h.width * sizeof *x);
      const float added = place > h.width ? x[t * place + h.width] : 0;
      e.mask[t] = added < floats::MASKED ? floats::MASKED : added;
    }
    for (uint32_t i = 0; finite && i <= h.layers; i++) run_step({e, i, parts});
    for (size_t i = 0; i < values; i++) y[i] = finite ? e.x[i] : __builtin_nanf("");
  }
}

}  // namespace sterna::encoder
