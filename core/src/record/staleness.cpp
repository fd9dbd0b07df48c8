#include "record/staleness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "record/build_id.h"
#include "record/code.h"

namespace assay::record {
namespace {

using nlohmann::json;

// The plugins of a record whose code differs from that in the plan.
std::string other_plugins(const json& components, const PlannedPlugins& planned) {
  std::string names;
  for (const auto& [component, plugin] : components.items())
    if (const auto found = planned.find(component); found != planned.end() && code_id(found->second) != code_id(plugin))
      names += (names.empty() ? "" : ", ") + component;
  return names;
}

// A run whose model the evaluation loaded and whose weights have changed since; empty if there is none.
std::string trained_again(const json& config) {
  if (config.is_object() && config.contains("train_id") && config.contains("sha256") && config.contains("path")) {
    const auto file = RunLayout(config["path"].get<std::string>()).train_record();
    if (!std::filesystem::exists(file)) return "";
    const auto record = json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
    const bool same = !record.is_object() || record.value("weights_sha256", config["sha256"]) == config["sha256"];
    return same ? "" : config.value("experiment", "another run");
  }
  if (config.is_structured())
    for (const auto& inner : config)
      if (auto replaced = trained_again(inner); !replaced.empty()) return replaced;
  return "";
}

// The current code that a replay used, in the form of `accepted.json`.
json code_of(const PlanLine& plan_line, const std::string& current_code) {
  json plugins = json::object();
  const auto training = training_plugins(plan_line);
  for (const auto& [component, plugin] : training.items()) plugins[component] = code_id(plugin);
  return {{"training", current_code}, {"plugins", plugins}};
}

json accepted_in(const RunLayout& run) {
  if (!std::filesystem::exists(run.accepted())) return json::array();
  auto list = json::parse(base::read_file(run.accepted()), nullptr, /*allow_exceptions=*/false);
  return list.is_array() ? list : json::array();
}

// The number of steps for which a replay showed that the current library is bit-identical to another; 0 without such a
// replay.
std::int64_t replayed_library(const RunLayout& run, const std::string& library, const std::string& current_code) {
  for (const auto& one : accepted_in(run))
    if (one.is_object() && one.value("/code/training"_json_pointer, "") == current_code &&
        one.value("/record/training"_json_pointer, "") == library)
      return one.value("steps", std::int64_t{0});
  return 0;
}

}  // namespace

Freshness freshness(const json& record, const RunLayout& run, const PlanLine& plan_line,
                    const std::string& current_code) {
  const auto code = record.value("code", json::object());
  const auto& planned = plan_line.plugins;
  Freshness result;
  if (!code.contains("training")) {
    result.stale = other_plugins(code.value("evaluator", json::object()), planned);
    if (const auto replaced = trained_again(record.value("config", json())); !replaced.empty())
      result.stale += (result.stale.empty() ? "" : ", ") + std::string("weights of ") + replaced;
    const auto library = code.value("library", std::string());
    if (library.empty() || current_code.empty() || library == current_code) return result;
    if (const auto steps = replayed_library(run, library, current_code); steps > 0)
      result.accepted_to = steps;
    else
      result.stale += (result.stale.empty() ? "" : ", ") + std::string("evaluation library");
    return result;
  }
  if (!current_code.empty() && code["training"] != current_code) result.stale = "training library";
  const auto plugins = other_plugins(code.value("plugins", json::object()), planned);
  if (!plugins.empty()) result.stale += (result.stale.empty() ? "" : ", ") + plugins;
  if (result.stale.empty()) return result;
  const auto today = code_of(plan_line, current_code);
  for (const auto& one : accepted_in(run))
    if (one.is_object() && one.value("code", json()) == today && one.value("record", json()) == code)
      return {"", one.value("steps", std::int64_t{0})};
  return result;
}

std::vector<PlanLine> with_current_code(std::vector<PlanLine> plan_lines) {
  std::map<std::string, std::string> build_ids;  // by file
  const auto build_id = [&](const std::string& file) -> const std::string& {
    const auto [known, is_new] = build_ids.try_emplace(file);
    if (is_new) known->second = build_id_of_file(file);
    return known->second;
  };
  for (auto& line : plan_lines)
    for (auto& [component, plugin] : line.plugins)
      if (!plugin.file.empty() && plugin.build_id && !build_id(plugin.file).empty())
        plugin.build_id = build_id(plugin.file);
  return plan_lines;
}

std::string stale_code(const PlanLine& plan_line, const RunLayout& run, const std::string& current_code) {
  std::set<std::string> parts;
  const auto add = [&](const std::filesystem::path& file) {
    const auto record = json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) return;
    if (auto stale = freshness(record, run, plan_line, current_code).stale; !stale.empty())
      parts.insert(std::move(stale));
  };
  add(run.train_record());
  for (const auto& evaluation : plan_line.evaluate) add(run.eval_record(evaluation.id));
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool is_stale(const PlanLine& plan_line, const RunLayout& run, const std::string& current_code) {
  return !stale_code(plan_line, run, current_code).empty();
}

void accept_code(const json& record, const RunLayout& run, const PlanLine& plan_line, const std::string& current_code,
                 std::int64_t steps) {
  auto accepted = accepted_in(run);
  accepted.push_back({{"code", code_of(plan_line, current_code)}, {"record", record.at("code")}, {"steps", steps}});
  base::write_atomically(run.accepted(), accepted.dump() + "\n");
}

}  // namespace assay::record
