// [compare] and the claims against the runs they speak of, at plan time: before anything has run.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/compare_settings.h"
#include "config/diagnostics.h"
#include "config/key_path.h"
#include "config/worker.h"

namespace assay::config {

// Selectors match rows, rows have partners, metrics have evaluators, tuned rows have equal trials.
// `narrowed`: keys that the command line sets. What an axis collapsed by one leaves without a row or a partner is the
// user's wish and no slip.
void check_comparison(const CompareSettings& settings, const std::vector<nlohmann::json>& lines,
                      const std::vector<KeyPath>& narrowed, Diagnostics& diagnostics);

// [compare] equal, once the models have been measured. Costs of FLOPs and parameters go unchecked here where a model
// has no size; the table's notes tell.
void check_equal_costs(const CompareSettings& settings, const std::vector<nlohmann::json>& lines,
                       const std::map<std::string, ModelSize>& sizes, Diagnostics& diagnostics);

}  // namespace assay::config
