#include "launch/slurm_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "assay/error.h"
#include "base/files.h"
#include "base/lock.h"
#include "launch/slurm_client.h"
#include "record/state.h"

namespace assay::launch {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path folder_of(const record::ExperimentLayout& experiment) { return experiment.folder() / "slurm"; }
fs::path description_of(const fs::path& folder) { return folder / "job.json"; }

}  // namespace

SlurmJob new_slurm_job(const record::ExperimentLayout& experiment) {
  std::random_device random;
  SlurmJob job;
  job.name = fmt::format("assay-{}-{:08x}", experiment.folder().filename().string(), random());
  job.folder = folder_of(experiment) / job.name;
  return job;
}

void write_slurm_job(const SlurmJob& job) {
  auto branches = json::array();
  for (const auto& of_run : job.branches) branches.push_back(record::text_of(of_run));
  const json text{{"schema", 1}, {"name", job.name}, {"job", job.id}, {"runs", job.runs}, {"branches", branches}};
  base::write_atomically(description_of(job.folder), text.dump() + "\n");
}

SlurmJob read_slurm_job(const fs::path& folder) {
  const auto text = json::parse(base::read_file(description_of(folder)), nullptr, /*allow_exceptions=*/false);
  if (!text.is_object() || text.value("schema", 0) != 1)
    throw UserError(description_of(folder).string() +
                    ": the file does not describe a job array of schema 1; remove its folder");
  SlurmJob job{folder, text.at("name"), text.at("job"), text.at("runs").get<std::vector<std::string>>()};
  for (const auto& of_run : text.value("branches", json::array()))
    job.branches.push_back(record::parse_branches(of_run.get<std::string>()));
  return job;
}

std::vector<SlurmJob> slurm_jobs(const record::ExperimentLayout& experiment) {
  std::vector<SlurmJob> jobs;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder_of(experiment), absent))
    if (fs::exists(description_of(entry.path()))) jobs.push_back(read_slurm_job(entry.path()));
  std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return jobs;
}

std::map<std::string, SlurmTaskStatus> runs_on_slurm(const record::ExperimentLayout& experiment) {
  const auto jobs = slurm_jobs(experiment);
  std::vector<std::string> names;
  for (const auto& job : jobs) names.push_back(job.name);
  std::map<std::pair<std::string, long>, slurm::Task> tasks;
  for (auto& task : slurm::queue(names)) tasks.insert_or_assign({task.job_name, task.index}, task);
  std::map<std::string, SlurmTaskStatus> runs;
  for (const auto& job : jobs)
    for (size_t i = 0; i < job.runs.size(); ++i) {
      SlurmTaskStatus here;
      here.output = job.output(i);
      here.cancelled = job.cancelled(i);
      if (const auto task = tasks.find({job.name, static_cast<long>(i)}); task != tasks.end()) {
        here.state = task->second.running ? SlurmTaskStatus::State::kRuns : SlurmTaskStatus::State::kWaits;
        here.task = fmt::format("{}_{}", task->second.job, i);
      } else if (job.id.empty()) {
        continue;  // its controller ended before it could submit
      }
      const auto [known, is_new] = runs.try_emplace(job.runs[i], here);
      if (!is_new && here.state != SlurmTaskStatus::State::kGone) known->second = here;
    }
  return runs;
}

record::RunStatusReport with_slurm(record::RunStatusReport now, const record::RunLayout& run,
                                   const SlurmTaskStatus& on_slurm) {
  if (on_slurm.state == SlurmTaskStatus::State::kRuns) return {record::RunStatus::kRunning, ""};
  if (on_slurm.state == SlurmTaskStatus::State::kWaits) return {record::RunStatus::kQueued, ""};
  const auto state = record::read_state(run.state());
  if (now.status != record::RunStatus::kQueued || (state && state->status != record::RunStatus::kRunning)) return now;
  if (!fs::exists(on_slurm.output) && !state)
    return {record::RunStatus::kCancelled,
            "left Slurm's queue before it started (cancelled by scancel or by the cluster)"};
  return {record::RunStatus::kFailed,
          "ended on Slurm without a message (time limit, memory or node)" +
              (fs::exists(on_slurm.output) ? "; its task's output: " + on_slurm.output.string() : "")};
}

size_t cancel_on_slurm(const record::ExperimentLayout& experiment) {
  std::vector<std::string> tasks, waiting;
  std::vector<fs::path> marks;
  for (const auto& [id, run] : runs_on_slurm(experiment)) {
    if (run.task.empty()) continue;
    tasks.push_back(run.task);
    marks.push_back(run.cancelled);
    if (run.state == SlurmTaskStatus::State::kWaits) waiting.push_back(id);
  }
  for (const auto& mark : marks) base::write_atomically(mark, "");  // the mark must exist before the signal arrives
  try {
    slurm::cancel(tasks);
  } catch (const UserError&) {  // the tasks continue, and a later signal has another cause
    for (const auto& mark : marks) fs::remove(mark);
    throw;
  }
  for (const auto& id : waiting) {
    const auto run = experiment.run(id);
    fs::create_directories(run.folder());
    const auto lock = base::FileLock::try_lock(run.lock());
    if (!lock) continue;  // it has started, and writes its own state
    auto state = record::read_state(run.state()).value_or(record::State{});
    state.status = record::RunStatus::kCancelled;
    state.reason = "cancelled on Slurm before it started";
    record::write_state(run.state(), state);
  }
  return tasks.size();
}

}  // namespace assay::launch
