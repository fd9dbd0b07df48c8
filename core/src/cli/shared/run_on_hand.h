// A run's weights, for verbs that use them after its training.
#pragma once

#include <string>

#include "cli/shared/named_run.h"
#include "schema/descriptors.h"

namespace assay::cli {

// Throws UserError, with the reason, when the weights do not exist or do not match the training's record.
void check_weights(const NamedRun& run);

// The plugins of the training and `besides` ("decoder/greedy"), as they are now. Weights outlive the code that made
// them; where that code has changed, a note is printed.
record::PlannedPlugins current_plugins(const record::PlanLine& plan_line, const schema::Catalogue& catalogue,
                                       const std::string& besides);

}  // namespace assay::cli
