// [compare] and the claims against the runs they speak of, at plan time: before anything has run.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "study/compare_settings.h"
#include "worker/client.h"

namespace assay::plan {

// Selectors match rows, rows have partners, metrics have evaluators, tuned rows have equal trials.
// `narrowed`: keys that the command line sets. What an axis collapsed by one leaves without a row or a partner is the
// user's wish and no slip.
void check_comparison(const study::CompareSettings& settings, const std::vector<nlohmann::json>& lines,
                      const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics);

// [compare] equal, once the models have been measured. Costs of FLOPs and parameters go unchecked here where a model
// has no size; the table's notes tell.
void check_equal_costs(const study::CompareSettings& settings, const std::vector<nlohmann::json>& lines,
                       const std::map<std::string, worker::ModelSize>& sizes, document::Diagnostics& diagnostics);

}  // namespace assay::plan
