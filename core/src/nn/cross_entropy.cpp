// Softmax cross entropy over a vocabulary that is split over the tensor ranks; forward and backward without a gather.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "assay/nn.h"

namespace assay::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  // logits_NC: this rank's real columns; begin: the first one's id.
  static Tensor forward(AutogradContext* context, const Tensor& logits_NC, const Tensor& targets_N, int64_t begin,
                        const Mesh* mesh) {
    auto& axis = mesh->tensor();
    const auto wide = logits_NC.to(logits_NC.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    const int64_t N = wide.size(0), C = wide.size(1);
    auto largest_N = C > 0 ? wide.amax({-1}) : at::full({N}, -std::numeric_limits<double>::infinity(), wide.options());
    max_in_place(largest_N, axis);
    const auto local_N = targets_N - begin;
    const auto elsewhere_N = local_N.lt(0).logical_or_(local_N.ge(C));
    const auto index_N1 = local_N.masked_fill(elsewhere_N, 0).unsqueeze(-1);
    auto target_N =
        C > 0 ? wide.gather(-1, index_N1).squeeze(-1).masked_fill(elsewhere_N, 0.0) : at::zeros({N}, wide.options());
    sum_in_place(target_N, axis);
    auto exponentials_NC = (wide - largest_N.unsqueeze(-1)).exp_();
    auto total_N = exponentials_NC.sum(-1);
    sum_in_place(total_N, axis);
    context->save_for_backward({exponentials_NC, total_N, index_N1, elsewhere_N});
    context->saved_data["type"] = static_cast<int64_t>(logits_NC.scalar_type());
    return total_N.log() + largest_N - target_N;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto& [exponentials_NC, total_N, index_N1, elsewhere_N] = std::tie(saved[0], saved[1], saved[2], saved[3]);
    auto grad_NC = exponentials_NC * (grads[0] / total_N).unsqueeze(-1);
    if (grad_NC.size(1) > 0)  // only the owner subtracts the one
      grad_NC.scatter_add_(-1, index_N1, grads[0].masked_fill(elsewhere_N, 0.0).neg().unsqueeze(-1));
    return {grad_NC.to(static_cast<at::ScalarType>(context->saved_data["type"].toInt())), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor vocabulary_cross_entropy(const Tensor& logits, const Tensor& targets, int64_t vocabulary, int64_t padded,
                                const Mesh& mesh) {
  const auto& axis = mesh.tensor();
  const int64_t width = logits.size(-1);
  if (width * axis.size() != padded)
    throw UserError("cross entropy was given " + std::to_string(width) + " logits a row on each of " +
                    std::to_string(axis.size()) + " tensor ranks; it needs this rank's slice, " +
                    std::to_string(padded / axis.size()) + " of " + std::to_string(padded) +
                    " (were the logits gathered?)");
  const int64_t begin = width * axis.rank(), real = std::clamp<int64_t>(vocabulary - begin, 0, width);
  const auto nll =
      CrossEntropy::apply(logits.reshape({-1, width}).narrow(-1, 0, real), targets.reshape({-1}), begin, &mesh);
  return nll.view(targets.sizes());
}

}  // namespace assay::nn
