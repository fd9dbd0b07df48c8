// The samples of claims about compute multipliers, for compare::judge.
#pragma once

#include <map>
#include <string>

#include "compare/results/run_results.h"
#include "compare/verdicts/claim_pairs.h"
#include "study/compare_settings.h"

namespace assay::scaling {

// By the hash of each claim about a multiplier. A claim is tested if every run of both groups has a value and there are
// at least kMinTestedRungs rungs.
std::map<std::string, compare::ClaimSample> multiplier_samples(const compare::Results& results,
                                                               const study::CompareSettings& settings);

inline constexpr std::size_t kMinTestedRungs = 6;

}  // namespace assay::scaling
