// A forward pass of a model over one batch; hidden states, logits and losses are computed on first use.
#pragma once

#include <c10/core/GradMode.h>

#include <optional>

#include "assay/mesh.h"
#include "assay/nn.h"
#include "assay/objective.h"
#include "nn/sequence.h"
#include "run/device.h"

namespace assay::run {

class ForwardPass final : public Forward {
 public:
  // partial: receives the gradients of a sequence-parallel forward pass; null: every rank computes all positions.
  ForwardPass(Model& model, const Batch& batch, ForwardOptions options, int64_t vocabulary, const Mesh& mesh,
              const Compute& compute = {}, nn::PartialGradients* partial = nullptr)
      : model_(model),
        compute_(compute),
        batch_(nn::with_defaults(to_device(batch, compute.device))),
        options_(std::move(options)),
        vocabulary_(vocabulary),
        mesh_(mesh),
        partial_(partial) {}

  const Batch& batch() const override { return batch_; }
  Tensor hidden() override { return output().final_BTD; }
  Tensor hidden(int64_t layer) override {
    const auto found = output().hidden.find(layer);
    if (found == output().hidden.end())
      throw UserError("hidden layer " + std::to_string(layer) + " is not declared in needs().hidden_layers");
    return found->second;
  }
  Tensor logits() override {
    if (!logits_.defined()) logits_ = whole(local_logits());
    return logits_;
  }
  Tensor logits(const Tensor& hidden) override { return whole(local(hidden)); }
  Tensor token_nll() override {
    if (!batch_.targets.defined()) throw UserError("token_nll needs a batch with targets");
    if (!token_nll_.defined()) token_nll_ = nll(local_logits(), batch_.targets);
    return token_nll_;
  }
  Tensor token_nll(const Tensor& hidden, const Tensor& targets) override { return nll(local(hidden), targets); }
  Tensor sample(const Tensor& hidden, const std::vector<Draws>& draws) override {
    const c10::NoGradGuard no_grad;
    return nn::sample(local(hidden), draws, vocabulary_, model_.padded_vocabulary(), mesh_);
  }

 private:
  const ModelOutput& output() {
    if (!done_) {
      const ForwardPrecision precision(compute_);
      std::optional<nn::SequenceParallelRegion> region;
      if (partial_) region.emplace(mesh_, *partial_);
      output_ = guard(model_, "forward", [&] { return model_.forward(batch_, options_); });
    }
    done_ = true;
    return output_;
  }
  Tensor local(const Tensor& hidden) {
    const ForwardPrecision precision(compute_);
    return guard(model_, "logits", [&] { return model_.logits(hidden); });
  }
  Tensor local_logits() {
    if (!local_.defined()) local_ = local(hidden());
    return local_;
  }
  Tensor whole(const Tensor& slice) const {
    return gather_from_tensor_parallel_region(slice, -1, mesh_).narrow(-1, 0, vocabulary_);
  }
  Tensor nll(const Tensor& slice, const Tensor& targets) const {
    return nn::vocabulary_cross_entropy(slice, targets.to(compute_.device), vocabulary_, model_.padded_vocabulary(),
                                        mesh_);
  }

  Model& model_;
  Compute compute_;
  Batch batch_;
  ForwardOptions options_;
  int64_t vocabulary_;
  const Mesh& mesh_;
  nn::PartialGradients* partial_;
  bool done_ = false;
  ModelOutput output_;
  Tensor local_, logits_, token_nll_;
};

}  // namespace assay::run
