#include "plan/run_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/nearest.h"
#include "plan/experiment_name.h"
#include "record/layout.h"
#include "record/plan_line/plan_lines.h"
#include "record/plan_line/run_input.h"
#include "sweep/selector.h"

namespace assay::plan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kRunForm = "{ experiment = \"..\", where = { key = value }, seed = \"same\" or a number }";

fs::path runs_of(const std::string& file, const std::string& experiment) {
  return record::ExperimentLayout(results_root(file) / experiment).run("").folder();
}

}  // namespace

const RunInputs::Lines& RunInputs::in_force(const std::string& experiment) {
  const auto [found, is_new] = in_force_.try_emplace(experiment);
  const record::ExperimentLayout layout(results_root(file_) / experiment);
  std::error_code ignored;
  if (is_new && fs::exists(layout.plan(), ignored)) found->second = record::read_plan_lines(layout.plan());
  return found->second;
}

const RunInputs::Lines& RunInputs::of_file(const std::string& experiment) {
  const auto [found, is_new] = of_file_.try_emplace(experiment);
  if (!is_new) return found->second;
  const auto file = file_of_experiment(experiment, file_);
  if (!file) return found->second;
  auto requested_by = requested_by_;
  requested_by.push_back(fs::weakly_canonical(file_).string());
  const auto own = fs::weakly_canonical(*file).string();
  if (std::find(requested_by.begin(), requested_by.end(), own) != requested_by.end())
    throw UserError(fmt::format("{}: the experiment takes its own runs as inputs, through {}", file->string(), file_));
  found->second = lines_of_file_(file->string(), requested_by);
  return found->second;
}

// Returns null and sets the reason if the lines have no such runs, or several groups of them.
json RunInputs::choose(const Lines& lines, const document::Node& node, const std::string& experiment,
                       std::string& why) const {
  const auto& table = *node.as<document::Table>();
  document::Diagnostics wrong;  // reported once, by find
  const auto* where = table.find("where");
  const auto candidates = sweep::pointers_to(lines);
  const auto selector =
      where ? std::optional(sweep::resolved(sweep::read_selector(*where, wrong), candidates)) : std::nullopt;
  std::map<std::string, std::string> labels;  // by group
  json seeds = json::object();
  for (const auto& line : lines) {
    if (selector && !sweep::matches(*selector, line)) continue;
    labels[line.group] = line.label;
    seeds[std::to_string(line.seed)] = line.train_id;
  }
  if (labels.empty()) {
    std::vector<std::string> all;
    for (const auto& line : lines)
      if (std::find(all.begin(), all.end(), line.label) == all.end()) all.push_back(line.label);
    why = fmt::format("'where' selects no run of '{}'; available: {}", experiment, fmt::join(all, "; "));
    return nullptr;
  }
  document::Diagnostics unknown;
  if (selector) sweep::require_known_values(*selector, candidates, "'where'", unknown);
  if (!unknown.empty()) {
    why = unknown.first().message;
    return nullptr;
  }
  if (labels.size() > 1) {
    std::vector<std::string> all;
    for (const auto& [group, label] : labels) all.push_back(label);
    why = fmt::format("'where' must select one configuration, but selects {} of '{}': {}", labels.size(), experiment,
                      fmt::join(all, "; "));
    return nullptr;
  }
  const auto* seed = table.find("seed");
  const auto* fixed = seed ? seed->as<int64_t>() : nullptr;
  for (const auto wanted : fixed ? std::vector<int64_t>{*fixed} : seeds_)
    if (!seeds.contains(std::to_string(wanted))) {
      why = fmt::format("'{}' has no run with seed {} of {}", experiment, wanted, labels.begin()->second);
      return nullptr;
    }
  json input = {{"experiment", experiment},
                {"group", labels.begin()->first},
                {"path", runs_of(file_, experiment).string()},
                {"seeds", seeds}};
  return fixed ? record::with_inputs_for_seed(input, *fixed) : input;
}

json RunInputs::find(const document::Node& node, const std::string& owner, document::Diagnostics& diagnostics) {
  const auto* table = node.as<document::Table>();
  const auto* experiment = table ? document::string_of(*table, "experiment") : nullptr;
  if (!experiment) {
    diagnostics.add(node.position,
                    fmt::format("{} must be a run, {}, but is {}", owner, kRunForm, document::describe(node)));
    return nullptr;
  }
  bool good = true;
  const auto refuse = [&](const document::Position& position, std::string message) {
    diagnostics.add(position, std::move(message));
    good = false;
  };
  for (const auto& entry : table->entries)
    if (entry.key != "experiment" && entry.key != "where" && entry.key != "seed")
      refuse(entry.position,
             fmt::format("unknown key '{}' for a run{}", entry.key,
                         base::suggestion(entry.key, {"experiment", "where", "seed"}, "its keys are ")));
  if (const auto* seed = table->find("seed"); seed && !seed->as<int64_t>()) {
    const auto* word = seed->as<std::string>();
    if (!word || *word != "same")
      refuse(seed->position,
             fmt::format("'seed' of a run must be \"same\" or a number, but is {}", document::describe(*seed)));
  }
  if (const auto* where = table->find("where")) {
    document::Diagnostics wrong;
    sweep::read_selector(*where, wrong);
    good = good && wrong.empty();
    diagnostics.add_all(wrong);
  }
  if (!good) return nullptr;
  if (*experiment == name_) {
    diagnostics.add(node.position, fmt::format("'{}' must not take its own runs as inputs", name_));
    return nullptr;
  }
  experiments_.insert(*experiment);
  std::string why;
  try {
    const auto& known = in_force(*experiment);
    if (auto found = known.empty() ? json() : choose(known, node, *experiment, why); !found.is_null()) return found;
    const auto& planned = of_file(*experiment);
    if (auto found = planned.empty() ? json() : choose(planned, node, *experiment, why); !found.is_null()) return found;
  } catch (const UserError& error) {
    why = fmt::format("the plan of '{}' cannot be made: {}", *experiment, error.what());
  }
  if (why.empty())
    why = fmt::format("unknown experiment '{}': no results and no file under experiments/ have that name", *experiment);
  diagnostics.add(node.position, why);
  return nullptr;
}

}  // namespace assay::plan
