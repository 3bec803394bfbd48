// Runs images outside Node: under an emulator of another CPU, or with sanitisers.
// run-image KERNEL FILE LANES: batch, image bytes, x floats (uint32 each), image, x; prints y as
// bytes. An image is that of a network or of an encoder.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>
#include "../../agent/accel/native/crew.hpp"
#include "../../agent/accel/native/encoder.hpp"
#include "../../agent/accel/native/kernels.hpp"

namespace {

// Blocks of exactly their sizes, so that a sanitiser sees every access beyond one.
template <class T>
T* block(size_t count) {
  const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
  void* made = aligned_alloc(64, bytes);
  memset(made, 0, bytes);
  return static_cast<T*>(made);
}

void run_net(const uint8_t* image, const sterna::Kernels* kernels, sterna::Crew crew,
             const float* x, uint32_t batch) {
  const sterna::Header& h = *reinterpret_cast<const sterna::Header*>(image);
  int8_t* arena = block<int8_t>(static_cast<size_t>(h.batch) * h.stride);
  int32_t* totals = static_cast<int32_t*>(calloc(h.scratch, 4));
  uint8_t* lane = block<uint8_t>(static_cast<size_t>(h.lane_bytes) * crew.lanes);
  const size_t out = static_cast<size_t>(h.out_channels) * h.out_places * batch;
  float* y = static_cast<float*>(malloc(out * 4));
  const sterna::Net net = {image, arena, totals, lane, kernels, crew};
  // Twice: the second reads the state that the first left.
  for (int i = 0; i < 2; i++) sterna::infer(net, x, y, batch);
  fwrite(y, 4, out, stdout);
  free(arena), free(totals), free(lane), free(y);
}

void run_encoder(const uint8_t* image, const sterna::Kernels* kernels, sterna::Crew crew,
                 const float* x, uint32_t batch) {
  const auto& h = *reinterpret_cast<const sterna::encoder::Header*>(image);
  const size_t values = static_cast<size_t>(h.sequence) * h.width;
  sterna::encoder::Encoder e{};
  e.x = block<float>(values), e.mid = block<float>(values), e.sum = block<float>(values);
  e.inner = block<float>(h.sequence * sterna::encoder::inner_stride(h));
  e.mask = block<float>(h.padded);
  for (sterna::floats::Heads& each : e.heads) {
    sterna::encoder::lay_out(each, h, [](auto*& to, size_t count) {
      to = block<std::remove_reference_t<decltype(*to)>>(count);
    });
  }
  e.narrow = static_cast<int8_t*>(malloc(values));
  e.wide = static_cast<int8_t*>(malloc(static_cast<size_t>(h.sequence) * h.hidden));
  e.totals = static_cast<int32_t*>(malloc(h.sequence * sizeof(int32_t)));
  e.lane = block<uint8_t>(static_cast<size_t>(h.lane_bytes) * crew.lanes);
  e.image = image, e.kernels = kernels, e.crew = crew;
  e.floats = &sterna::floats::functions_of(*kernels);
  float* y = static_cast<float*>(malloc(values * batch * 4));
  sterna::encoder::infer(e, x, y, batch);
  fwrite(y, 4, values * batch, stdout);
  for (sterna::floats::Heads& each : e.heads) {
    sterna::encoder::lay_out(each, h, [](auto*& to, size_t) { free(to); });
  }
  free(e.x), free(e.mid), free(e.sum), free(e.inner), free(e.mask), free(e.narrow), free(e.wide);
  free(e.totals), free(e.lane), free(y);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const sterna::Kernels* kernels = nullptr;
  for (const sterna::Kernels* each : sterna::ALL) {
    if (strcmp(each->name, argv[1]) == 0 && each->supported()) kernels = each;
  }
  if (kernels == nullptr) return 3;
  FILE* file = fopen(argv[2], "rb");
  if (file == nullptr) return 4;
  const sterna::Crew crew = {static_cast<uint32_t>(atoi(argv[3])), sterna::crew::share};
  uint32_t sizes[3];
  while (fread(sizes, 4, 3, file) == 3) {
    uint8_t* image = static_cast<uint8_t*>(aligned_alloc(64, sizes[1]));
    float* x = static_cast<float*>(malloc(sizes[2] * 4));
    if (fread(image, 1, sizes[1], file) != sizes[1] || fread(x, 4, sizes[2], file) != sizes[2]) {
      return 5;
    }
    const bool net = *reinterpret_cast<const uint32_t*>(image) == sterna::MAGIC;
    (net ? run_net : run_encoder)(image, kernels, crew, x, sizes[0]);
    free(image), free(x);
  }
  return 0;
}
