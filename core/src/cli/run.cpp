// assay run X.toml: plan, then do what has no record yet.
#include <iostream>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "compare/settings.h"
#include "config/plan.h"
#include "config/worker.h"
#include "launch/sweep.h"
#include "record/files.h"
#include "record/lock.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

// Replaces the plan in force; other controllers may be about to do the same.
void put_in_force(const config::Plan& plan) {
  const ExperimentLayout experiment(plan.results_folder);
  std::filesystem::create_directories(experiment.folder());
  const auto lock = FileLock::lock(experiment.lock());
  config::write_plan(plan, experiment.folder());
  write_atomically(experiment.compare(), compare_settings_text(plan.compare));
}

}  // namespace

int run(const Arguments& arguments) {
  SweepOptions sweep;
  auto options = plan_options();
  options.add_options()("jobs", po::value(&sweep.jobs)->value_name("N"),
                        "runs at once; default: cores divided by what one run asks")(
      "dry-run", po::bool_switch(&sweep.dry_run), "say what would run, write nothing")(
      "fail-fast", po::bool_switch(&sweep.fail_fast), "stop at the first failure");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->options.count("jobs") && sweep.jobs < 1) throw UserError("assay run: --jobs is at least 1");
  const auto request = plan_request(arguments, *parsed);
  const auto plan = config::make_plan(request);
  for (const auto& warning : config::shadow_warnings(plan)) std::cerr << warning << "\n";
  sweep.worker = config::worker_program();
  sweep.experiment = plan.results_folder;
  if (!sweep.dry_run) put_in_force(plan);
  const int code = run_sweep(plan.lines, sweep, std::cerr, style_of_stderr());
  if (code == kDone && !sweep.dry_run) std::cerr << "The table: assay compare " << request.file << "\n";
  return code;
}

}  // namespace assay::cli
