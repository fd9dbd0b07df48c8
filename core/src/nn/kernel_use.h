// Helpers of the functions that call kernels: dispatch by dtype, and the check against second derivatives.
#pragma once

#include <c10/core/GradMode.h>

#include <string>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay::nn {

// Calls body(T{}), where T is double if x is fp64, else float.
template <class Body>
void with_scalar_type(const Tensor& x, const Body& body) {
  if (x.scalar_type() == at::kDouble)
    body(double{});
  else
    body(float{});
}

// Must be called first in a backward pass that calls a kernel, because a second backward pass would treat its result as
// constant.
inline void refuse_second_derivative(const char* of) {
  if (c10::GradMode::is_enabled())
    throw UserError(std::string(of) + " has no second derivative; call backward without create_graph");
}

}  // namespace assay::nn
