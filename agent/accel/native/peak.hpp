// The most multiply-adds this core can do: what the benchmarks divide by. Twelve independent chains
// hide the latency of vpdpbusd; 64 multiply-adds each.
#pragma once
#include <stdint.h>

namespace sterna {

constexpr double PEAK_MACS = 12.0 * 64;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline void peak(int64_t rounds) {
  asm volatile(
      "1:\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm0\n vpdpbusd %%zmm20, %%zmm21, %%zmm1\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm2\n vpdpbusd %%zmm20, %%zmm21, %%zmm3\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm4\n vpdpbusd %%zmm20, %%zmm21, %%zmm5\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm6\n vpdpbusd %%zmm20, %%zmm21, %%zmm7\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm8\n vpdpbusd %%zmm20, %%zmm21, %%zmm9\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm10\n vpdpbusd %%zmm20, %%zmm21, %%zmm11\n"
      "dec %0\n jnz 1b\n"
      : "+r"(rounds)
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "cc");
}
#endif

}  // namespace sterna
