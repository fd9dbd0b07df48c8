#include "app/planned_code.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "base/sha256.h"
#include "record/build_id.h"
#include "run/run.h"

namespace assay::app {
namespace fs = std::filesystem;
using nlohmann::json;

std::string training_code() { return record::build_id_of_loaded(reinterpret_cast<const void*>(&run::execute)); }

void check_paths(const json& value) {
  if (value.is_object() && value.contains("path") && value.contains("sha256") && value.contains("name")) {
    const fs::path path = value.at("path").get<std::string>();
    if (!fs::exists(path)) throw UserError(path.string() + ": it was removed after the plan was made; restore it");
    if (value.at("sha256") != base::sha256_of_path(path))
      throw UserError(path.string() +
                      ": it has changed since the plan was made; plan again, which makes a different run");
  } else if (value.is_structured()) {
    for (const auto& item : value) check_paths(item);
  }
}

void check_paths(const record::TrainConfig& train) {
  record::for_each_config(train, [](const json& config) { check_paths(config); });
}

void check_paths(const std::vector<record::PlannedEvaluation>& evaluations) {
  for (const auto& one : evaluations) check_paths(one.config);
}

loader::Registry registry_of(const record::PlannedPlugins& plugins) {
  std::set<fs::path> files;
  for (const auto& [name, plugin] : plugins)
    if (files.insert(plugin.file).second && base::sha256_of_file(plugin.file) != plugin.sha256)
      throw UserError(plugin.file + ": it has changed since the plan was made; plan again");
  loader::Registry registry({files.begin(), files.end()});
  for (const auto& [name, plugin] : plugins) registry.choose(name, plugin.file);
  return registry;
}

}  // namespace assay::app
