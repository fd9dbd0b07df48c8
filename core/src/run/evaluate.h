// Runs one evaluator on the present weights, without gradients and without dropout.
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
  int64_t batches = 0;          // forwards begun, those of decoded tokens included
  bool continues = false;       // the next forward is of a decoded token, and quick
  std::optional<double> share;  // what the evaluator said of how far it is
};
// Every rank calls it at the same points: before every forward. It may leave the evaluation by a RunStopped.
using BetweenBatches = std::function<void(const EvaluationProgress&)>;

// Every rank of the mesh calls it; the reports are equal.
EvaluationReport evaluate(Assembled& run, const Mesh& mesh, const LabelledEvaluator& entry, int64_t step,
                          const BetweenBatches& between = {});

}  // namespace assay::run
