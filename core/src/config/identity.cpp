#include "config/identity.h"

#include <nlohmann/json.hpp>

#include "config/run_inputs.h"
#include "record/sha256.h"

namespace assay::config {
namespace {

using nlohmann::json;

bool is_path(const json& value) {
  return value.is_object() && value.size() == 3 && value.contains("path") && value.contains("sha256");
}

json canonical(const json& value) {
  if (is_path(value)) return value.at("sha256");
  if (is_run_input(value)) return value.contains("train_id") ? value.at("train_id") : value.at("group");
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

std::string train_id(const json& train) { return sha256(canonical_json(train)); }

std::string group_id(const json& train) {
  auto without = train;
  without.erase("seeds");
  return sha256(canonical_json(without));
}

std::string data_id(const json& train) {
  return sha256(canonical_json(
      {{"data", train.at("data")}, {"transforms", train.at("transforms")}, {"seed", train.at("seeds").at("data")}}));
}

std::string eval_id(const std::string& train_id, const json& config, const std::string& split) {
  auto with_split = config;
  with_split["split"] = split;
  return sha256(train_id + "\n" + canonical_json(with_split));
}

}  // namespace assay::config
