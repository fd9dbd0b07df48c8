// Findings at plan time: what of an assembly cannot work, found without running it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "loader/registry.h"

namespace assay {

// [{"group", "path", "message"}] for one plan line; [] when all is well.
nlohmann::json validate(const Registry& registry, const nlohmann::json& plan_line);

}  // namespace assay
