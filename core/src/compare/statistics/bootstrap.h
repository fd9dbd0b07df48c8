// Paired bootstrap over documents: how far a difference depends on which texts were held out, for fixed runs. Efron
// 1979; paired, for language processing: Koehn 2004.
#pragma once

#include <optional>
#include <span>

#include "compare/statistics/percentile.h"

namespace assay::compare {

// 95% percentile interval of sum(differences) / sum(weights) over 2,000 resamplings of documents. Draws come from
// std::mt19937_64 with a fixed seed, so equal input gives equal output, and comparisons over the same documents share
// their resamplings. Nothing for fewer than two documents, or if a weight is not positive.
std::optional<Interval> document_bootstrap(std::span<const double> differences, std::span<const double> weights);

}  // namespace assay::compare
