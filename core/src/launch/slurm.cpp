#include "launch/slurm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "assay/error.h"
#include "base/files.h"
#include "base/lock.h"
#include "base/text.h"
#include "launch/job.h"
#include "launch/slurm_client.h"
#include "launch/slurm_jobs.h"
#include "launch/trunks.h"
#include "record/plan_line/plan_lines.h"

namespace assay::launch {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<const record::PlanLine*>;

std::string script_of(const SlurmJob& job, const SlurmOptions& options) {
  std::string text = "#!/bin/bash\n# One run per task; written by 'assay run --launcher slurm'.\n";
  for (const auto& line : options.settings.setup) text += line + "\n";
  text += fmt::format("exec {} slurm-task {}", base::shell_quoted(options.assay.string()),
                      base::shell_quoted(job.folder.string()));
  if (!options.settings.wrap.empty()) text += " " + options.settings.wrap;
  return text + "\n";
}

std::string shape_text(const SlurmShape& shape) {
  auto text = base::plural(shape.cores_per_task, "core");
  if (shape.gpus_per_task) text += " and " + base::plural(shape.gpus_per_task, "GPU");
  return shape.tasks == 1 ? text : fmt::format("{} processes with {} each", shape.tasks, text);
}

class Submission {
 public:
  Submission(const SlurmOptions& options, std::ostream& out)
      : options_(options), experiment_(options.experiment), out_(out), on_slurm_(runs_on_slurm(experiment_)) {}

  void run(const std::vector<record::PlanLine>& plan) {
    const auto shapes = to_do(plan);
    size_t runs = 0, arrays = 0;
    const auto longest = shapes.empty() ? 0 : slurm::max_array_size();
    if (!shapes.empty() && longest < 1)
      throw UserError(
          "this cluster has no job arrays (MaxArraySize of scontrol show config is 0); use --launcher local");
    for (const auto& [shape, lines] : shapes) {
      std::vector<std::string> before;  // the arrays of the last level
      for (const auto& level : levels_of(lines)) {
        std::vector<std::string> jobs;
        for (size_t begin = 0; begin < level.size(); begin += static_cast<size_t>(longest), ++arrays) {
          const auto count = std::min(level.size() - begin, static_cast<size_t>(longest));
          const auto first = level.begin() + static_cast<long>(begin);
          jobs.push_back(submit(shape, {first, first + static_cast<long>(count)}, before));
          runs += count;
        }
        before = std::move(jobs);
      }
    }
    out_ << fmt::format("{} of {} {} Slurm in {}", runs, base::plural(plan.size(), "run"),
                        options_.dry_run ? "would be submitted to" : "submitted to", base::plural(arrays, "job array"));
    if (done_) out_ << fmt::format(", {} already complete", done_);
    if (running_) out_ << fmt::format(", {} already running", running_);
    if (there_) out_ << fmt::format(", {} already on Slurm", there_);
    out_ << ".\n" << std::flush;
  }

  // Arrays that Slurm no longer knows have nothing left to start; only the last output of their tasks is lost.
  void forget_ended() {
    for (const auto& job : slurm_jobs(experiment_)) {
      const bool alive = std::any_of(job.runs.begin(), job.runs.end(), [&](const auto& run) {
        const auto found = on_slurm_.find(run);
        return found != on_slurm_.end() && found->second.state != SlurmTaskStatus::State::kGone &&
               found->second.output.parent_path() == job.folder;
      });
      if (!alive) fs::remove_all(job.folder);
    }
  }

 private:
  std::map<SlurmShape, Lines> to_do(const std::vector<record::PlanLine>& plan) {
    std::map<SlurmShape, Lines> shapes;
    for (const auto& line : plan) {
      const auto& id = line.train_id;
      const auto run = experiment_.run(id);
      const auto there = on_slurm_.find(id);
      if (record::has_all_records(line, run))
        ++done_;
      else if (there != on_slurm_.end() && there->second.state != SlurmTaskStatus::State::kGone)
        ++there_;
      else if (base::FileLock::is_held(run.lock()))
        ++running_;
      else
        shapes[slurm_shape(line, !options_.settings.gres.empty())].push_back(&line);
    }
    return shapes;
  }

  // Trunks first, then the runs that leave them, then those that leave these.
  std::vector<Lines> levels_of(const Lines& lines) {
    if (!options_.share_trunks) return {lines};
    std::vector<record::PlanLine> copies;
    std::vector<Job> jobs;
    for (const auto* line : lines) {
      copies.push_back(*line);
      jobs.push_back(job_of(*line, experiment_));
    }
    const auto trunks = share_steps(copies, experiment_, jobs, out_);
    std::vector<Lines> levels;
    for (size_t i = 0; i < lines.size(); ++i) {
      size_t level = 0;
      for (auto trunk = trunks[i]; trunk; trunk = trunks[trunk->run]) ++level;
      if (levels.size() <= level) levels.resize(level + 1);
      levels[level].push_back(lines[i]);
      branches_[lines[i]->train_id] = jobs[i].branches;
      by_id_[lines[i]->train_id] = lines[i];
    }
    return levels;
  }

  // Returns the id of the job. `before`: jobs that must end first.
  std::string submit(const SlurmShape& shape, const Lines& lines, const std::vector<std::string>& before) {
    const auto what = fmt::format("{} of {}", base::plural(lines.size(), "run"), shape_text(shape));
    if (options_.dry_run) {
      out_ << "would submit  " << what << "\n";
      for (const auto* line : lines) out_ << "              " << job_of(*line, experiment_).name << "\n";
      return "";
    }
    auto job = new_slurm_job(experiment_);
    fs::create_directories(job.folder);
    std::string plan;
    for (const auto* line : lines) {
      plan += line->text() + "\n";
      job.runs.push_back(line->train_id);
      job.branches.push_back(branches_[line->train_id]);
    }
    for (const auto& of_run : job.branches)
      for (const auto& branch : of_run) plan += by_id_.at(branch.run)->text() + "\n";
    base::write_atomically(job.plan(), plan);
    base::write_atomically(job.script(), script_of(job, options_));
    write_slurm_job(job);  // before sbatch, so that after a killed controller the job can be found by its name
    auto words = sbatch_options(shape, lines.size(), options_);
    words.push_back("--job-name=" + job.name);
    words.push_back("--output=" + (job.folder / "%a.txt").string());
    if (!before.empty()) words.push_back(fmt::format("--dependency=afterany:{}", fmt::join(before, ":")));
    try {
      job.id = slurm::submit(words, job.script().string());
    } catch (const UserError&) {
      fs::remove_all(job.folder);
      throw;
    }
    write_slurm_job(job);
    out_ << fmt::format("submitted  {}  job {}\n", what, job.id) << std::flush;
    return job.id;
  }

  const SlurmOptions& options_;
  const record::ExperimentLayout experiment_;
  std::ostream& out_;
  const std::map<std::string, SlurmTaskStatus> on_slurm_;
  std::map<std::string, std::vector<record::Branch>> branches_;  // by the train id of their trunk
  std::map<std::string, const record::PlanLine*> by_id_;
  size_t done_ = 0, running_ = 0, there_ = 0;
};

}  // namespace

SlurmShape slurm_shape(const record::PlanLine& line, bool has_gres) {
  const auto& mesh = line.resources.mesh;
  const auto& device = line.resources.device;
  const int ranks = mesh.ranks(), threads = line.resources.threads;
  int gpus = 0;
  if (device != "cpu" && mesh.backend == "nccl")
    gpus = ranks;
  else if (device.starts_with("cuda") || (device == "auto" && has_gres && ranks == 1))
    gpus = 1;
  if (!line.resources.mesh.has_processes()) return {1, threads * ranks, gpus};
  return {ranks, threads, gpus / ranks};
}

std::vector<std::string> sbatch_options(const SlurmShape& shape, size_t runs, const SlurmOptions& options) {
  const auto& settings = options.settings;
  std::vector<std::string> words{fmt::format("--array=0-{}", runs - 1),
                                 fmt::format("--ntasks={}", shape.tasks),
                                 fmt::format("--cpus-per-task={}", shape.cores_per_task),
                                 fmt::format("--signal=B:TERM@{}", settings.grace),
                                 "--requeue",
                                 "--open-mode=append"};
  if (options.jobs > 0) words[0] += fmt::format("%{}", options.jobs);
  const auto gres = settings.gres.empty() ? "gpu" : settings.gres;
  if (shape.gpus_per_task && shape.tasks == 1) words.push_back(fmt::format("--gres={}:{}", gres, shape.gpus_per_task));
  if (shape.gpus_per_task && shape.tasks > 1) {
    const auto colon = gres.find(':');  // the type in gpu:a100
    const auto type = colon == std::string::npos ? "" : gres.substr(colon + 1) + ":";
    words.push_back(fmt::format("--gpus-per-task={}{}", type, shape.gpus_per_task));
  }
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) words.push_back(fmt::format("--{}={}", name, value));
  };
  add("partition", settings.partition);
  add("account", settings.account);
  add("time", settings.time);
  words.insert(words.end(), settings.options.begin(), settings.options.end());
  return words;
}

void submit_to_slurm(const std::vector<record::PlanLine>& plan, const SlurmOptions& options, std::ostream& out) {
  if (options.dry_run) return Submission(options, out).run(plan);
  fs::create_directories(options.experiment);
  const auto lock = base::FileLock::lock(record::ExperimentLayout(options.experiment).lock());
  Submission submission(options, out);
  submission.forget_ended();
  submission.run(plan);
}

}  // namespace assay::launch
