// The network of agent/accel/native/net.hpp as WebAssembly: one image at `image()`, one net a module
// instance. Built by build.ts; the result is kept in the repository, so that no user needs clang.
#include "kernels.hpp"

extern "C" {

extern unsigned char __heap_base;
static sterna::Net net;

void* memset(void* to, int value, size_t count) {
  unsigned char* at = static_cast<unsigned char*>(to);
  while (count-- > 0) {
    *at++ = static_cast<unsigned char>(value);
    asm volatile("");  // or clang turns the loop into a call of memset
  }
  return to;
}

void* memcpy(void* to, const void* from, size_t count) {
  unsigned char* at = static_cast<unsigned char*>(to);
  const unsigned char* source = static_cast<const unsigned char*>(from);
  while (count-- > 0) {
    *at++ = *source++;
    asm volatile("");
  }
  return to;
}

// Where the image goes; the caller grows the memory first.
__attribute__((export_name("image"))) unsigned char* image() {
  const uintptr_t base = reinterpret_cast<uintptr_t>(&__heap_base);
  return reinterpret_cast<unsigned char*>((base + 63) & ~static_cast<uintptr_t>(63));
}

__attribute__((export_name("scratch"))) size_t scratch() {
  return sterna::scratch_bytes(*reinterpret_cast<const sterna::Header*>(image()), 1);
}

// Memory is zero when it is new, so the pads of the arena are.
__attribute__((export_name("open"))) void open() {
  net = sterna::open(image(), &sterna::simd128::KERNELS, {1, nullptr});
}

__attribute__((export_name("infer"))) void infer(const float* x, float* y, uint32_t batch) {
  sterna::infer(net, x, y, batch);
}

__attribute__((export_name("reset"))) void reset(uint32_t asset) { sterna::reset(net, asset); }
}
