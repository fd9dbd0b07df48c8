// Validation at plan time: finds errors of an assembly without running it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "loader/registry.h"
#include "record/plan_line/plan_line.h"
#include "run/data_sizes.h"

namespace assay::run {

struct Built {
  int64_t parameters = 0;                                   // all trained parameters
  double row_flops = 0;                                     // per row of a step; 0: not counted
  std::vector<std::string> notes;                           // of components: "optimizer: .."
  std::map<std::string, std::vector<std::string>> metrics;  // of evaluations, by label; empty: not known yet
  EpochSize epoch;                                          // of the training text; 0 tokens without training
  std::string data;                                         // one sentence on the splits
};

// Returns [{"group", "path", "message"}] for one plan line; [] without errors. `built` is set if the model can be
// built. `sizes` caches measurements of the data for the next line.
nlohmann::json validate(const loader::Registry& registry, const record::PlanLine& plan_line,
                        std::optional<Built>* built = nullptr, DataSizes* sizes = nullptr);

}  // namespace assay::run
