#include "config/run_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/experiment_name.h"
#include "config/nearest.h"
#include "config/plan.h"
#include "config/selector.h"
#include "record/layout.h"
#include "record/plan_lines.h"

namespace assay::config {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kRunForm = "{ experiment = \"..\", where = { key = value }, seed = \"same\" or a number }";

fs::path runs_of(const std::string& file, const std::string& experiment) {
  return ExperimentLayout(results_root(file) / experiment).run("").folder();
}

}  // namespace

bool is_run_input(const json& value) {
  return value.is_object() && value.size() == 4 && value.contains("experiment") && value.contains("group") &&
         value.contains("path") && (value.contains("train_id") || value.contains("seeds"));
}

json with_inputs_of(const json& value, int64_t seed) {
  if (is_run_input(value) && value.contains("seeds")) {
    const std::string id = value.at("seeds").at(std::to_string(seed));
    return {{"experiment", value.at("experiment")},
            {"group", value.at("group")},
            {"train_id", id},
            {"path", (fs::path(value.at("path").get<std::string>()) / id).string()}};
  }
  if (!value.is_structured()) return value;
  auto result = value;
  for (auto& item : result) item = with_inputs_of(item, seed);
  return result;
}

std::vector<json> inputs_in(const json& value) {
  if (is_run_input(value)) return {value};
  std::vector<json> all;
  if (value.is_structured())
    for (const auto& item : value)
      for (auto& one : inputs_in(item)) all.push_back(std::move(one));
  return all;
}

const RunInputs::Lines& RunInputs::in_force(const std::string& experiment) {
  const auto [found, is_new] = in_force_.try_emplace(experiment);
  const ExperimentLayout layout(results_root(file_) / experiment);
  std::error_code ignored;
  if (is_new && fs::exists(layout.plan(), ignored)) found->second = read_plan_lines(layout.plan());
  return found->second;
}

const RunInputs::Lines& RunInputs::of_file(const std::string& experiment) {
  const auto [found, is_new] = of_file_.try_emplace(experiment);
  if (!is_new) return found->second;
  const auto file = file_of_experiment(experiment, file_);
  if (!file) return found->second;
  auto asked_by = asked_by_;
  asked_by.push_back(fs::weakly_canonical(file_).string());
  const auto own = fs::weakly_canonical(*file).string();
  if (std::find(asked_by.begin(), asked_by.end(), own) != asked_by.end())
    throw UserError(fmt::format("{}: takes its own runs as inputs, by way of {}", file->string(), file_));
  found->second = make_plan({file->string(), {}, plugin_path_, asked_by}).lines;
  return found->second;
}

// Null, with the reason, where the lines have no such runs, or several groups of them.
json RunInputs::choose(const Lines& lines, const Node& node, const std::string& experiment, std::string& why) const {
  const auto& table = *node.as<Table>();
  Diagnostics wrong;  // said once, by find
  const auto* where = table.find("where");
  const auto candidates = pointers_to(lines);
  const auto selector = where ? std::optional(settled(read_selector(*where, wrong), candidates)) : std::nullopt;
  std::map<std::string, std::string> labels;  // by group
  json seeds = json::object();
  for (const auto& line : lines) {
    if (selector && !matches(*selector, line)) continue;
    labels[line.at("group")] = line.at("label");
    seeds[line.at("seed").dump()] = line.at("train_id");
  }
  if (labels.empty()) {
    std::vector<std::string> all;
    for (const auto& line : lines)
      if (const std::string label = line.at("label"); std::find(all.begin(), all.end(), label) == all.end())
        all.push_back(label);
    why = fmt::format("no run of '{}' is selected by 'where'; there are {}", experiment, fmt::join(all, "; "));
    return nullptr;
  }
  Diagnostics unknown;
  if (selector) require_known_values(*selector, candidates, "'where'", unknown);
  if (!unknown.empty()) {
    why = unknown.first().message;
    return nullptr;
  }
  if (labels.size() > 1) {
    std::vector<std::string> all;
    for (const auto& [group, label] : labels) all.push_back(label);
    why = fmt::format("'where' selects {} configurations of '{}' and must select one: {}", labels.size(), experiment,
                      fmt::join(all, "; "));
    return nullptr;
  }
  const auto* seed = table.find("seed");
  const auto* fixed = seed ? seed->as<int64_t>() : nullptr;
  for (const auto wanted : fixed ? std::vector<int64_t>{*fixed} : seeds_)
    if (!seeds.contains(std::to_string(wanted))) {
      why = fmt::format("'{}' has no seed {} of {}", experiment, wanted, labels.begin()->second);
      return nullptr;
    }
  json input = {{"experiment", experiment},
                {"group", labels.begin()->first},
                {"path", runs_of(file_, experiment).string()},
                {"seeds", seeds}};
  return fixed ? with_inputs_of(input, *fixed) : input;
}

json RunInputs::find(const Node& node, const std::string& owner, Diagnostics& diagnostics) {
  const auto* table = node.as<Table>();
  const auto* experiment = table ? string_of(*table, "experiment") : nullptr;
  if (!experiment) {
    diagnostics.add(node.position, fmt::format("{} must be a run, {}, but is {}", owner, kRunForm, describe(node)));
    return nullptr;
  }
  bool good = true;
  const auto refuse = [&](const Position& position, std::string message) {
    diagnostics.add(position, std::move(message));
    good = false;
  };
  for (const auto& entry : table->entries)
    if (entry.key != "experiment" && entry.key != "where" && entry.key != "seed")
      refuse(entry.position, fmt::format("unknown key '{}' for a run{}", entry.key,
                                         suggestion(entry.key, {"experiment", "where", "seed"}, "its keys are ")));
  if (const auto* seed = table->find("seed"); seed && !seed->as<int64_t>()) {
    const auto* word = seed->as<std::string>();
    if (!word || *word != "same")
      refuse(seed->position, fmt::format("'seed' of a run must be \"same\" or a number, but is {}", describe(*seed)));
  }
  if (const auto* where = table->find("where")) {
    Diagnostics wrong;
    read_selector(*where, wrong);
    good = good && wrong.empty();
    diagnostics.add_all(wrong);
  }
  if (!good) return nullptr;
  if (*experiment == name_) {
    diagnostics.add(node.position, fmt::format("'{}' takes its own runs as inputs", name_));
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
    why = fmt::format("there is no experiment '{}': no results and no file under experiments/ have that name",
                      *experiment);
  diagnostics.add(node.position, why);
  return nullptr;
}

}  // namespace assay::config
