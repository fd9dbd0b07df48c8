#include "plan/smoke.h"

#include <algorithm>
#include <set>

#include "plan/identity.h"

namespace assay::plan {
namespace {

constexpr int64_t kSteps = 20;

// 0 means never and stays 0.
int64_t scaled(const nlohmann::json& every, int64_t steps, int64_t whole) {
  const auto given = every.get<int64_t>();
  return given == 0 || whole == 0 ? given : std::max<int64_t>(1, given * steps / whole);
}

void shorten(nlohmann::json& line) {
  auto& train = line["train"];
  const auto whole = train["train"].at("steps").get<int64_t>(), steps = std::min<int64_t>(kSteps, whole);
  train["train"]["steps"] = steps;
  // Intermediate checkpoints and evaluations also happen in the short run.
  auto& checkpoint = line["checkpoint"];
  if (checkpoint.contains("every")) checkpoint["every"] = scaled(checkpoint["every"], steps, whole);
  for (auto& evaluation : line["evaluate"]) evaluation["every"] = scaled(evaluation.at("every"), steps, whole);
  const auto id = train_id(train);
  line["train_id"] = id;
  line["group"] = group_id(train);
  for (auto& evaluation : line["evaluate"])
    evaluation["id"] = eval_id(id, evaluation.at("config"), evaluation.at("split").get<std::string>());
}

}  // namespace

Plan smoke_of(Plan plan) {
  std::set<std::string> groups, ids;
  std::erase_if(plan.lines, [&](const auto& line) { return !groups.insert(line.at("group")).second; });
  for (auto& line : plan.lines) shorten(line);
  std::erase_if(plan.lines,
                [&](const auto& line) { return !ids.insert(line.at("train_id")).second; });  // differ only in steps
  plan.results_folder = plan.results_folder.parent_path() / ".smoke" / plan.results_folder.filename();
  return plan;
}

}  // namespace assay::plan
