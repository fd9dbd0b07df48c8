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
    if (base::sha256_of_path(path) != value.at("sha256"))
      throw UserError(path.string() +
                      ": it has changed since the plan was made; plan again, which makes a different run");
  } else if (value.is_structured()) {
    for (const auto& item : value) check_paths(item);
  }
}

loader::Registry registry_of(const json& line) {
  std::set<fs::path> files;
  for (const auto& [name, plugin] : line.at("plugins").items()) {
    const fs::path file = plugin.at("file").get<std::string>();
    if (files.insert(file).second && base::sha256_of_file(file) != plugin.at("sha256"))
      throw UserError(file.string() + ": it has changed since the plan was made; plan again");
  }
  loader::Registry registry({files.begin(), files.end()});
  for (const auto& [name, plugin] : line.at("plugins").items()) registry.choose(name, plugin.at("file"));
  return registry;
}

}  // namespace assay::app
