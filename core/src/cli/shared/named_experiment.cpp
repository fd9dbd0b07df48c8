#include "cli/shared/named_experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.h"
#include "base/nearest.h"
#include "plan/experiment_name.h"

namespace assay::cli {

std::filesystem::path default_results_root() {
  return plan::results_root(std::filesystem::current_path() / "any.toml");
}

NamedExperiment find_experiment(const std::string& text) {
  if (text.ends_with(".toml")) {
    if (!std::filesystem::is_regular_file(text)) throw UserError(text + ": there is no such file");
    return {record::ExperimentLayout(plan::results_root(text) / plan::name_of_file(text)), text};
  }
  const auto root = default_results_root();
  const record::ExperimentLayout experiment(root / text);
  if (!text.empty() && std::filesystem::exists(experiment.plan())) return {experiment, std::nullopt};
  std::vector<std::string> names;
  for (const auto& one : experiments_in(root)) names.push_back(one.folder().filename().string());
  throw UserError(
      fmt::format("there are no results of an experiment '{}' in {}{}; "
                  "an experiment is named by its TOML file or by its folder there",
                  text, root.string(), base::suggestion(text, names, "experiments are ")));
}

std::vector<record::ExperimentLayout> experiments_in(const std::filesystem::path& root) {
  std::vector<record::ExperimentLayout> experiments;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(root, absent))
    if (record::ExperimentLayout experiment(entry.path()); std::filesystem::exists(experiment.plan()))
      experiments.push_back(std::move(experiment));
  std::sort(experiments.begin(), experiments.end(),
            [](const auto& a, const auto& b) { return a.folder() < b.folder(); });
  return experiments;
}

}  // namespace assay::cli
