// assay status [X]: what is done, running, failed (and why) and waiting, experiment by experiment.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/named_experiment.h"
#include "cli/options.h"
#include "record/plan_lines.h"
#include "record/run_status.h"

namespace assay::cli {
namespace {

std::string status_text(const ExperimentLayout& experiment) {
  size_t done = 0, running = 0, failed = 0, queued = 0;
  std::string failures;
  for (const auto& line : read_plan_lines(experiment.plan())) {
    const auto run = experiment.run(line.at("train_id"));
    const auto now = run_status(line, run);
    switch (now.standing) {
      case Standing::kDone:
        ++done;
        break;
      case Standing::kRunning:
        ++running;
        break;
      case Standing::kQueued:
        ++queued;
        break;
      case Standing::kFailed:
        ++failed;
        failures += fmt::format("  failed  {} seed={}: {}\n          log: {}\n          run: {}\n",
                                line.value("label", ""), line.value("seed", 0), now.reason, run.log().string(),
                                line.at("train_id").get<std::string>().substr(0, 12));
    }
  }
  return fmt::format("{}: {} done, {} running, {} failed, {} queued\n{}", experiment.folder().filename().string(), done,
                     running, failed, queued, failures);
}

}  // namespace

int status(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, {});
  if (!parsed) return kDone;
  if (parsed->words.size() > 1)
    throw UserError("assay status: one experiment, or none for all; see assay status --help");
  if (!parsed->words.empty()) {
    std::cout << status_text(find_experiment(parsed->words[0]).layout);
    return kDone;
  }
  const auto experiments = experiments_in(results_here());
  for (const auto& experiment : experiments) std::cout << status_text(experiment);
  if (experiments.empty()) std::cout << "no results in " << results_here().string() << "\n";
  return kDone;
}

}  // namespace assay::cli
