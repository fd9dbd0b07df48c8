// A plan as one row of tests/e2e/plans.tsv: the parts that are the same on every machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/sha256.h"

namespace assay::testing {

constexpr const char* kMachine = "<of this machine>";

// Removes paths, hashes of data and of plugins, and the text of the experiment file, whose comments have no effect.
inline void leave_out_machine(nlohmann::json& value) {
  if (value.is_object()) {
    for (const char* key : {"path", "sha256", "build_id"})
      if (value.contains(key)) value[key] = kMachine;
    if (value.contains("plugin")) value["file"] = kMachine;
  }
  if (value.is_structured())
    for (auto& item : value) leave_out_machine(item);
}

// Returns "<file> <runs> <SHA-256 of the lines> <first train id> <ids of its evaluations>" for the output of `assay
// plan --json`. The ids are kept as they are: they are the same everywhere, because the data is pinned by hash.
inline std::string plan_row(const std::string& file, const nlohmann::json& plan) {
  std::string lines;
  for (auto line : plan.at("runs")) {
    line.erase("outlook");
    leave_out_machine(line);
    lines += line.dump() + "\n";
  }
  const auto& first = plan.at("runs").at(0);
  auto row = file + "\t" + std::to_string(plan.at("runs").size()) + "\t" + base::sha256(lines) + "\t" +
             first.at("train_id").get<std::string>() + "\t";
  for (const auto& evaluation : first.at("evaluate")) {
    if (row.back() != '\t') row += ",";
    row += evaluation.at("id").get<std::string>().substr(0, 16);
  }
  return row;
}

}  // namespace assay::testing
