// A run's weights, for verbs that use them after its training.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/shared/named_run.h"
#include "schema/descriptors.h"

namespace assay::cli {

// UserError when the weights are not there, with the reason, or are not what the training's record says.
void check_weights(const NamedRun& run);

// The plugins that trained and `besides` ("decoder/greedy"), as they are now. Weights outlive the code that made them;
// where that has changed, the user is told.
nlohmann::json plugins_now(const nlohmann::json& plan_line, const schema::Catalogue& catalogue,
                           const std::string& besides);

}  // namespace assay::cli
