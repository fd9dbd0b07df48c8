// Which plugins' code a record stands on: those that trained, or those that evaluated.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay::record {

// "kind/name" -> {plugin, version, sha256, build_id}. Files are left out: where a plugin lay is not what it was.
nlohmann::json training_plugins(const nlohmann::json& plan_line);

// The role of a plugin that the run does not use itself, but another run whose model an evaluation asks.
inline constexpr const char* kInputRole = "input";

// Of one entry of the plan line's "evaluate": its evaluator and the components inside it, and what is there for the
// runs that it asks.
nlohmann::json evaluation_plugins(const nlohmann::json& plan_line, const nlohmann::json& config);

// What a recorded or planned plugin's code is known by: its build id, or its file's hash where it has none.
std::string code_id(const nlohmann::json& plugin);

}  // namespace assay::record
