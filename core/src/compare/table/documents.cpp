#include "compare/table/documents.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "record/metric_name.h"

namespace assay::compare {
namespace {

constexpr double kSame = 1e-9;  // relative tolerance for sums of the same numbers in another order

struct Scored {
  const Value* value;
  const Examples* examples;
};

double total(const std::vector<double>& numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0.0); }

bool same(double a, double b) { return std::abs(a - b) <= kSame * std::max(std::abs(a), std::abs(b)); }

// "@length=512" for both lm.bits_per_byte@length=512 and nll@length=512.
std::string coordinates_of(const std::string& name) {
  const auto at = name.find('@');
  return at == std::string::npos ? "" : name.substr(at);
}

std::optional<Scored> scored(const RunResult& run, const std::string& metric) {
  const auto value = run.values.find(metric);
  const auto examples = run.examples.find(record::owner_of(metric));
  if (value == run.values.end() || examples == run.examples.end() || examples->second.ids.empty()) return std::nullopt;
  if (!std::isfinite(value->second.value) || !std::isfinite(value->second.sum)) return std::nullopt;
  return Scored{&value->second, &examples->second};
}

// The factor from this number's total to the metric's sum, if it is the same in all runs.
std::optional<double> factor_of(const std::vector<Scored>& all, const std::string& number) {
  std::optional<double> factor;
  for (const auto& one : all) {
    const auto found = one.examples->numbers.find(number);
    if (found == one.examples->numbers.end()) return std::nullopt;
    const double sum = total(found->second);
    if (sum == 0 || !std::isfinite(sum)) return std::nullopt;
    if (factor && !same(*factor, one.value->sum / sum)) return std::nullopt;
    factor = one.value->sum / sum;
  }
  return factor;
}

// The weights of the documents; all are 1 if the metric's weight is the number of documents.
std::optional<std::vector<double>> weights_of(const Scored& one) {
  for (const auto& [name, numbers] : one.examples->numbers)
    if (same(total(numbers), one.value->weight)) return numbers;
  const auto count = static_cast<double>(one.examples->ids.size());
  if (same(count, one.value->weight)) return std::vector<double>(one.examples->ids.size(), 1.0);
  return std::nullopt;
}

}  // namespace

std::optional<DocumentDifference> difference_over_documents(const Group& row, const Group& baseline,
                                                            const std::string& metric,
                                                            const std::vector<std::int64_t>& reported) {
  std::vector<Scored> all;  // row, partner, row, partner, ...
  for (const auto* run : row) {
    const auto* partner = with_seed(baseline, run->seed);
    if (!partner || !is_reported(run->seed, reported)) continue;
    const auto a = scored(*run, metric), b = scored(*partner, metric);
    if (!a || !b) continue;
    all.push_back(*a);
    all.push_back(*b);
  }
  if (all.empty()) return std::nullopt;
  const auto weights = weights_of(all[0]);
  if (!weights) return std::nullopt;
  for (const auto& one : all)
    if (one.examples->ids != all[0].examples->ids || weights_of(one) != weights) return std::nullopt;
  for (const auto& [number, ignored] : all[0].examples->numbers) {
    if (coordinates_of(number) != coordinates_of(metric)) continue;
    const auto factor = factor_of(all, number);
    if (!factor) continue;
    std::vector<double> differences(weights->size(), 0.0);
    const double scale = *factor / (static_cast<double>(all.size()) / 2);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& numbers = all[i].examples->numbers.at(number);
      for (std::size_t d = 0; d < differences.size(); ++d) differences[d] += (i % 2 == 0 ? scale : -scale) * numbers[d];
    }
    const auto interval = document_bootstrap(differences, *weights);
    if (!interval) return std::nullopt;
    return DocumentDifference{*interval, differences.size()};
  }
  return std::nullopt;
}

}  // namespace assay::compare
