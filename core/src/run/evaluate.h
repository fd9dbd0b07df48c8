// Runs one evaluator on the current weights, without gradients and without dropout.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "assay/mesh.h"
#include "record/example.h"
#include "record/metric.h"
#include "run/assemble.h"

namespace assay::run {

struct EvaluationReport {
  std::string id, label;
  int64_t step;  // finished updates of the weights
  std::vector<record::RecordedMetric> metrics;
  std::vector<record::RecordedExample> examples;
  double seconds;
};

struct EvaluationProgress {
  int64_t batches = 0;          // forward passes begun, including those of decoded tokens
  bool continues = false;       // the next forward pass is of a decoded token, and short
  std::optional<double> share;  // fraction done, as reported by the evaluator
};
// Called on every rank at the same points, before every forward pass. It may end the evaluation by throwing RunStopped.
using BetweenBatches = std::function<void(const EvaluationProgress&)>;

// Must be called on every rank of the mesh; the reports are equal.
EvaluationReport evaluate(Assembled& run, const Mesh& mesh, const LabelledEvaluator& entry, int64_t step,
                          const BetweenBatches& between = {});

}  // namespace assay::run
