// kernel_bench: times every version of every case relative to the reference in the same run.
#include <cstdio>

#include "case.h"
#include "device/device.h"

int main() {
  using namespace assay::kernels;
  std::printf("%-32s %14s %14s %14s\n", "case", "reference ms", "cpu speed-up", "cuda speed-up");
  for (const auto& one : registered()) {
    const double plain = seconds(one, Version::kReference);
    std::printf("%-32s %14.4f %13.2fx ", one.name.c_str(), plain * 1e3, plain / seconds(one, Version::kCpu));
    if (device::available() && one.has_cuda)
      std::printf("%13.2fx\n", plain / seconds(one, Version::kCuda));
    else
      std::printf("%14s\n", one.has_cuda ? "no device" : "none");
    std::fflush(stdout);
  }
}
