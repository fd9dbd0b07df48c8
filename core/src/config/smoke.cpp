#include "config/smoke.h"

#include <algorithm>
#include <set>

#include "config/identity.h"

namespace assay::config {
namespace {

constexpr int64_t kSteps = 20;

void shorten(nlohmann::json& line) {
  auto& train = line["train"];
  train["train"]["steps"] = std::min<int64_t>(kSteps, train["train"].at("steps").get<int64_t>());
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
                [&](const auto& line) { return !ids.insert(line.at("train_id")).second; });  // of steps alone
  plan.results_folder = plan.results_folder.parent_path() / ".smoke" / plan.results_folder.filename();
  return plan;
}

}  // namespace assay::config
