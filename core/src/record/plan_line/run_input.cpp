#include "record/plan_line/run_input.h"

#include <filesystem>
#include <string>

namespace assay::record {

using nlohmann::json;
namespace fs = std::filesystem;

bool is_run_input(const json& value) {
  return value.is_object() && value.size() == 4 && value.contains("experiment") && value.contains("group") &&
         value.contains("path") && (value.contains("train_id") || value.contains("seeds"));
}

json with_inputs_for_seed(const json& value, int64_t seed) {
  if (is_run_input(value) && value.contains("seeds")) {
    const std::string id = value.at("seeds").at(std::to_string(seed));
    return {{"experiment", value.at("experiment")},
            {"group", value.at("group")},
            {"train_id", id},
            {"path", (fs::path(value.at("path").get<std::string>()) / id).string()}};
  }
  if (!value.is_structured()) return value;
  auto result = value;
  for (auto& item : result) item = with_inputs_for_seed(item, seed);
  return result;
}

std::vector<json> inputs_in(const json& value) {
  if (is_run_input(value)) return {value};
  std::vector<json> all;
  if (value.is_structured())
    for (const auto& item : value)
      for (auto& one : inputs_in(item)) all.push_back(std::move(one));
  return all;
}

}  // namespace assay::record
