// A run's weights, for verbs that use them after its training.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/descriptors.h"
#include "record/layout.h"

namespace assay::cli {

// UserError when the weights are not there, or are not what the training's record says.
void check_weights(const RunLayout& run);

// The plugins that trained and `besides` ("decoder/greedy"), as they are now. Weights outlive the code that made them;
// where that has changed, the user is told.
nlohmann::json plugins_now(const nlohmann::json& plan_line, const config::Catalogue& catalogue,
                           const std::string& besides);

}  // namespace assay::cli
