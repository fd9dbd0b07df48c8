// How long a run trains and how its batches are cut: [train] and [resources], with what follows from them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "config/node.h"
#include "config/resolve.h"

namespace assay::config {

// The "train" part of the plan line: steps (from steps or tokens), batch, clip_norm, precision, non_finite. `context`
// is null when it has an error of its own.
nlohmann::json resolve_train(const Node& document, const nlohmann::json& context, Resolver& resolver);

// The "resources" part: mesh, threads, micro_batch, device; everything has a default.
nlohmann::json resolve_resources(const Node& document, const nlohmann::json& batch, Resolver& resolver);

}  // namespace assay::config
