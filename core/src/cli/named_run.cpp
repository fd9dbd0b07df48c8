#include "cli/named_run.h"

#include <fmt/format.h>

#include <map>

#include "assay/error.h"
#include "cli/named_experiment.h"
#include "record/plan_lines.h"

namespace assay::cli {
namespace fs = std::filesystem;

NamedRun find_run(const std::string& text) {
  const fs::path folder = fs::is_directory(text) ? fs::canonical(text) : fs::path();
  const bool is_folder = !folder.empty() && folder.parent_path().filename() == "runs";
  const auto root = results_here();
  const auto experiments =
      is_folder ? std::vector{ExperimentLayout(folder.parent_path().parent_path())} : experiments_in(root);
  const auto beginning = is_folder ? folder.filename().string() : text;
  std::map<std::string, NamedRun> found;  // by train id: one run may stand in several experiments
  for (const auto& experiment : experiments)
    for (auto& line : read_plan_lines(experiment.plan())) {
      const std::string id = line.at("train_id");
      if (beginning.empty() || !id.starts_with(beginning)) continue;
      const auto layout = experiment.run(id);
      const auto [known, is_new] = found.try_emplace(id, NamedRun{layout, line});
      if (!is_new && !fs::exists(known->second.layout.weights())) known->second = {layout, std::move(line)};
    }
  if (found.size() == 1) return found.begin()->second;
  if (found.empty())
    throw UserError(
        fmt::format("no planned run '{}' in {}; a run is named by its folder there or by the beginning of "
                    "its id, which 'assay plan' lists",
                    text, (is_folder ? folder.parent_path() : root).string()));
  std::string list;
  for (const auto& [id, run] : found)
    list += fmt::format("\n  {}  {} seed={}", id.substr(0, 12), run.line.value("label", ""), run.line.value("seed", 0));
  throw UserError(fmt::format("'{}' is the beginning of {} runs' ids; give more of it:{}", text, found.size(), list));
}

}  // namespace assay::cli
