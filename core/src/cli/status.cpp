// assay status [X]: shows which runs are done, running (and how far), failed (and why), stopped and queued, per
// experiment.
#include <fmt/format.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "assay/error.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "launch/job.h"
#include "launch/progress.h"
#include "launch/slurm_jobs.h"
#include "record/events.h"
#include "record/orphans.h"
#include "record/plan_line/plan_lines.h"
#include "record/run_status.h"
#include "record/skipped_steps.h"
#include "record/staleness.h"

namespace assay::cli {
namespace {

using nlohmann::json;

// If the cluster does not respond, the status from the runs' own files is still shown.
std::map<std::string, launch::SlurmTaskStatus> slurm_of(const record::ExperimentLayout& experiment) {
  try {
    return launch::runs_on_slurm(experiment);
  } catch (const UserError& error) {
    std::cerr << "note: runs on Slurm are not shown: " << error.what() << "\n";
    return {};
  }
}

// "positional=alibi seed=1  120/977  loss 3.2041  17.0k tokens/s"
std::string progress_text(const launch::Job& job) {
  auto shown = launch::progress_of(job);
  for (const auto& event : record::EventTail(job.run.events(), record::EventTail::From::kBegin).poll())
    launch::apply_event(shown, event);
  launch::apply_evaluation_progress(shown, job.run.progress());
  if (shown.evaluating) shown.seconds += shown.evaluating->seconds;
  return launch::describe(shown);
}

std::string failure_text(const launch::Job& job, const record::RunStatusReport& now) {
  const auto kind = now.failure_class.empty() ? "" : " (" + now.failure_class + ")";
  const auto log = std::filesystem::exists(job.run.log())
                       ? fmt::format("          log: {}\n", base::printable(job.run.log().string()))
                       : "";
  return fmt::format("  failed  {}: {}{}\n{}          run: {}\n", job.name, base::printable(now.reason), kind, log,
                     job.train_id.substr(0, 12));
}

std::string status_text(const record::ExperimentLayout& experiment) {
  std::map<record::RunStatus, size_t> counts;
  size_t stale = 0, skipping = 0;  // done runs that are stale; done runs with skipped steps
  size_t waiting = 0;              // queued runs that wait on Slurm
  // Queried if the runs' own files do not decide a status.
  std::optional<std::map<std::string, launch::SlurmTaskStatus>> slurm;
  std::string details;
  const auto lines = record::with_current_code(record::read_plan_lines(experiment.plan()));
  const auto code = current_training_code();
  for (const auto& line : lines) {
    const auto job = launch::job_of(line, experiment);
    auto now = record::run_status(line, job.run);
    if (now.status != record::RunStatus::kDone && now.status != record::RunStatus::kRunning &&
        now.status != record::RunStatus::kPruned) {
      if (!slurm) slurm = slurm_of(experiment);
      if (const auto there = slurm->find(job.train_id); there != slurm->end()) {
        now = launch::with_slurm(now, job.run, there->second);
        if (there->second.state == launch::SlurmTaskStatus::State::kWaits) ++waiting;
      }
    }
    ++counts[now.status];
    if (now.status == record::RunStatus::kDone && record::is_stale(line, job.run, code)) ++stale;
    if (now.status == record::RunStatus::kDone)
      if (const auto steps = record::skipped_steps_of(job.run); steps.skipped > 0) {
        ++skipping;
        details += fmt::format("  done  {}: {}\n", job.name, record::text_of(steps));
      }
    const auto report = [&](const char* what) {
      details += fmt::format("  {}  {}: {}\n", what, job.name, base::printable(now.reason));
    };
    if (now.status == record::RunStatus::kRunning) details += "  running  " + progress_text(job) + "\n";
    if (now.status == record::RunStatus::kFailed) details += failure_text(job, now);
    if (now.status == record::RunStatus::kPreempted) report("preempted");
    if (now.status == record::RunStatus::kCancelled) report("cancelled");
    if (now.status == record::RunStatus::kPruned) report("pruned");
  }
  const auto skipped = skipping ? fmt::format(" ({} with skipped steps)", skipping) : "";
  auto text = fmt::format("{}: {} done{}, {} running, {} failed, {} queued", experiment.folder().filename().string(),
                          counts[record::RunStatus::kDone], skipped, counts[record::RunStatus::kRunning],
                          counts[record::RunStatus::kFailed], counts[record::RunStatus::kQueued]);
  if (waiting) text += fmt::format(" ({} on Slurm)", waiting);
  const auto add = [&](size_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(counts[record::RunStatus::kPreempted], "preempted");
  add(counts[record::RunStatus::kCancelled], "cancelled");
  add(counts[record::RunStatus::kPruned], "pruned");
  add(stale, "stale");
  const auto orphans = record::orphans_of(experiment, lines).size();
  add(orphans, orphans == 1 ? "orphan" : "orphans");
  return text + "\n" + details;
}

}  // namespace

int status(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, {});
  if (!parsed) return kDone;
  if (parsed->words.size() > 1)
    throw UserError("assay status takes one experiment, or none to show all; see assay status --help");
  if (!parsed->words.empty()) {
    const auto experiment = find_experiment(parsed->words[0]);
    std::cout << status_text(experiment.layout) << std::flush;
    note_other_plan(experiment);
    return kDone;
  }
  const auto experiments = experiments_in(default_results_root());
  for (const auto& experiment : experiments) {
    std::cout << status_text(experiment) << std::flush;
    note_other_plan({experiment, std::nullopt});
  }
  if (experiments.empty()) std::cout << "there are no results in " << default_results_root().string() << "\n";
  return kDone;
}

}  // namespace assay::cli
