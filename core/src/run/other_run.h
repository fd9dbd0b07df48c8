// Another run's model with its final weights, for evaluators that use a second model.
#pragma once

#include <memory>

#include "assay/evaluator.h"
#include "run/assemble.h"
#include "run/forward.h"

namespace assay::run {

class OtherRun final : public TrainedRun {
 public:
  // Uses the mesh, device and thread count of `here`, whose plugins must include those of the other run. Throws
  // UserError when the run has no record or no weights, or when they are not those of the reference.
  OtherRun(const RunReference& reference, Assembled& here, const Mesh& mesh);

  Model& model() override { return *run_->model; }
  const Vocabulary& vocabulary() const override { return *run_->vocabulary; }
  Forward& forward(const Batch& batch) override;
  Objective* classifier() override { return run_->classifier(); }

 private:
  Assembled& here_;
  const Mesh& mesh_;
  std::unique_ptr<Assembled> run_;
  std::unique_ptr<ForwardPass> forward_;
};

}  // namespace assay::run
