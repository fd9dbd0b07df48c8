// In builds without CUDA, the device version throws an error that says how to enable it.
#include <stdexcept>

#include "dropout/dropout.h"

namespace assay::kernels::dropout {

template <class T>
void cuda(const Shape&, const Mask&, const T*, T*) {
  throw std::runtime_error("dropout: this build has no CUDA; configure with -DASSAY_CUDA=ON");
}
template void cuda<float>(const Shape&, const Mask&, const float*, float*);
template void cuda<double>(const Shape&, const Mask&, const double*, double*);

}  // namespace assay::kernels::dropout
