#include "report/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "record/controllers.h"
#include "record/plan_line/plan_lines.h"
#include "record/run_status.h"

namespace assay::report {

bool sweep_is_running(const record::ExperimentLayout& experiment) {
  const auto lines = record::read_plan_lines(experiment.plan());
  const auto is_unfinished = [&](const record::PlanLine& line) {
    const auto status = record::run_status(line, experiment.run(line.train_id)).status;
    return status == record::RunStatus::kQueued || status == record::RunStatus::kRunning;
  };
  if (std::any_of(lines.begin(), lines.end(), is_unfinished)) return true;
  return std::ranges::any_of(record::controllers_of(experiment), &record::Controller::alive);
}

std::string state_of_files(const record::ExperimentLayout& experiment) {
  std::string state;
  const auto add = [&](const std::filesystem::path& file) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file, absent);
    if (absent) return;
    const auto time = std::filesystem::last_write_time(file, absent).time_since_epoch().count();
    state += fmt::format("{} {} {}\n", file.string(), size, time);
  };
  add(experiment.plan());
  add(experiment.compare());
  add(experiment.folder() / "looks.json");
  for (const auto& line : record::read_plan_lines(experiment.plan())) {
    const auto run = experiment.run(line.train_id);
    for (const auto& file : {run.train_record(), run.events(), run.state(), run.log()}) add(file);
    for (const auto& evaluation : line.evaluate) add(run.eval_record(evaluation.id));
  }
  return state;
}

}  // namespace assay::report
