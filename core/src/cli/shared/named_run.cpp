#include "cli/shared/named_run.h"

#include <fmt/format.h>

#include <map>

#include "assay/error.h"
#include "base/printable.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/run_choice.h"
#include "record/plan_line/plan_lines.h"

namespace assay::cli {
namespace fs = std::filesystem;

NamedRun find_run(const std::string& text) {
  const fs::path folder = fs::is_directory(text) ? fs::canonical(text) : fs::path();
  const bool is_folder = !folder.empty() && folder.parent_path().filename() == "runs";
  const auto root = default_results_root();
  const auto experiments =
      is_folder ? std::vector{record::ExperimentLayout(folder.parent_path().parent_path())} : experiments_in(root);
  std::vector<NamedRun> planned;
  for (const auto& experiment : experiments)
    for (auto& line : record::read_plan_lines(experiment.plan())) {
      const auto layout = experiment.run(line.train_id);
      planned.push_back({layout, std::move(line)});
    }
  std::vector<const record::PlanLine*> lines;
  for (const auto& run : planned) lines.push_back(&run.line);
  RunChoice choice(is_folder ? folder.filename().string() : text, "RUN");
  choice.resolve(lines);
  std::map<std::string, NamedRun> found;  // keyed by train id, because one run may be in several experiments
  for (const auto& run : planned) {
    if (!choice.matches(run.line)) continue;
    const auto [known, is_new] = found.try_emplace(run.line.train_id, run);
    if (!is_new && !fs::exists(known->second.layout.weights())) known->second = run;
  }
  if (found.size() == 1) return found.begin()->second;
  if (found.empty())
    throw UserError(
        fmt::format("there is no planned run '{}' in {}; "
                    "a run is named by its folder there, by the beginning of its id, which 'assay plan' lists, "
                    "or by a selector (\"positional=alibi seed=1\")",
                    text, (is_folder ? folder.parent_path() : root).string()));
  std::string list;
  for (const auto& [id, run] : found)
    list += fmt::format("\n  {}  {} seed={} of {}", id.substr(0, 12), base::printable(run.line.label), run.line.seed,
                        run.line.experiment);
  throw UserError(
      fmt::format("'{}' matches {} runs; give more of the id, or more keys of a selector (also seed and experiment):{}",
                  text, found.size(), list));
}

}  // namespace assay::cli
