// A run's model in use: forward passes, gradients with respect to token embeddings, and likelihoods after a prefix.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "assay/evaluator.h"
#include "run/assemble.h"
#include "run/forward.h"

namespace assay::run {

class ModelUse final : public TrainedRun {
 public:
  // here: the run whose evaluation this is, whose progress is reported; it may be `run`.
  ModelUse(Assembled& run, Assembled& here, const Mesh& mesh) : run_(run), here_(here), mesh_(mesh) {}
  ModelUse(std::unique_ptr<Assembled> run, Assembled& here, const Mesh& mesh)
      : owned_(std::move(run)), run_(*owned_), here_(here), mesh_(mesh) {}

  Model& model() override { return *run_.model; }
  const Vocabulary& vocabulary() const override { return *run_.vocabulary; }
  Forward& forward(const Batch& batch) override;
  Objective* classifier() override { return run_.classifier(); }
  Tensor embedding_gradient(const Batch& batch, const std::function<Tensor(Forward&)>& loss) override;
  Tensor steepest_tokens(const Tensor& gradient_ND, int64_t k) override;
  std::vector<std::vector<double>> log_probs(const std::vector<int32_t>& prefix,
                                             const std::vector<Scored>& rows) override;

 private:
  std::unique_ptr<Assembled> owned_;  // null: another's
  Assembled& run_;
  Assembled& here_;
  const Mesh& mesh_;
  std::unique_ptr<ForwardPass> forward_;
};

}  // namespace assay::run
