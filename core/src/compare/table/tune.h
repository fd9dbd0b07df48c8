// Chooses the best of the rows that differ only in tuned axes, by one metric on the selecting seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/results/groups.h"
#include "compare/results/run_results.h"
#include "study/compare_settings.h"
#include "study/partners.h"

namespace assay::compare {

struct TunedRow {
  std::optional<std::size_t> chosen;  // index of a group; nothing while no trial has all its selecting values
  std::vector<std::size_t> trials;
  std::size_t trials_with_values = 0;
  std::size_t open = 0;            // trials with failed or pending runs, one of which may be the best
  std::string choice;              // "optimizer.lr=0.003"
  std::vector<std::string> edges;  // tuned axes in which the choice is the smallest or largest number tried
};

// One per family of rows that agree in all but the tuned axes, in the order of `rows`. A trial can be chosen if every
// selecting seed has a finite value, because a mean over fewer seeds may be biased. Throws UserError when the metric
// has no better direction.
std::vector<TunedRow> tuned_rows(const std::vector<Group>& groups, const study::Partners& partners,
                                 const std::vector<std::size_t>& rows, const study::CompareSettings& settings,
                                 const std::string& direction);

// The direction in which a metric is better: lower, higher or none (also for unknown metrics). A rate is better when
// higher, a duration when lower.
std::string direction_of(const Results& results, const std::string& metric);

}  // namespace assay::compare
