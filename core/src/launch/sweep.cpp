#include "launch/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/cores.h"
#include "base/lock.h"
#include "base/printable.h"
#include "launch/gpus.h"
#include "launch/trunks.h"
#include "record/controllers.h"
#include "record/plan_line/plan_lines.h"
#include "record/run_status.h"
#include "record/state.h"

namespace assay::launch {
namespace {

std::string text_of(const std::vector<record::PlanLine>& plan) {
  std::string text;
  for (const auto& line : plan) text += line.text() + "\n";
  return text;
}

std::string summary_text(const LaunchSummary& summary, size_t done_before, size_t done_elsewhere, size_t pruned) {
  auto text = fmt::format("{} done", summary.done);
  const auto add = [&](size_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(done_before, "already complete");
  add(summary.failed, "failed");
  add(summary.cancelled, "cancelled");
  add(summary.preempted, "preempted");
  add(done_elsewhere, "done by another process");
  add(summary.elsewhere, "still running in another process");
  add(summary.not_started, "not started");
  add(pruned, "pruned");
  return text;
}

int exit_code(const LaunchSummary& summary) {
  if (summary.signal == SIGUSR1 || summary.signal == SIGUSR2) return record::kExitStopped;  // from assay stop
  if (summary.signal != 0) return 128 + summary.signal;
  if (summary.failed + summary.elsewhere + summary.not_started > 0) return 1;
  return summary.cancelled + summary.preempted > 0 ? record::kExitStopped : 0;
}

class Sweep {
 public:
  Sweep(const std::vector<record::PlanLine>& plan, const SweepOptions& options, std::ostream& out,
        const ProgressStyle& style)
      : experiment_(options.experiment), options_(options), out_(out), style_(style), left_(plan) {
    for (const auto& line : plan) done_before_ += record::has_all_records(line, experiment_.run(line.train_id));
  }

  int run() {
    const size_t planned = left_.size();
    if (options_.dry_run) {
      const auto jobs = jobs_of(to_do(0));
      for (const auto& job : jobs) out_ << "would run  " << job.name << "  (" << job.train_id.substr(0, 12) << ")\n";
      out_ << fmt::format("{} of {} runs have no complete record.\n", jobs.size(), planned);
      return 0;
    }
    if (done_before_ == planned || !options_.pruning || halve()) launch_all(0);
    const auto done_elsewhere = count_done_elsewhere();
    out_ << summary_text(total_, done_before_, done_elsewhere, planned - left_.size())
         << ". Records: " << (options_.experiment / "runs").string() << "\n";
    return exit_code(total_);
  }

 private:
  // Counts the runs that another process held when their turn came and has finished. Those that it ended in another way
  // count by their current status.
  size_t count_done_elsewhere() {
    size_t done = 0;
    for (const auto& line : left_) {
      if (!elsewhere_.count(line.train_id)) continue;
      const auto now = record::run_status(line, experiment_.run(line.train_id)).status;
      done += now == record::RunStatus::kDone;
      total_.elsewhere += now == record::RunStatus::kRunning;
      total_.failed += now == record::RunStatus::kFailed;
      total_.cancelled += now == record::RunStatus::kCancelled;
      total_.preempted += now == record::RunStatus::kPreempted;
      total_.not_started += now == record::RunStatus::kQueued;
    }
    return done;
  }

  // Runs rung by rung. Returns false if this must be continued another time.
  bool halve() {
    const auto& settings = options_.pruning->settings;
    for (size_t rung = 0; rung < settings.rungs.size(); ++rung) {
      launch_all(rung + 1);
      if (options_.fail_fast && total_.failed > 0) return false;
      if (total_.signal != 0 || total_.not_started + total_.cancelled + total_.preempted > 0) return false;
      const auto verdict = judge(left_, experiment_, *options_.pruning, rung);
      if (!verdict.judged) {
        out_ << "The rung " << base::text_of(settings.rungs[rung])
             << " cannot be judged until all runs have reached it; run again then.\n";
        return false;
      }
      if (verdict.not_judged > 0)
        out_ << fmt::format("{} group{} without a value of {} at the rung {} cannot be judged and continue\n",
                            verdict.not_judged, verdict.not_judged == 1 ? "" : "s", settings.metric,
                            base::text_of(settings.rungs[rung]));
      prune(verdict);
    }
    return true;
  }

  // A held lock means that another controller runs it, whose plan is not pruned.
  void prune(const RungVerdict& verdict) {
    for (const auto& line : left_) {
      const auto reason = verdict.pruned.find(line.group);
      const auto job = job_of(line, experiment_);
      if (reason == verdict.pruned.end() || record::has_all_records(line, job.run)) continue;
      const auto lock = base::FileLock::try_lock(job.run.lock());
      if (!lock) continue;
      auto state = record::read_state(job.run.state()).value_or(record::State{});
      state.status = record::RunStatus::kPruned;
      state.reason = reason->second;
      record::write_state(job.run.state(), state);
      out_ << "pruned " << job.name << ": " << base::printable(state.reason) << "\n";
    }
    std::erase_if(left_, [&](const record::PlanLine& line) { return verdict.pruned.count(line.group) > 0; });
  }

  // The runs without a complete record; for a rung (from 1; 0: to the end) only those that have not reached it.
  std::vector<record::PlanLine> to_do(size_t rung) const {
    std::vector<record::PlanLine> lines;
    for (const auto& line : left_) {
      const auto run = experiment_.run(line.train_id);
      if (record::has_all_records(line, run) || total_.failed_ids.count(line.train_id)) continue;
      if (rung == 0 || !has_reached(line, run, step_of(line, rung))) lines.push_back(line);
    }
    return lines;
  }

  std::int64_t step_of(const record::PlanLine& line, size_t rung) const {
    return rung == 0 ? options_.until : study::rung_step(options_.pruning->settings, rung - 1, line);
  }

  std::vector<Job> jobs_of(const std::vector<record::PlanLine>& lines) const {
    std::vector<Job> jobs;
    for (const auto& line : lines) jobs.push_back(job_of(line, experiment_));
    return jobs;
  }

  void launch_all(size_t rung) {
    const auto lines = to_do(rung);
    if (lines.empty()) return;
    auto jobs = jobs_of(lines);
    for (size_t i = 0; i < jobs.size(); ++i) jobs[i].until = step_of(lines[i], rung);
    if (options_.share_trunks && !options_.exclusive) share_steps(lines, experiment_, jobs, out_);
    SlotPool slots(slots_folder(), base::core_names(), visible_gpus());
    const int at_once = options_.exclusive ? 1 : options_.jobs > 0 ? options_.jobs : default_jobs(jobs, slots.cores());
    out_ << fmt::format("Running {} of {} runs{}, at most {} at once.\n", jobs.size(), left_.size(),
                        rung == 0 ? "" : " up to the rung " + base::text_of(options_.pruning->settings.rungs[rung - 1]),
                        at_once)
         << std::flush;
    const record::ControllerPlan own(experiment_, text_of(lines));
    const LaunchOptions launching{.files = {options_.worker, options_.experiment, own.file()},
                                  .jobs = options_.jobs,
                                  .exclusive = options_.exclusive,
                                  .fail_fast = options_.fail_fast,
                                  .retries = options_.retries,
                                  .timeout = options_.timeout};
    Progress progress(out_, style_, jobs.size(), at_once);
    for (const auto& line : lines) elsewhere_.erase(line.train_id);  // this process may run them this time
    add(launch(jobs, lines, launching, slots, progress));
  }

  void add(const LaunchSummary& one) {
    total_.done += one.done;
    total_.failed += one.failed;
    total_.cancelled += one.cancelled;
    total_.preempted += one.preempted;
    elsewhere_.insert(one.elsewhere_ids.begin(), one.elsewhere_ids.end());
    total_.not_started += one.not_started;
    if (total_.signal == 0) total_.signal = one.signal;
    total_.failed_ids.insert(one.failed_ids.begin(), one.failed_ids.end());
  }

  const record::ExperimentLayout experiment_;
  const SweepOptions& options_;
  std::ostream& out_;
  const ProgressStyle& style_;
  std::vector<record::PlanLine> left_;  // the plan's lines without the pruned ones
  size_t done_before_ = 0;
  std::set<std::string> elsewhere_;  // train ids that another process held
  LaunchSummary total_;
};

}  // namespace

int run_sweep(const std::vector<record::PlanLine>& plan, const SweepOptions& options, std::ostream& out,
              const ProgressStyle& style) {
  ::signal(SIGPIPE, SIG_IGN);  // the sweep continues if the reader of its progress exits
  return Sweep(plan, options, out, style).run();
}

}  // namespace assay::launch
