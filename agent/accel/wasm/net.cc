// The network of agent/accel/native/net.hpp and the encoder of encoder.hpp as WebAssembly: a module
// instance has one image of either at `image()`. Built by build.ts; the result is kept in the
// repository, so that no user needs clang.
#include "../native/encoder.hpp"
#include "kernels.hpp"

extern "C" {

extern unsigned char __heap_base;
static sterna::Net net;
static sterna::encoder::Encoder coder;

// Where the image goes; the caller grows the memory first.
__attribute__((export_name("image"))) unsigned char* image() {
  const uintptr_t base = reinterpret_cast<uintptr_t>(&__heap_base);
  return reinterpret_cast<unsigned char*>((base + 63) & ~static_cast<uintptr_t>(63));
}

static bool holds_encoder() {
  return *reinterpret_cast<const uint32_t*>(image()) == sterna::encoder::MAGIC;
}

static const sterna::encoder::Header& encoder_header() {
  return *reinterpret_cast<const sterna::encoder::Header*>(image());
}

// Bytes behind the image.
__attribute__((export_name("scratch"))) size_t scratch() {
  if (!holds_encoder()) {
    return sterna::scratch_bytes(*reinterpret_cast<const sterna::Header*>(image()), 1);
  }
  const sterna::encoder::Header& h = encoder_header();
  return sterna::encoder::lay_out(coder, nullptr, h, 1) - h.image_bytes;
}

// Memory is zero when it is new, so the pads of the arena are.
__attribute__((export_name("open"))) void open() {
  if (!holds_encoder()) {
    net = sterna::open(image(), &sterna::simd128::KERNELS, {1, nullptr});
    return;
  }
  sterna::encoder::lay_out(coder, image(), encoder_header(), 1);
  coder.image = image();
  coder.kernels = &sterna::simd128::KERNELS;
  coder.floats = &sterna::floats::plain::FUNCTIONS;
  coder.crew = {1, nullptr};
}

__attribute__((export_name("infer"))) void infer(const float* x, float* y, uint32_t batch) {
  if (holds_encoder()) sterna::encoder::infer(coder, x, y, batch);
  else sterna::infer(net, x, y, batch);
}

// An encoder keeps nothing.
__attribute__((export_name("reset"))) void reset(uint32_t asset) {
  if (!holds_encoder()) sterna::reset(net, asset);
}
}
