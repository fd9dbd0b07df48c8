// How far a difference depends on the held-out texts: resamples the examples of evaluations by document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "compare/statistics/bootstrap.h"
#include "compare/table/tune.h"

namespace assay::compare {

struct DocumentDifference {
  Interval interval;  // row - baseline, with each document's values averaged over the reported seeds that both have
  std::size_t documents = 0;
};

// For metrics that are a sum over examples divided by a sum of weights, according to their records: one number of the
// examples, with the same coordinates, adds up to the metric's sum up to a constant factor that all runs share, and
// another one (or the number of examples) to its weight. Nothing for other metrics, or if the rows scored different
// documents.
std::optional<DocumentDifference> difference_over_documents(const Group& row, const Group& baseline,
                                                            const std::string& metric,
                                                            const std::vector<std::int64_t>& reported = {});

}  // namespace assay::compare
