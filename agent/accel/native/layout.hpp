// The image that agent/accel/image.ts lays out, word for word, and what an instruction set brings.
// No library, so that the same text becomes WebAssembly.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sterna {

// Mirrors image.ts, word for word. Offsets are bytes from the start of the image or of an arena.
struct Stage {
  uint32_t rows, cols, quads, places, step, from, to, form;
  uint32_t relu, weights, bias, multiplier, shift, fold, sparse, reserved;
  uint32_t kind, lines, line, to_step, to_line, runs, run, run_at;
  uint32_t from2, step2, line2, wide, height, width, kernel_h, kernel_w;
  uint32_t stride_h, stride_w, pad_h, pad_w, largest, scale, limit, free[9];
};
enum Kind : uint32_t { MATMUL, DEPTHWISE, ADD, MUL, TABLE, POOL };
struct State {
  uint32_t from, to, bytes;
};
struct Header {
  uint32_t magic, stages, stride, batch, in_channels, in_length, in_at, out_channels;
  uint32_t out_places, out_at, out_sums, out_relu, out_scale, stage_at, image_bytes, scratch;
  double inverse;
  uint32_t in_lines, in_line, gather, states, state_at, in_limit, lane_bytes, free[23];
};
static_assert(sizeof(Stage) == 192 && sizeof(Header) == 192, "as image.ts has it");

constexpr uint32_t GATHER_ROWS = 48;  // rows gathered at once
constexpr uint32_t MAGIC = 0x5354524e;
// One more with every change of what image.ts or encoder-image.ts lays out: native.ts refuses an
// addon of another number, for what it would read is not there.
constexpr uint32_t LAYOUT = 5;

// Stage::form, how the weights lie: pack.ts.
enum Form : uint32_t { WIDE = 0, TERNARY = 1, LOOKUP = 2 };

constexpr uint32_t TILE = 64;  // outputs side by side in the weights
constexpr uint32_t BLOCK = 16;  // inputs that a block-sparse tile keeps or skips together
constexpr uint32_t ROWS_MAX = 6;  // rows of x that a kernel takes at once
constexpr uint32_t LOOKUP_ROWS = 3;  // the same for look-ups
constexpr uint32_t LOOKUP_QUADS = 64;  // quads whose tables stand at once: 8 KiB a row of x
constexpr size_t TABLE_BYTES = LOOKUP_ROWS * LOOKUP_QUADS * 128;

// What steps of y are clipped to.
struct Range {
  int32_t low, high;
};

// Sums of some rows of x, and what makes steps or real numbers of them: value[r][i] is
// (sums[r * row + i] + bias[i] - offsets[r]) * scale[i]. For steps `scale` is m / 2^s: exact in a
// double, as is the product with a sum and the half added to it.
struct Sums {
  const int32_t* sums;
  size_t row;
  const int32_t* offsets;
  uint32_t rows;
  const int32_t* bias;
  const double* scale;
  uint32_t count;
};

// What an instruction set brings. `sums` is [count][TILE]; `groups` of 16 outputs are wanted.
// Ternary sums are those of the codes w + 1: the caller takes the sum of x away. `back`: one row of x
// meets the last of the weights first, where that is any faster.
struct Net;
struct Kernels {
  const char* name;
  bool (*supported)();
  void (*ternary)(const uint8_t* w, uint32_t quads, const int8_t* x, size_t ldx, uint32_t count,
                  uint32_t groups, bool back, int32_t* sums);
  void (*wide)(const uint8_t* w, const int32_t* fold, uint32_t quads, const int8_t* x, size_t ldx,
               uint32_t count, uint32_t groups, int32_t* sums);
  int32_t (*total)(const int8_t* x, uint32_t quads);
  void (*requantise)(const Sums& sums, Range range, int8_t* y, size_t ldy);
  // False when a value is not finite.
  bool (*quantise)(const float* x, double inverse, uint32_t count, int32_t limit, int8_t* y);
  void (*real)(const int8_t* x, const double* scale, uint32_t count, float* y);
  void (*real_sums)(const Sums& sums, bool relu, float* y, size_t ldy);
  // Sums of x within +-7 by tables, for all tiles: sums is [count][tiles * TILE], whole sums. Null
  // where an instruction set has no such thing; image.ts then packs no stage so.
  void (*lookup)(const uint8_t* w, uint32_t tiles, uint32_t quads, const int8_t* x, size_t ldx,
                 uint32_t count, uint8_t* tables, int32_t* sums);
  // A stage that is no matrix, for the asset at `arena`: planes.hpp.
  void (*plane)(const Net& net, const Stage& s, int8_t* arena);
};

template <class T>
inline T least(T a, T b) { return a < b ? a : b; }

// The first `count` of four bytes; a copy of fewer would be a call.
inline void store_four(int8_t* to, int32_t four, uint32_t count) {
  if (count >= 4) {
    __builtin_memcpy(to, &four, 4);
    return;
  }
  for (uint32_t i = 0; i < count; i++) to[i] = static_cast<int8_t>(four >> (8 * i));
}

// Where part `index` of `parts` begins among `count`.
inline uint32_t begin_of(uint64_t count, uint32_t index, uint32_t parts) {
  return static_cast<uint32_t>(count * index / parts);
}

// Shares the parts of a stage out among threads, and returns when all are done. Lane 0 is the
// caller; no two parts run in one lane at once. `back`: each lane begins with the last of its own.
typedef void (*Work)(const void* job, uint32_t part, uint32_t lane);
struct Crew {
  uint32_t lanes;
  void (*share)(uint32_t lanes, uint32_t parts, Work work, const void* job, bool back);
};

struct Net {
  const uint8_t* image;
  int8_t* arena;    // batch * stride, zero at first: the pads stay so
  int32_t* totals;  // one for each row of x of the largest stage; then the rows gathered
  uint8_t* lane;    // lane_bytes of scratch for each lane
  const Kernels* kernels;
  Crew crew;        // one lane, no function: the caller alone
  // Every other inference goes through the weights of a stage from the last to the first: what was
  // read last is still in the cache of a core.
  mutable bool back = false;
};

inline const Header& header(const Net& net) { return *reinterpret_cast<const Header*>(net.image); }

// Multiplications below which waking another thread costs more than it brings (measured).
constexpr uint64_t SHARE_MACS = 1u << 22;

// Of the largest stage of a batch, for whoever decides about threads.
inline uint64_t largest_macs(const Header& h, const void* image) {
  const uint8_t* at = static_cast<const uint8_t*>(image) + h.stage_at;
  uint64_t most = 0;
  for (uint32_t i = 0; i < h.stages; i++) {
    Stage s;
    __builtin_memcpy(&s, at + i * sizeof s, sizeof s);
    if (s.kind != MATMUL) continue;
    const uint64_t count = static_cast<uint64_t>(s.lines) * s.places;
    const uint64_t rows = count == 1 ? h.batch : count;
    const uint64_t macs = static_cast<uint64_t>(s.rows) * s.cols * rows;
    if (macs > most) most = macs;
  }
  return most;
}

template <class T>
inline const T* part(const Net& net, uint32_t at) {
  return reinterpret_cast<const T*>(net.image + at);
}

// A net in a block of memory: the image, then what it works in. Bytes beyond the image:
inline size_t scratch_bytes(const Header& h, uint32_t lanes) {
  const size_t totals = (static_cast<size_t>(h.scratch) * 4 + 63) / 64 * 64;
  return static_cast<size_t>(h.batch) * h.stride + totals +
         static_cast<size_t>(lanes) * h.lane_bytes + 256;
}

inline Net open(uint8_t* image, const Kernels* kernels, Crew crew) {
  const Header& h = *reinterpret_cast<const Header*>(image);
  uint8_t* arena = image + h.image_bytes;
  uint8_t* totals = arena + static_cast<size_t>(h.batch) * h.stride;
  uint8_t* lane = totals + (static_cast<size_t>(h.scratch) * 4 + 63) / 64 * 64;
  return {image, reinterpret_cast<int8_t*>(arena), reinterpret_cast<int32_t*>(totals), lane,
          kernels, crew};
}

}  // namespace sterna
