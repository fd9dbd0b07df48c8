// In builds without CUDA there is no device.
#include <stdexcept>

#include "device/device.h"

namespace assay::kernels::device {
namespace {
[[noreturn]] void absent() { throw std::runtime_error("this build has no CUDA; configure with -DASSAY_CUDA=ON"); }
}  // namespace

bool built() { return false; }
int count() { return 0; }
Gpu describe(int) { absent(); }
void* copy_in(const void*, size_t) { absent(); }
void copy_out(void*, const void*, size_t) { absent(); }
void release(void*) {}
bool is_device_memory(const void*) { return false; }
void wait() { absent(); }

}  // namespace assay::kernels::device
