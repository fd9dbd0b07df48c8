// Of rows that differ in tuned axes alone the best stands for all: chosen on the selecting seeds by one metric.
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
  std::optional<std::size_t> chosen;  // index of a group; nothing while no trial has all of its selecting values
  std::vector<std::size_t> trials;
  std::size_t trials_with_values = 0;
  std::size_t open = 0;            // trials with runs that failed or are to come: one of them may be the best
  std::string choice;              // "optimizer.lr=0.003"
  std::vector<std::string> edges;  // tuned axes in which the choice is the smallest or largest number tried
};

// One a family of rows that agree in all but the tuned axes, in the order of `rows`. A trial takes part when every
// selecting seed has a finite value: a mean over fewer would be a mean over the lucky ones. Throws UserError when the
// metric has no better direction.
std::vector<TunedRow> tuned_rows(const std::vector<Group>& groups, const study::Partners& partners,
                                 const std::vector<std::size_t>& rows, const study::CompareSettings& settings,
                                 const std::string& direction);

// Which way a metric is better: lower, higher, none (also of metrics not known). A rate is better when higher, a
// duration when lower.
std::string direction_of(const Results& results, const std::string& metric);

}  // namespace assay::compare
