#include "nn/sequence.h"

#include <ATen/ops/cat.h>
#include <torch/csrc/autograd/custom_function.h>

#include "assay/nn.h"

namespace assay {
namespace {

thread_local const nn::SequenceParallelRegion* region = nullptr;

// Returns the parameter itself; stores its gradient in PartialGradients.
struct OnPart : torch::autograd::Function<OnPart> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& parameter,
                        nn::PartialGradients* partial) {
    context->saved_data["parameter"] = reinterpret_cast<int64_t>(parameter.unsafeGetTensorImpl());
    context->saved_data["partial"] = reinterpret_cast<int64_t>(partial);
    return parameter.view_as(parameter);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    auto* partial = reinterpret_cast<nn::PartialGradients*>(context->saved_data["partial"].toInt());
    partial->add(reinterpret_cast<const c10::TensorImpl*>(context->saved_data["parameter"].toInt()), grads[0]);
    return {{}, {}};
  }
};

}  // namespace

void nn::PartialGradients::add(const c10::TensorImpl* parameter, const Tensor& share) {
  auto& sum = shares_[parameter];
  sum = sum.defined() ? sum + share : share;
}

void nn::PartialGradients::collect(std::vector<Parameter>& parameters, const Mesh& mesh) {
  std::vector<Parameter*> owners;
  std::vector<Tensor> flat;
  for (auto& parameter : parameters)
    if (const auto found = shares_.find(parameter.value.unsafeGetTensorImpl()); found != shares_.end()) {
      owners.push_back(&parameter);
      flat.push_back(found->second.reshape({-1}));
    }
  if (owners.size() != shares_.size())
    throw UserError(
        "nn::sequence_parallel_parameter must be applied to a parameter itself; apply it first, then take a part of "
        "the result");
  if (flat.empty()) return;
  const auto sums = at::cat(flat);
  all_reduce(sums, mesh.tensor());
  int64_t begin = 0;
  for (auto* owner : owners) {
    const auto sum = sums.narrow(0, begin, owner->value.numel()).view(owner->value.sizes());
    begin += sum.numel();
    auto& grad = owner->value.mutable_grad();
    grad = grad.defined() ? grad + sum : sum.clone();
  }
}

nn::SequenceParallelRegion::SequenceParallelRegion(const Mesh& mesh, nn::PartialGradients& partial)
    : mesh_(mesh), partial_(partial), outer_(region) {
  region = this;
}
nn::SequenceParallelRegion::~SequenceParallelRegion() { region = outer_; }

const nn::SequenceParallelRegion* nn::SequenceParallelRegion::present() { return region; }

namespace nn {

Tensor sequence_part(const Tensor& x, int64_t dim) {
  return region ? scatter_to_tensor_parallel_region(x, dim, region->mesh()) : x;
}

Tensor whole_sequence(const Tensor& x_BTD) {
  return region ? gather_from_tensor_parallel_region(x_BTD, 1, region->mesh()) : x_BTD;
}

Tensor sequence_parallel_parameter(const Tensor& parameter) {
  return region && parameter.defined() ? OnPart::apply(parameter, &region->partial()) : parameter;
}

}  // namespace nn

}  // namespace assay
