// GELU with kernels/gelu on the CPU and with LibTorch elsewhere.
#include "gelu/gelu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <torch/csrc/autograd/custom_function.h>

#include "assay/nn.h"
#include "nn/kernel_use.h"

namespace assay::nn {
namespace {

namespace gelu_kernel = kernels::gelu;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 1 << 14;  // elements per thread

// Calls body(T{}, begin, end) for the dtype of x over its elements. Their distribution over threads does not change the
// results.
template <class Body>
void over_elements(const Tensor& x, const Body& body) {
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    with_scalar_type(x, [&](auto number) { body(number, begin, end); });
  });
}

struct GeluTanh : torch::autograd::Function<GeluTanh> {
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    const auto out = at::empty_like(x);
    over_elements(x, [&]<class T>(T, int64_t begin, int64_t end) {
      gelu_kernel::cpu<T>().forward(end - begin, x.const_data_ptr<T>() + begin, out.data_ptr<T>() + begin);
    });
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    refuse_second_derivative("gelu_tanh");
    const auto x = context->get_saved_variables()[0];
    const auto upstream = grads[0].contiguous(), out = at::empty_like(x);
    over_elements(x, [&]<class T>(T, int64_t begin, int64_t end) {
      gelu_kernel::cpu<T>().backward(end - begin, x.const_data_ptr<T>() + begin, upstream.const_data_ptr<T>() + begin,
                                     out.data_ptr<T>() + begin);
    });
    return {out};
  }
};

}  // namespace

Tensor gelu_tanh(const Tensor& x) {
  const bool served = x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
  if (!served || !x.device().is_cpu()) return at::gelu(x, "tanh");
  return GeluTanh::apply(x.contiguous());
}

}  // namespace assay::nn
