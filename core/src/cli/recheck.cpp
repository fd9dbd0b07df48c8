// assay recheck X.toml: tests whether the records of older code are valid for today's code. Replays the first steps of
// one seed per group, and where every logged number is bitwise equal, accepts today's code for each of the group's
// runs.
#include <fmt/format.h>

#include <iostream>
#include <map>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/scratch.h"
#include "cli/shared/until_decided.h"
#include "launch/sweep.h"
#include "plan/plan.h"
#include "record/events.h"
#include "record/layout.h"
#include "record/staleness.h"
#include "record/train_record.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using nlohmann::json;

// The logged steps up to `last`, by step, without measurements.
std::map<int64_t, json> steps_of(const record::RunLayout& run, int64_t last) {
  std::map<int64_t, json> steps;
  for (auto event : record::read_events(run.events())) {
    const auto step = event.value("step", int64_t{0});
    if (event.value("type", "") != "step" || step > last) continue;
    event.erase("measured");
    event.erase("attempt");
    steps[step] = std::move(event);
  }
  return steps;
}

struct Stale {
  const record::PlanLine* line;
  json record;
};

// Runs of a group whose records were made by one code, in the order of the seeds.
using Group = std::vector<Stale>;

std::vector<Group> stale_groups(const plan::Plan& plan, const record::ExperimentLayout& experiment) {
  std::vector<Group> groups;
  std::map<std::pair<std::string, std::string>, size_t> index;
  for (const auto& line : plan.lines) {
    const auto run = experiment.run(line.train_id);
    if (!record::has_record(run.train_record())) continue;
    auto record = json::parse(base::read_file(run.train_record()));
    if (record::freshness(record, run, line, plan.training_code).stale.empty()) continue;
    const auto [found, is_new] = index.try_emplace({line.group, record.at("code").dump()}, groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back({&line, std::move(record)});
  }
  return groups;
}

// Compares a replay with the log: empty if all numbers are bitwise equal, otherwise the first difference.
std::string difference(const std::map<int64_t, json>& before, const std::map<int64_t, json>& now) {
  if (before.empty()) return "its log has no steps";
  for (const auto& [step, event] : before) {
    const auto found = now.find(step);
    if (found == now.end()) return fmt::format("the replay did not reach step {}", step);
    for (const auto& [key, value] : event.items())
      if (const auto other = found->second.value(key, json()); other != value)
        return fmt::format("at step {} '{}' was {} and is now {}", step, key, value.dump(), other.dump());
  }
  return "";
}

}  // namespace

int recheck(const Arguments& arguments) {
  int64_t steps = 0;
  auto options = plan_options();
  options.add_options()("steps", po::value(&steps)->default_value(50)->value_name("K"), "number of steps to replay");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (steps < 1) throw UserError("assay recheck: --steps must be at least 1");
  const auto plan = plan_of_study(plan_request(arguments, *parsed));
  note_other_plan(plan);
  const record::ExperimentLayout experiment(plan.results_folder);
  const auto groups = stale_groups(plan, experiment);
  if (groups.empty()) {
    std::cout << plan.experiment << ": no training record is stale\n";
    return kDone;
  }
  const auto scratch = plan.results_folder / ".recheck";
  const auto lock = empty_scratch(scratch);
  std::vector<record::PlanLine> lines;
  for (const auto& group : groups) {
    auto line = *group.front().line;
    line.trackers.clear();
    line.evaluate.clear();
    line.checkpoint = {.every = 0, .keep = "none"};
    line.source.git_commit = line.source.git_dirty = "";
    lines.push_back(std::move(line));
  }
  launch::SweepOptions sweep;
  sweep.worker = worker::worker_program();
  sweep.experiment = scratch;
  sweep.until = steps;
  sweep.share_trunks = false;  // every group is replayed
  if (const int code = launch::run_sweep(lines, sweep, std::cerr, launch::style_of_stderr()); code != kDone)
    return code;
  bool all = true;
  for (const auto& group : groups) {
    const auto& line = *group.front().line;
    const auto label = base::printable(line.label), id = line.train_id;
    const auto before = steps_of(experiment.run(id), steps);
    const auto wrong = difference(before, steps_of(record::ExperimentLayout(scratch).run(id), steps));
    if (wrong.empty()) {
      for (const auto& [stale, record] : group)
        record::accept_code(record, experiment.run(stale->train_id), *stale, plan.training_code,
                            before.rbegin()->first);
      fmt::print("{}: bitwise equal up to step {} (seed {}); today's code is accepted for {} run{}\n", label,
                 before.rbegin()->first, line.seed, group.size(), group.size() == 1 ? "" : "s");
    } else {
      all = false;
      fmt::print("{}: NOT equal (seed {}): {}; its records remain stale\n", label, line.seed, wrong);
    }
  }
  fs::remove_all(scratch);
  return all ? kDone : kRunFailed;
}

}  // namespace assay::cli
