// (f(x + h) - f(x - h)) / 2h for element i of x, a contiguous fp64 tensor that f reads; x is restored afterwards.
#pragma once

#include <functional>

#include "assay/tensor.h"

namespace assay::testing {

inline double central_difference(const Tensor& x, int64_t i, const std::function<double()>& f, double h = 1e-5) {
  auto* values = x.data_ptr<double>();
  const double here = values[i];
  values[i] = here + h;
  const double above = f();
  values[i] = here - h;
  const double below = f();
  values[i] = here;
  return (above - below) / (2 * h);
}

}  // namespace assay::testing
