#include "plan/experiment_name.h"

#include <cstdlib>
#include <optional>

#include "document/extends.h"

namespace assay::plan {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> experiments_folder(const fs::path& file) {
  for (auto folder = fs::absolute(file).lexically_normal().parent_path(); folder != folder.root_path();
       folder = folder.parent_path())
    if (folder.filename() == "experiments") return folder;
  return std::nullopt;
}

// A file with errors is named by its path.
std::string name_or_path_of(const fs::path& file) {
  try {
    return name_of_file(file);
  } catch (const std::exception&) {
    return experiment_name(file);
  }
}

}  // namespace

fs::path results_root(const fs::path& experiment_file) {
  if (const char* root = std::getenv("ASSAY_RESULTS"); root && *root) return fs::absolute(root);
  const auto experiments = experiments_folder(experiment_file);
  return experiments ? experiments->parent_path() / "results" : fs::current_path() / "results";
}

std::string experiment_name(const fs::path& experiment_file) {
  const auto experiments = experiments_folder(experiment_file);
  auto inside = experiments ? fs::absolute(experiment_file).lexically_normal().lexically_relative(*experiments)
                            : experiment_file.filename();
  auto name = inside.replace_extension().generic_string();
  for (auto& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    if (!plain) c = '-';
  }
  return name.empty() || name == "." || name == ".." ? "experiment" : name;
}

std::string source_name(const fs::path& experiment_file) {
  const auto experiments = experiments_folder(experiment_file);
  if (!experiments) return experiment_file.filename().string();
  const auto whole = fs::absolute(experiment_file).lexically_normal();
  return whole.lexically_relative(experiments->parent_path()).generic_string();
}

std::optional<fs::path> file_of_experiment(const std::string& name, const fs::path& near) {
  const auto folder = experiments_folder(near);
  if (!folder) return std::nullopt;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(*folder, ignored))
    if (entry.path().extension() == ".toml" && name_or_path_of(entry.path()) == name) return entry.path();
  return std::nullopt;
}

std::string name_of_file(const fs::path& experiment_file) {
  document::Diagnostics diagnostics;
  const auto document = document::load_document(experiment_file.string(), diagnostics);
  diagnostics.throw_if_any();
  const auto* section = document.root.as<document::Table>()->find("experiment");
  const auto* table = section ? section->as<document::Table>() : nullptr;
  const auto* name = table ? document::string_of(*table, "name") : nullptr;
  return name ? *name : experiment_name(experiment_file);
}

}  // namespace assay::plan
