// Shared by the vector code of several kernels.
#pragma once

// One copy of a plain function per instruction set; the loader selects the one for the machine.
#if defined(__x86_64__)
#define ASSAY_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ASSAY_CLONES
#endif

namespace assay::kernels {

// The larger of two numbers, as one vector instruction computes it: a NaN in b is ignored. Softmax still propagates a
// NaN through its sum.
template <class T>
[[gnu::always_inline]] inline T larger(T a, T b) {
  return a < b ? b : a;
}

}  // namespace assay::kernels
