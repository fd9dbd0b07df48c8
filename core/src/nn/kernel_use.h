// What the functions that run a kernel share: the types that kernels are made for, and that they have no second
// derivative.
#pragma once

#include <c10/core/GradMode.h>

#include <string>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay::nn {

// body(T{}): T is double where x is, else float.
template <class Body>
void with_scalar_type(const Tensor& x, const Body& body) {
  if (x.scalar_type() == at::kDouble)
    body(double{});
  else
    body(float{});
}

// To be called first in a backward pass that calls a kernel: its result would count as constant in a second one.
inline void refuse_second_derivative(const char* of) {
  if (c10::GradMode::is_enabled())
    throw UserError(std::string(of) + " has no second derivative; call backward without create_graph");
}

}  // namespace assay::nn
