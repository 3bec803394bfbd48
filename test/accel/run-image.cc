// Runs images outside Node: under an emulator of another CPU, or with sanitisers.
// run-image KERNEL FILE: batch, image bytes, x floats (uint32 each), image, x; prints y as bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../agent/accel/native/kernels.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const sterna::Kernels* kernels = nullptr;
  for (const sterna::Kernels* each : sterna::ALL) {
    if (strcmp(each->name, argv[1]) == 0 && each->supported()) kernels = each;
  }
  if (kernels == nullptr) return 3;
  FILE* file = fopen(argv[2], "rb");
  if (file == nullptr) return 4;
  uint32_t sizes[3];
  while (fread(sizes, 4, 3, file) == 3) {
    const uint32_t batch = sizes[0], floats = sizes[2];
    // Three blocks of exactly their sizes, so that a sanitiser sees every read beyond one.
    uint8_t* image = static_cast<uint8_t*>(aligned_alloc(64, sizes[1]));
    float* x = static_cast<float*>(malloc(floats * 4));
    if (fread(image, 1, sizes[1], file) != sizes[1] || fread(x, 4, floats, file) != floats) return 5;
    const sterna::Header& h = *reinterpret_cast<const sterna::Header*>(image);
    const size_t arena_bytes = static_cast<size_t>(h.batch) * h.stride;
    int8_t* arena = static_cast<int8_t*>(aligned_alloc(64, arena_bytes));
    memset(arena, 0, arena_bytes);
    int32_t* totals = static_cast<int32_t*>(calloc(h.scratch, 4));
    uint8_t* lane = static_cast<uint8_t*>(aligned_alloc(64, h.lane_bytes));
    const size_t out = static_cast<size_t>(h.out_channels) * h.out_places * batch;
    float* y = static_cast<float*>(malloc(out * 4));
    const sterna::Net net = {image, arena, totals, lane, kernels, {1, nullptr}};
    // Twice: the second reads the state that the first left.
    for (int i = 0; i < 2; i++) sterna::infer(net, x, y, batch);
    fwrite(y, 4, out, stdout);
    free(image), free(x), free(arena), free(totals), free(lane), free(y);
  }
  return 0;
}
