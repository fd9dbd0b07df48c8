#include "launch/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "config/plan_line.h"
#include "record/files.h"
#include "record/plan_lines.h"
#include "record/provenance.h"

namespace assay {
namespace {

std::string text_of(const std::vector<nlohmann::json>& plan) {
  std::string text;
  for (const auto& line : plan) text += config::plan_text(line) + "\n";
  return text;
}

// A running controller keeps its own plan: another one may replace plan.jsonl before our last worker has started.
class OwnPlan {
 public:
  OwnPlan(const ExperimentLayout& experiment, const std::vector<nlohmann::json>& plan)
      : file_(experiment.folder() / fmt::format("plan.{}.jsonl", ::getpid())) {
    std::filesystem::create_directories(experiment.folder());
    write_atomically(file_, text_of(plan));
  }
  ~OwnPlan() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }
  OwnPlan(const OwnPlan&) = delete;
  OwnPlan& operator=(const OwnPlan&) = delete;
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

std::string summary_text(const LaunchSummary& summary, size_t done_before) {
  auto text = fmt::format("{} done", summary.done);
  if (done_before) text += fmt::format(", {} had their records already", done_before);
  if (summary.failed) text += fmt::format(", {} failed", summary.failed);
  if (summary.cancelled) text += fmt::format(", {} stopped", summary.cancelled);
  if (summary.elsewhere) text += fmt::format(", {} run by another process", summary.elsewhere);
  if (summary.not_started) text += fmt::format(", {} not started", summary.not_started);
  return text;
}

}  // namespace

int run_sweep(const std::vector<nlohmann::json>& plan, const SweepOptions& options, std::ostream& out,
              const ProgressStyle& style) {
  const ExperimentLayout experiment(options.experiment);
  std::vector<nlohmann::json> lines;
  std::vector<Job> jobs;
  for (const auto& line : plan) {
    auto job = job_of(line, experiment);
    if (has_all_records(line, job.run)) continue;
    lines.push_back(line);
    jobs.push_back(std::move(job));
  }
  const size_t done_before = plan.size() - jobs.size();
  if (options.dry_run) {
    for (const auto& job : jobs) out << "would run  " << job.name << "  (" << job.train_id.substr(0, 12) << ")\n";
    out << fmt::format("{} of {} runs have no complete record.\n", jobs.size(), plan.size());
    return 0;
  }
  LaunchSummary summary;
  if (!jobs.empty()) {
    const int at_once = options.jobs > 0 ? options.jobs : default_jobs(jobs, available_cores());
    out << fmt::format("{} of {} runs to do, at most {} at once.\n", jobs.size(), plan.size(), at_once) << std::flush;
    const OwnPlan own(experiment, lines);
    LaunchOptions launching;
    launching.worker = options.worker;
    launching.experiment = options.experiment;
    launching.plan = own.file();
    launching.jobs = at_once;
    launching.fail_fast = options.fail_fast;
    Progress progress(out, style, jobs.size(), at_once);
    summary = launch(jobs, lines, launching, progress);
  }
  out << summary_text(summary, done_before) << ". Records: " << (options.experiment / "runs").string() << "\n";
  if (summary.interrupted) return 130;
  return summary.failed + summary.cancelled + summary.elsewhere + summary.not_started > 0 ? 1 : 0;
}

}  // namespace assay
