// Every set of kernels this processor architecture may have, best first; scalar refuses nothing.
#pragma once
#include "scalar.hpp"
#if defined(__x86_64__)
#include "avx2.hpp"
#include "lookup.hpp"
#elif defined(__aarch64__)
#include "neon.hpp"
#endif

namespace sterna {

inline const Kernels* const ALL[] = {
#if defined(__x86_64__)
    &vbmi::KERNELS, &avx512::KERNELS, &avx2::KERNELS,
#elif defined(__aarch64__)
    &neon::DOT, &neon::PLAIN,
#endif
    &scalar::KERNELS,
};

}  // namespace sterna
