// Flattened resolved configurations: one dotted key and one value per line, and the keys that differ between groups of
// runs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "record/plan_line/plan_line.h"

namespace assay::report {

// Flattens a plan line under the names that an experiment file uses: "model.width", "positional" (a component's name),
// "model.positional.max_exponent", "objective.mle.weight", "evaluate.lm.lengths", "resources.mesh.tensor". Seeds are
// left out.
std::map<std::string, nlohmann::json> flat_configuration(const record::PlanLine& plan_line);

struct Configurations {
  std::vector<std::string> keys;                 // keys that differ between groups
  std::vector<std::vector<std::string>> values;  // one per group and key; empty: the group does not have the key
  std::vector<std::pair<std::string, std::string>> common;  // the other keys
};

// lines: one per group.
Configurations compare_configurations(const std::vector<record::PlanLine>& lines);

}  // namespace assay::report
