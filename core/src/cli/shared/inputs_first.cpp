#include "cli/shared/inputs_first.h"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <set>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/plan_in_force.h"
#include "plan/experiment_name.h"
#include "record/plan_line/plan_lines.h"
#include "record/plan_line/run_input.h"
#include "record/train_record.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using Missing = std::map<std::string, std::set<std::string>>;  // experiment -> train ids

bool is_there(const record::RunLayout& run) {
  return record::has_record(run.train_record()) && fs::exists(run.weights());
}

// A run that others start from with load = "all" must have its last checkpoint, which is kept only on request.
void require_checkpoints(const std::vector<record::PlanLine>& lines, const std::string& file) {
  for (const auto& line : lines) {
    const auto& init = line.train.init;
    if (!init || init->from.is_null() || init->load != "all") continue;
    const record::RunLayout run(init->from.at("path").get<std::string>());
    std::error_code absent;
    if (is_there(run) && (fs::is_empty(run.checkpoints(), absent) || absent))
      throw UserError(file + ": " + run.checkpoints().string() +
                      ": the folder holds no checkpoint, so there is no optimizer state to load; "
                      "train that run with train.keep = \"all\", or set load = \"weights\"");
  }
}

Missing missing_inputs(const std::vector<record::PlanLine>& lines) {
  Missing missing;
  for (const auto& line : lines)
    for (const auto& inputs : {record::inputs_in(line.train), record::inputs_in(line.evaluate)})
      for (const auto& input : inputs)
        if (!is_there(record::RunLayout(input.at("path").get<std::string>())))
          missing[input.at("experiment")].insert(input.at("train_id").get<std::string>());
  return missing;
}

std::vector<record::PlanLine> chosen(const std::vector<record::PlanLine>& lines, const std::set<std::string>& ids) {
  std::vector<record::PlanLine> all;
  for (const auto& line : lines)
    if (ids.count(line.train_id)) all.push_back(line);
  return all;
}

// The lines of the plan in force if it has them all, otherwise those of the experiment's file, whose plan is then put
// in force.
std::vector<record::PlanLine> lines_of(const std::string& experiment, const std::set<std::string>& ids,
                                       const plan::PlanRequest& request, bool dry_run) {
  const record::ExperimentLayout layout(plan::results_root(request.file) / experiment);
  if (fs::exists(layout.plan()))
    if (auto lines = chosen(record::read_plan_lines(layout.plan()), ids); lines.size() == ids.size()) return lines;
  const auto file = plan::file_of_experiment(experiment, request.file);
  if (!file)
    throw UserError(fmt::format(
        "the plan of '{}' is missing, and no experiment file has this name; restore one of them", experiment));
  auto plan = plan::make_plan({file->string(), {}, request.plugin_path});
  if (!dry_run) put_in_force(plan);
  return chosen(plan.lines, ids);
}

}  // namespace

int run_inputs_first(const std::vector<record::PlanLine>& lines, bool with_inputs, const plan::PlanRequest& request,
                     const launch::SweepOptions& sweep) {
  const auto missing = missing_inputs(lines);
  if (!with_inputs && !missing.empty()) {
    std::string names;
    for (const auto& [experiment, ids] : missing)
      names +=
          fmt::format("{}{} ({} run{})", names.empty() ? "" : ", ", experiment, ids.size(), ids.size() == 1 ? "" : "s");
    throw UserError(
        fmt::format("{}: input runs are not finished or have no weights: {}; "
                    "run them first with --with-inputs, which requires the local launcher, or run their experiments",
                    request.file, names));
  }
  for (const auto& [experiment, ids] : missing) {
    const auto inputs = lines_of(experiment, ids, request, sweep.dry_run);
    if (const int code = run_inputs_first(inputs, true, request, sweep); code != kDone) return code;
    std::cerr << "Inputs of " << experiment << ":\n";
    auto options = sweep;
    options.pruning.reset();  // pruning belongs to the experiment that takes the inputs
    options.experiment = plan::results_root(request.file) / experiment;
    if (const int code = launch::run_sweep(inputs, options, std::cerr, launch::style_of_stderr()); code != kDone)
      return code;
  }
  require_checkpoints(lines, request.file);
  if (!sweep.dry_run && !missing_inputs(lines).empty())
    throw UserError(request.file +
                    ": an input run has records but no weights, because it ran with train.keep = \"none\"; "
                    "set train.keep = \"weights\" in its file and remove the folders of its runs");
  return kDone;
}

}  // namespace assay::cli
