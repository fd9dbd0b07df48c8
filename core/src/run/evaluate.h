// Runs one evaluator on the present weights, without gradients and without dropout.
#pragma once

#include <string>
#include <vector>

#include "assay/mesh.h"
#include "record/example.h"
#include "record/metric.h"
#include "run/assemble.h"

namespace assay {

struct EvaluationReport {
  std::string id, label;
  int64_t step;  // finished updates of the weights
  std::vector<RecordedMetric> metrics;
  std::vector<RecordedExample> examples;
  double seconds;
};

// Every rank of the mesh calls it; the reports are equal.
EvaluationReport evaluate(Assembled& run, const Mesh& mesh, const LabelledEvaluator& entry, int64_t step);

}  // namespace assay
