#include "record/code.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace assay::record {
namespace {

bool uses_another_run(const nlohmann::json& config) {
  if (config.is_object() && config.contains("train_id")) return true;
  return config.is_structured() &&
         std::any_of(config.begin(), config.end(), [](const auto& inner) { return uses_another_run(inner); });
}

nlohmann::json identity(const PlannedPlugin& planned) {
  auto plugin = planned.to_json();
  plugin.erase("file");
  plugin.erase("roles");
  if (plugin.contains("shadows"))
    for (auto& other : plugin["shadows"]) other.erase("file");
  return plugin;
}

void collect_uses(const nlohmann::json& config, std::set<std::string>& names) {
  if (config.is_object() && config.contains("use") && config["use"].is_string()) names.insert(config["use"]);
  if (config.is_structured())
    for (const auto& inner : config) collect_uses(inner, names);
}

}  // namespace

// A plugin without roles has those of a run of its own.
bool has_role(const PlannedPlugin& plugin, const std::string& role) {
  if (plugin.roles.empty()) return role != kInputRole;
  return std::find(plugin.roles.begin(), plugin.roles.end(), role) != plugin.roles.end();
}

nlohmann::json training_plugins(const PlanLine& plan_line) {
  auto chosen = nlohmann::json::object();
  for (const auto& [key, plugin] : plan_line.plugins)
    if (has_role(plugin, "train")) chosen[key] = identity(plugin);
  return chosen;
}

nlohmann::json evaluation_plugins(const PlanLine& plan_line, const nlohmann::json& config) {
  std::set<std::string> names;
  collect_uses(config, names);
  const bool uses_input = uses_another_run(config);
  auto chosen = nlohmann::json::object();
  for (const auto& [key, plugin] : plan_line.plugins)
    if ((has_role(plugin, "evaluate") && names.count(key.substr(key.find('/') + 1))) ||
        (uses_input && has_role(plugin, kInputRole)))
      chosen[key] = identity(plugin);
  return chosen;
}

std::string code_id(const nlohmann::json& plugin) {
  return plugin.value("build_id", plugin.value("sha256", std::string()));
}

std::string code_id(const PlannedPlugin& plugin) { return plugin.build_id.value_or(plugin.sha256); }

}  // namespace assay::record
