// assay gc X: lists the unreferenced files of an experiment's results, and removes them with --yes.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "base/lock.h"
#include "cli/shared/cli.h"
#include "cli/shared/named_experiment.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "launch/slurm_jobs.h"
#include "record/controllers.h"
#include "record/orphans.h"
#include "record/plan_line/plan_lines.h"
#include "record/plan_line/run_input.h"
#include "record/train_record.h"

namespace assay::cli {
namespace fs = std::filesystem;

namespace {

struct UnreferencedFile {
  fs::path path;
  std::string what;
};

std::uintmax_t size_of(const fs::path& path) {
  std::error_code gone;
  if (!fs::is_directory(path, gone)) return fs::exists(path, gone) ? fs::file_size(path, gone) : 0;
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path, gone))
    if (entry.is_regular_file(gone)) bytes += entry.file_size(gone);
  return bytes;
}

void find_unfinished(const fs::path& folder, std::vector<UnreferencedFile>& found) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent))
    if (entry.path().filename().string().find(".part") != std::string::npos)
      found.push_back({entry.path(), "its write did not complete"});
}

std::vector<UnreferencedFile> unreferenced_files(const record::PlanLine& line, const record::RunLayout& run) {
  std::vector<UnreferencedFile> found;
  for (const auto& folder : {run.folder(), run.eval_records()}) find_unfinished(folder, found);
  const bool keeps_all = line.checkpoint.keep == "all";
  if (record::has_all_records(line, run) && !keeps_all && fs::exists(run.checkpoints()))
    found.push_back({run.checkpoints(), "checkpoints of a run that is done"});
  else
    find_unfinished(run.checkpoints(), found);
  return found;
}

// Adds the lines of the plans that controllers and Slurm's tasks carry out, which may be older than the plan in force.
std::vector<record::PlanLine> lines_at_work(const record::ExperimentLayout& experiment,
                                            std::vector<record::PlanLine> lines) {
  const auto add = [&](const fs::path& plan) {
    if (!fs::exists(plan)) return;
    const auto more = record::read_plan_lines(plan);
    lines.insert(lines.end(), more.begin(), more.end());
  };
  for (const auto& controller : record::controllers_of(experiment))
    if (controller.alive) add(controller.file);
  for (const auto& job : launch::slurm_jobs(experiment)) add(job.plan());
  return lines;
}

// Ids of runs that other experiments' plans take as inputs.
std::set<std::string> inputs_of_others(const record::ExperimentLayout& experiment) {
  std::set<std::string> ids;
  std::error_code gone;
  for (const auto& folder : fs::directory_iterator(experiment.folder().parent_path(), gone)) {
    const record::ExperimentLayout other(folder.path());
    if (!fs::exists(other.plan(), gone)) continue;
    for (const auto& line : record::read_plan_lines(other.plan()))
      for (const auto& input : record::inputs_in(line.to_json())) ids.insert(input.value("train_id", ""));
  }
  return ids;
}

class Collector {
 public:
  explicit Collector(bool removes) : removes_(removes) {}

  // The files of a running run are left alone.
  void take(const record::RunLayout& run, const std::vector<UnreferencedFile>& found) {
    if (found.empty() || base::FileLock::is_held(run.lock())) return;
    if (!removes_) return take(found);
    if (const auto lock = base::FileLock::try_lock(run.lock())) take(found);
  }
  void take(const std::vector<UnreferencedFile>& found) {
    for (const auto& [path, what] : found) {
      const auto bytes = size_of(path);
      fmt::print("{}  {:.1f} MB  {}: {}\n", removes_ ? "removed" : "would remove", static_cast<double>(bytes) / 1e6,
                 path.string(), what);
      if (removes_) fs::remove_all(path);
      bytes_ += bytes;
      ++count_;
    }
  }
  void sum() const {
    if (count_ == 0)
      fmt::print("There is nothing to remove.\n");
    else
      fmt::print("Total: {:.1f} MB in {} files and folders{}\n", static_cast<double>(bytes_) / 1e6, count_,
                 removes_ ? "." : "; --yes removes them.");
  }

 private:
  bool removes_;
  std::uintmax_t bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace

int gc(const Arguments& arguments) {
  boost::program_options::options_description options;
  options.add_options()("yes", "remove the files and folders instead of only listing them");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay gc takes one experiment, a TOML file or a name; see assay gc --help");
  const auto named = find_experiment(parsed->words[0]);
  note_other_plan(named);  // runs of the file's own plan may be outside the plan in force
  const auto& experiment = named.layout;
  const auto lock = base::FileLock::lock(experiment.lock());  // keeps controllers from putting another plan in force
  const auto lines = record::read_plan_lines(experiment.plan());
  Collector collector(parsed->options.count("yes") > 0);
  for (const auto& controller : record::controllers_of(experiment))
    if (!controller.alive) collector.take({{controller.file, "plan of a controller that was killed"}});
  for (const auto& line : lines) {
    const auto run = experiment.run(line.train_id);
    collector.take(run, unreferenced_files(line, run));
  }
  const auto orphans = record::orphans_of(experiment, lines_at_work(experiment, lines));
  const auto needed = orphans.empty() ? std::set<std::string>() : inputs_of_others(experiment);
  for (const auto& run : orphans)
    if (!needed.count(run.folder().filename()))
      collector.take(run,
                     {{run.folder(), record::has_record(run.train_record()) ? "a run outside the plan, with its records"
                                                                            : "a run outside the plan, unfinished"}});
  const auto smoke = experiment.folder().parent_path() / ".smoke" / experiment.folder().filename();
  if (fs::exists(smoke))
    if (const auto at_work = base::FileLock::try_lock(smoke.string() + ".lock"))
      collector.take({{smoke, "results of --smoke"}});
  collector.sum();
  return kDone;
}

}  // namespace assay::cli
