// The stages that multiply no matrix: depthwise, sums, gates, tables, pools. The same text
// (planes.inc) for every instruction set, which the compiler makes vectors of.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif
#include "layout.hpp"

#define STERNA_ALWAYS __attribute__((always_inline))
#define STERNA_INLINE inline STERNA_ALWAYS

namespace sterna::planes {

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#define STERNA_BITS 512
namespace wide512 {
#include "planes.inc"
}
#undef STERNA_BITS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2")
#define STERNA_BITS 256
namespace wide256 {
#include "planes.inc"
}
#undef STERNA_BITS
#pragma GCC pop_options
#endif

// On ARM with NEON, in WebAssembly with SIMD128.
#define STERNA_BITS 0
namespace plain {
#include "planes.inc"
}
#undef STERNA_BITS

}  // namespace sterna::planes
