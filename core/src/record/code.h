// Which plugins' code a record stands on: those that trained, or those that evaluated.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay {

// "kind/name" -> {plugin, version, sha256, build_id}. Files are left out: where a plugin lay is not what it was.
nlohmann::json training_plugins(const nlohmann::json& plan_line);

// Of one entry of the plan line's "evaluate": its evaluator and the components inside it.
nlohmann::json evaluation_plugins(const nlohmann::json& plan_line, const nlohmann::json& config);

}  // namespace assay
