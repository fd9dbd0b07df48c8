// assay stop X: signals the controllers and workers of an experiment to checkpoint and exit.
#include <fmt/format.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/holder.h"
#include "base/lock.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/options.h"
#include "launch/slurm_jobs.h"
#include "record/controllers.h"
#include "record/plan_line/plan_lines.h"
#include "record/provenance.h"
#include "record/state.h"

namespace assay::cli {
namespace {

struct StopRequests {
  size_t controllers = 0, runs = 0;
  std::string elsewhere;  // one line per process
};

void request_controllers(const record::ExperimentLayout& experiment, StopRequests& requests) {
  for (const auto& controller : record::controllers_of(experiment)) {
    if (!controller.alive) continue;
    if (controller.host != record::host_name())
      requests.elsewhere += fmt::format("  a controller on {}, process {}\n", controller.host, controller.pid);
    else if (base::signal_holder(controller.pid, controller.file, SIGUSR1))
      ++requests.controllers;
  }
}

// Also signals workers whose controller was killed. A worker that its controller signals, too, stops once.
void request_worker(const record::PlanLine& line, const record::RunLayout& run, StopRequests& requests) {
  if (!base::FileLock::is_held(run.lock())) return;
  const auto state = record::read_state(run.state());
  if (!state) return;
  if (!state->host.empty() && state->host != record::host_name())
    requests.elsewhere += fmt::format("  {} seed={} on {}, process {}\n", base::printable(line.label), line.seed,
                                      state->host, state->pid);
  else if (base::signal_holder(state->pid, run.lock(), SIGUSR1))
    ++requests.runs;
}

// A running task also checkpoints, and it is not requeued. An error of the cluster is reported and stops nothing else.
size_t cancel_slurm_tasks(const record::ExperimentLayout& experiment) {
  try {
    return launch::cancel_on_slurm(experiment);
  } catch (const UserError& error) {
    fmt::print("Runs on Slurm are not cancelled: {}\n", error.what());
    return 0;
  }
}

}  // namespace

int stop(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, {});
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay stop takes one experiment, a TOML file or a name; see assay stop --help");
  const auto experiment = find_experiment(parsed->words[0]).layout;
  const auto lines = record::read_plan_lines(experiment.plan());
  StopRequests requests;
  request_controllers(experiment, requests);  // first, or they would start the next run
  for (const auto& line : lines) request_worker(line, experiment.run(line.train_id), requests);
  const auto off_slurm = cancel_slurm_tasks(experiment);
  const auto plural = [](size_t count) { return count == 1 ? "" : "s"; };
  if (requests.controllers + requests.runs > 0)
    fmt::print(
        "Signalled {} controller{} and {} run{} to stop; a run checkpoints first. "
        "To stop at once, repeat the command.\n",
        requests.controllers, plural(requests.controllers), requests.runs, plural(requests.runs));
  if (off_slurm > 0) fmt::print("Cancelled {} run{} on Slurm.\n", off_slurm, plural(off_slurm));
  if (requests.controllers + requests.runs + off_slurm == 0)
    fmt::print("No process of {} runs on this machine.\n", experiment.folder().filename().string());
  if (!requests.elsewhere.empty())
    fmt::print("These processes run on other machines; stop them there:\n{}", requests.elsewhere);
  return kDone;
}

}  // namespace assay::cli
