// The runs of one configuration, one per seed.
#pragma once

#include <cstdint>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// All runs of one group: a row before tuning and pooling.
using Group = std::vector<const RunResult*>;
std::vector<Group> groups_of(const Results& results);
// The first plan line of each group, for study::Partners.
std::vector<const record::PlanLine*> lines_of(const std::vector<Group>& groups);

// Null if the group has no such seed.
const RunResult* with_seed(const Group& group, std::int64_t seed);
// Whether the seed is reported; if `reported` is empty, all seeds are.
bool is_reported(std::int64_t seed, const std::vector<std::int64_t>& reported);

}  // namespace assay::compare
