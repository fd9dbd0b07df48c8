#include "plan/identity.h"

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "record/plan_line/run_input.h"

namespace assay::plan {
namespace {

using nlohmann::json;

bool is_path(const json& value) {
  return value.is_object() && value.size() == 3 && value.contains("path") && value.contains("sha256");
}

json canonical(const json& value) {
  if (is_path(value)) return value.at("sha256");
  if (record::is_run_input(value)) return value.contains("train_id") ? value.at("train_id") : value.at("group");
  if (value.is_array()) {
    auto result = json::array();
    for (const auto& item : value) result.push_back(canonical(item));
    return result;
  }
  if (!value.is_object()) return value;
  auto result = json::object();
  for (const auto& [key, item] : value.items())
    if (key != "label") result[key] = canonical(item);
  return result;
}

}  // namespace

std::string canonical_json(const json& value) { return canonical(value).dump(); }

std::string train_id(const json& train) { return base::sha256(canonical_json(train)); }

std::string group_id(const json& train) {
  auto without = train;
  without.erase("seeds");
  return base::sha256(canonical_json(without));
}

std::string eval_id(const std::string& train_id, const json& config, const std::string& split) {
  return eval_id(train_id, canonical_evaluation(config, split));
}

std::string canonical_evaluation(const json& config, const std::string& split) {
  auto with_split = config;
  with_split["split"] = split;
  return canonical_json(with_split);
}

std::string eval_id(const std::string& train_id, const std::string& canonical_evaluation) {
  return base::sha256(train_id + "\n" + canonical_evaluation);
}

SeededIds::SeededIds(const json& train)
    : train_(canonical(train)), data_({{"data", train_.at("data")}, {"transforms", train_.at("transforms")}}) {}

std::string SeededIds::train_id(const json& seeds) {
  train_["seeds"] = seeds;
  return base::sha256(train_.dump());
}

std::string SeededIds::data_id(int64_t data_seed) {
  data_["seed"] = data_seed;
  return base::sha256(data_.dump());
}

}  // namespace assay::plan
