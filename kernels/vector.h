// What vector code of several kernels shares.
#pragma once

// One copy of a plain function for each instruction set; the loader picks the machine's.
#define ASSAY_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))

namespace assay::kernels {

// The larger of two, as one vector instruction has it: a NaN as b is passed over. What softmax does with the largest
// number keeps a NaN all the same, in its sum.
template <class T>
[[gnu::always_inline]] inline T larger(T a, T b) {
  return a < b ? b : a;
}

}  // namespace assay::kernels
