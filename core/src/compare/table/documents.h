// What a difference owes to the texts that were held out: the examples of evaluations, resampled by document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "compare/statistics/bootstrap.h"
#include "compare/table/tune.h"

namespace assay::compare {

struct DocumentDifference {
  Interval interval;  // of row - baseline, each document's values averaged over the reported seeds that both have
  std::size_t documents = 0;
};

// For metrics that are a sum over examples divided by a sum of weights, as their records show: one of the examples'
// numbers of the same coordinates adds up to the metric's sum, but for a constant factor that all runs share, and
// another one (or their count) to its weight. Nothing for other metrics, or where the rows scored different documents.
std::optional<DocumentDifference> difference_over_documents(const Group& row, const Group& baseline,
                                                            const std::string& metric,
                                                            const std::vector<std::int64_t>& reported = {});

}  // namespace assay::compare
