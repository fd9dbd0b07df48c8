// Findings at plan time: what of an assembly cannot work, found without running it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "loader/registry.h"
#include "run/data_sizes.h"

namespace assay::run {

struct Built {
  int64_t parameters = 0;                                   // all of what trains
  double row_flops = 0;                                     // of one row of a step; 0: not counted
  std::vector<std::string> notes;                           // of components: "optimizer: .."
  std::map<std::string, std::vector<std::string>> metrics;  // by label, of evaluations; empty: they are not known yet
  EpochSize epoch;                                          // of the training text; 0 tokens where nothing is trained
  std::string data;                                         // one sentence on the splits
};

// [{"group", "path", "message"}] for one plan line; [] when all is well. `built` is set where the model can be built.
// `sizes` remembers what was found of the data, for the next line.
nlohmann::json validate(const loader::Registry& registry, const nlohmann::json& plan_line,
                        std::optional<Built>* built = nullptr, DataSizes* sizes = nullptr);

}  // namespace assay::run
