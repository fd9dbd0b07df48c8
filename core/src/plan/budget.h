// Resolves [train] and [resources]: how long a run trains and how its batches are split.
#pragma once

#include <nlohmann/json.hpp>

#include "document/node.h"
#include "schema/resolve.h"

namespace assay::plan {

// The "train" part of the plan line: steps, batch, clip_norm, precision, non_finite. `context` is null when it has an
// error. `budget` becomes {kind, target}; if it depends on the model size, steps stays 0 until the size is known.
nlohmann::json resolve_train(const document::Node& document, const nlohmann::json& context, nlohmann::json& budget,
                             schema::Resolver& resolver);
bool needs_model_size(const nlohmann::json& budget);

// Why the budget does not suffice for one update; empty if it does.
std::string too_small(const nlohmann::json& budget, int64_t tokens_per_step, int64_t parameters);

// Number of whole updates within the budget, at least one. FLOPs are 6 N D (Kaplan et al. 2020, sec. 2.1), where N
// counts all parameters.
int64_t steps_within(const nlohmann::json& budget, int64_t tokens_per_step, int64_t parameters);

// The "resources" part: mesh, threads, micro_batch, device; everything has a default.
nlohmann::json resolve_resources(const document::Node& document, const nlohmann::json& batch,
                                 schema::Resolver& resolver);

}  // namespace assay::plan
