// Findings at plan time: what of an assembly cannot work, found without running it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "loader/registry.h"

namespace assay {

struct Built {
  int64_t parameters = 0;          // all of what trains
  double row_flops = 0;            // of one row of a step; 0: not counted
  std::vector<std::string> notes;  // of components: "optimizer: .."
};

// [{"group", "path", "message"}] for one plan line; [] when all is well. `built` is set where the model can be built.
nlohmann::json validate(const Registry& registry, const nlohmann::json& plan_line,
                        std::optional<Built>* built = nullptr);

}  // namespace assay
