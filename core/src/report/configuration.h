// Resolved configurations laid flat: one dotted key and one value a line, and what differs between groups of runs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace assay::report {

// Of a plan line, by the names that an experiment file has for them: "model.width", "positional" (a component's name),
// "model.positional.max_exponent", "objective.mle.weight", "evaluate.lm.lengths", "resources.mesh.tensor". Seeds are
// left out.
std::map<std::string, nlohmann::json> flat_configuration(const nlohmann::json& plan_line);

struct Configurations {
  std::vector<std::string> keys;                            // that differ between groups
  std::vector<std::vector<std::string>> values;             // one a group and key; empty: the group has no such key
  std::vector<std::pair<std::string, std::string>> common;  // the others
};

// lines: one of each group.
Configurations compare_configurations(const std::vector<nlohmann::json>& lines);

}  // namespace assay::report
