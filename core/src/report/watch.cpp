#include "report/watch.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "record/plan_lines.h"
#include "record/run_status.h"

namespace assay {
namespace {

// Of plan.<pid>.jsonl, which a controller keeps while it is at work.
bool is_alive(const std::filesystem::path& plan_of_controller) {
  const auto name = plan_of_controller.filename().string();
  constexpr std::string_view begin = "plan.", end = ".jsonl";
  if (!name.starts_with(begin) || !name.ends_with(end) || name.size() <= begin.size() + end.size()) return false;
  int pid = 0;
  const char* last = name.data() + name.size() - end.size();
  const auto [rest, error] = std::from_chars(name.data() + begin.size(), last, pid);
  return error == std::errc() && rest == last && pid > 0 && ::kill(pid, 0) == 0;
}

}  // namespace

bool sweep_goes_on(const ExperimentLayout& experiment) {
  const auto lines = read_plan_lines(experiment.plan());
  const auto unsettled = [&](const nlohmann::json& line) {
    const auto standing = run_status(line, experiment.run(line.at("train_id"))).standing;
    return standing == Standing::kQueued || standing == Standing::kRunning;
  };
  if (std::any_of(lines.begin(), lines.end(), unsettled)) return true;
  std::error_code absent;
  const std::filesystem::directory_iterator files(experiment.folder(), absent);
  return std::any_of(begin(files), end(files), [](const auto& entry) { return is_alive(entry.path()); });
}

std::string state_of_files(const ExperimentLayout& experiment) {
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
  for (const auto& line : read_plan_lines(experiment.plan())) {
    const auto run = experiment.run(line.at("train_id"));
    for (const auto& file : {run.train_record(), run.events(), run.state(), run.log()}) add(file);
    for (const auto& evaluation : line.value("evaluate", nlohmann::json::array()))
      add(run.eval_record(evaluation.at("id").get<std::string>()));
  }
  return state;
}

}  // namespace assay
