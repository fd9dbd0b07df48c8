// Runs of one configuration, a seed each.
#pragma once

#include <cstdint>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// All runs of one group; a row before anything is tuned or pooled.
using Group = std::vector<const RunResult*>;
std::vector<Group> groups_of(const Results& results);
// The first plan line of each, for config::Partners.
std::vector<const nlohmann::json*> lines_of(const std::vector<Group>& groups);

// Nothing where it has no such seed.
const RunResult* with_seed(const Group& group, std::int64_t seed);
// Is it among the seeds that are reported? None are named: all are.
bool is_reported(std::int64_t seed, const std::vector<std::int64_t>& reported);

}  // namespace assay::compare
