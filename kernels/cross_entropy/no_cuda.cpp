// In builds without CUDA, the device version throws an error that says how to enable it.
#include <stdexcept>

#include "cross_entropy/cross_entropy.h"

namespace assay::kernels::cross_entropy {

template <class T>
const Version<T>& cuda() {
  throw std::runtime_error("cross_entropy: this build has no CUDA; configure with -DASSAY_CUDA=ON");
}
template const Version<float>& cuda<float>();
template const Version<double>& cuda<double>();

}  // namespace assay::kernels::cross_entropy
