// assay ls: the experiments that have results, how many of their runs are done, and how many of these are stale.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/comparison.h"
#include "cli/named_experiment.h"
#include "cli/options.h"
#include "cli/plan_note.h"
#include "cli/text_table.h"
#include "record/plan_lines.h"
#include "record/run_status.h"
#include "record/staleness.h"

namespace assay::cli {

int ls(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, {});
  if (!parsed) return kDone;
  if (!parsed->words.empty()) throw UserError("assay ls: takes no words; one experiment's runs: assay status X");
  std::vector<std::vector<std::string>> rows{{"experiment", "runs", "done", "stale", "running", "failed", "other"}};
  const auto code = current_training_code();
  const auto experiments = experiments_in(results_here());
  for (const auto& experiment : experiments) {
    std::map<Standing, size_t> counts;
    const auto lines = with_code_at_hand(read_plan_lines(experiment.plan()));
    size_t stale = 0;
    for (const auto& line : lines) {
      const auto run = experiment.run(line.at("train_id"));
      const auto standing = run_status(line, run).standing;
      ++counts[standing];
      if (standing == Standing::kDone && is_stale(line, run, code)) ++stale;
    }
    const auto done = counts[Standing::kDone], running = counts[Standing::kRunning], failed = counts[Standing::kFailed];
    auto& row = rows.emplace_back(std::vector{experiment.folder().filename().string()});
    for (const auto count : {lines.size(), done, stale, running, failed, lines.size() - done - running - failed})
      row.push_back(fmt::format("{}", count));
  }
  if (rows.size() == 1)
    fmt::print("no results in {}\n", results_here().string());
  else
    fmt::print("{}", aligned(rows));
  std::fflush(stdout);
  for (const auto& experiment : experiments) note_other_plan({experiment, std::nullopt});
  return kDone;
}

}  // namespace assay::cli
