// The runs that a run takes as inputs, before it starts.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Every input in the line's "train" and "evaluate" gets the hash of its weights ("sha256"), and the line's plugins
// those that trained what its evaluations ask. UserError when an input is not finished, kept no weights, or has others
// than its record says.
void settle_inputs(nlohmann::json& plan_line);

}  // namespace assay::app
