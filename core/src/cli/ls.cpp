// assay ls: lists the experiments that have results, how many of their runs are done, and how many of these are stale.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/text_table.h"
#include "record/plan_line/plan_lines.h"
#include "record/run_status.h"
#include "record/staleness.h"

namespace assay::cli {

int ls(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, {});
  if (!parsed) return kDone;
  if (!parsed->words.empty())
    throw UserError("assay ls takes no arguments; assay status X shows one experiment's runs");
  std::vector<std::vector<std::string>> rows{{"experiment", "runs", "done", "stale", "running", "failed", "other"}};
  const auto code = current_training_code();
  const auto experiments = experiments_in(default_results_root());
  for (const auto& experiment : experiments) {
    std::map<record::RunStatus, size_t> counts;
    const auto lines = record::with_current_code(record::read_plan_lines(experiment.plan()));
    size_t stale = 0;
    for (const auto& line : lines) {
      const auto run = experiment.run(line.train_id);
      const auto status = record::run_status(line, run).status;
      ++counts[status];
      if (status == record::RunStatus::kDone && record::is_stale(line, run, code)) ++stale;
    }
    const auto done = counts[record::RunStatus::kDone], running = counts[record::RunStatus::kRunning],
               failed = counts[record::RunStatus::kFailed];
    auto& row = rows.emplace_back(std::vector{experiment.folder().filename().string()});
    for (const auto count : {lines.size(), done, stale, running, failed, lines.size() - done - running - failed})
      row.push_back(fmt::format("{}", count));
  }
  if (rows.size() == 1)
    fmt::print("there are no results in {}\n", default_results_root().string());
  else
    fmt::print("{}", aligned(rows));
  std::fflush(stdout);
  for (const auto& experiment : experiments) note_other_plan({experiment, std::nullopt});
  return kDone;
}

}  // namespace assay::cli
