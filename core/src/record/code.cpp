#include "record/code.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace assay {
namespace {

bool only_evaluates(const std::string& kind) { return kind == "evaluator" || kind == "decoder" || kind == "scorer"; }
bool only_watches(const std::string& kind) { return kind == "tracker"; }

nlohmann::json identity(nlohmann::json plugin) {
  plugin.erase("file");
  return plugin;
}

void collect_uses(const nlohmann::json& config, std::set<std::string>& names) {
  if (config.is_object() && config.contains("use") && config["use"].is_string()) names.insert(config["use"]);
  if (config.is_structured())
    for (const auto& inner : config) collect_uses(inner, names);
}

}  // namespace

nlohmann::json training_plugins(const nlohmann::json& plan_line) {
  auto chosen = nlohmann::json::object();
  const auto plugins = plan_line.value("plugins", nlohmann::json::object());
  for (const auto& [key, plugin] : plugins.items()) {
    const auto kind = key.substr(0, key.find('/'));
    if (!only_evaluates(kind) && !only_watches(kind)) chosen[key] = identity(plugin);
  }
  return chosen;
}

nlohmann::json evaluation_plugins(const nlohmann::json& plan_line, const nlohmann::json& config) {
  std::set<std::string> names;
  collect_uses(config, names);
  auto chosen = nlohmann::json::object();
  const auto plugins = plan_line.value("plugins", nlohmann::json::object());
  for (const auto& [key, plugin] : plugins.items()) {
    const auto slash = key.find('/');
    if (only_evaluates(key.substr(0, slash)) && names.count(key.substr(slash + 1))) chosen[key] = identity(plugin);
  }
  return chosen;
}

}  // namespace assay
