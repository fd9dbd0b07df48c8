#include "nn/affine.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "few_rows/few_rows.h"
#include "nn/kernel_use.h"

namespace assay::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// a b^T + bias by oneDNN, a [M, K], b [N, K]; b may be a transposed view, a is copied if it is one.
Tensor product(const Tensor& a, const Tensor& b, const std::optional<Tensor>& bias = std::nullopt) {
  using Attributes = c10::List<std::optional<at::Scalar>>;
  using Text = std::optional<std::string_view>;
  static const auto linear = c10::Dispatcher::singleton()
                                 .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
                                 .typed<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                                               std::string_view, Attributes, Text)>();
  return linear.call(a, b, bias, "none", Attributes(), Text());
}

// rows^T inputs, [out, in]. oneDNN copies its first operand, so the narrower one comes first. With 256-bit vectors,
// MKL's product is faster, because its full kernels run there on CPUs of any vendor (65-75 against 35-60 GFLOP/s per
// core on an EPYC, Zen 3, 2026-11-27).
Tensor weight_gradient(const Tensor& rows, const Tensor& inputs) {
#if defined(__x86_64__)
  static const bool narrow_vectors = !__builtin_cpu_supports("avx512f");
  if (narrow_vectors) return at::mm(rows.t(), inputs);
#endif
  return rows.size(1) <= inputs.size(1) ? product(rows.t(), inputs.t()) : product(inputs.t(), rows.t()).t();
}

struct Affine : torch::autograd::Function<Affine> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return product(x, weight, bias);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    refuse_second_derivative("a linear layer");
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto rows = grads[0].contiguous().view({-1, weight.size(0)}), inputs = x.reshape({-1, weight.size(1)});
    variable_list out(3);
    if (context->needs_input_grad(0)) out[0] = product(rows, weight.t()).view(x.sizes());
    if (context->needs_input_grad(1)) out[1] = weight_gradient(rows, inputs);
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) out[2] = at::sum(rows, {0});
    return out;
  }
};

// With so few rows, the call overhead of oneDNN exceeds the product itself.
constexpr int64_t kFewRows = 16;

// Without gradients. The bits of a row do not depend on the other rows.
Tensor of_few_rows(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const int64_t in = weight.size(1), out = weight.size(0), rows = x.numel() / in;
  auto sizes = x.sizes().vec();
  sizes.back() = out;
  const auto y = at::empty(sizes, x.options());
  const auto operand = x.contiguous();
  constexpr int64_t kMinWorkPerThread = 1 << 16;  // multiplications
  at::parallel_for(0, out, std::max<int64_t>(kMinWorkPerThread / (rows * in), 8), [&](int64_t first, int64_t last) {
    kernels::few_rows::cpu<float>().product(
        rows, in, out, first, last, operand.const_data_ptr<float>(), weight.const_data_ptr<float>(),
        bias.defined() ? bias.const_data_ptr<float>() : nullptr, y.data_ptr<float>());
  });
  return y;
}

}  // namespace

Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const bool single = x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  if (!single || !x.device().is_cpu() || x.numel() == 0 || at::autocast::is_autocast_enabled(at::kCPU))
    return at::linear(x, weight, bias);
  const bool decodes = !c10::GradMode::is_enabled() && x.numel() <= kFewRows * x.size(-1);
  const bool fits = weight.dim() == 2 && weight.is_contiguous() && x.size(-1) == weight.size(1) &&
                    (!bias.defined() || (bias.is_contiguous() && bias.numel() == weight.size(0)));
  if (decodes && fits) return of_few_rows(x, weight, bias);
  return Affine::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

}  // namespace assay::nn
