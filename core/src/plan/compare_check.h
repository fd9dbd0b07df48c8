// Checks [compare] and the claims against the planned runs, before anything has run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "record/plan_line/plan_line.h"
#include "study/compare_settings.h"
#include "worker/client.h"

namespace assay::plan {

// Checks that selectors match rows, rows have partners, metrics have evaluators, and tuned rows have equal numbers of
// trials.
// `narrowed`: keys that the command line sets. If an axis collapsed by one of them leaves a selector without a row or a
// partner, that is intended and not an error.
void check_comparison(const study::CompareSettings& settings, const std::vector<record::PlanLine>& lines,
                      const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics);

// Checks `equal` of [compare] after the model sizes have been measured. Costs in FLOPs and parameters are not checked
// here for models without a size; the notes of the table report them.
void check_equal_costs(const study::CompareSettings& settings, const std::vector<record::PlanLine>& lines,
                       const std::map<std::string, worker::ModelSize>& sizes, document::Diagnostics& diagnostics);

}  // namespace assay::plan
