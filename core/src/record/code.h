// Which plugins' code produced a record: the plugins that trained, or the plugins that evaluated.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/plan_line/plan_line.h"

namespace assay::record {

bool has_role(const PlannedPlugin& plugin, const std::string& role);

// "kind/name" -> {plugin, version, sha256, build_id}. Files are left out: where a plugin lay is not what it was.
nlohmann::json training_plugins(const PlanLine& plan_line);

// The role of a plugin that is used not by the run itself but by another run whose model an evaluation loads.
inline constexpr const char* kInputRole = "input";

// For one entry of the plan line's "evaluate": the plugins of its evaluator and of the components inside it, and those
// of the runs whose models it loads.
nlohmann::json evaluation_plugins(const PlanLine& plan_line, const nlohmann::json& config);

// Identifies the code of a recorded or planned plugin: its build id, or the hash of its file if it has none.
std::string code_id(const nlohmann::json& plugin);
std::string code_id(const PlannedPlugin& plugin);

}  // namespace assay::record
