#include "schema/descriptors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "assay/error.h"
#include "base/duration.h"

namespace assay::schema {
namespace {

using nlohmann::json;

std::string range_text(const Parameter& parameter) {
  if (parameter.min && parameter.max) return fmt::format(" in [{}, {}]", *parameter.min, *parameter.max);
  if (parameter.min) return fmt::format(" >= {}", *parameter.min);
  if (parameter.max) return fmt::format(" <= {}", *parameter.max);
  return "";
}

std::optional<double> bound(const json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

Parameter parse_parameter(const json& from) {
  Parameter parameter;
  parameter.name = from.at("name").get<std::string>();
  parameter.type = from.at("type").get<std::string>();
  parameter.default_value = from.value("default", json());
  parameter.required = from.value("required", false);
  parameter.added = from.value("added", false);
  parameter.min = bound(from, "min");
  parameter.max = bound(from, "max");
  if (const auto choices = from.find("choices"); choices != from.end() && choices->is_array())
    parameter.choices = choices->get<std::vector<json>>();
  parameter.doc = from.value("doc", "");
  parameter.child_kind = from.value("child_kind", "");
  return parameter;
}

Component parse_component(const json& from) {
  Component component;
  component.kind = from.at("kind").get<std::string>();
  component.kind_hash = from.value("kind_hash", "");
  component.name = from.at("name").get<std::string>();
  component.doc = from.value("doc", "");
  component.paper = from.value("paper", "");
  for (const auto& parameter : from.at("parameters")) component.parameters.push_back(parse_parameter(parameter));
  return component;
}

PluginFile parse_plugin(const json& from) {
  PluginFile plugin;
  plugin.file = from.at("file").get<std::string>();
  plugin.sha256 = from.value("sha256", "");
  plugin.build_id = from.value("build_id", "");
  plugin.ok = from.at("ok").get<bool>();
  plugin.error = from.value("error", "");
  plugin.name = from.value("name", "");
  plugin.version = from.value("version", "");
  if (plugin.ok)
    for (const auto& component : from.at("components")) plugin.components.push_back(parse_component(component));
  return plugin;
}

}  // namespace

std::string Parameter::default_text() const {
  if (default_value.is_null()) return "";
  if (default_value.is_string()) return default_value.get<std::string>();
  return default_value.is_number_float() ? fmt::format("{}", default_value.get<double>()) : default_value.dump();
}

std::string Parameter::type_text() const {
  if (!choices.empty()) {
    std::vector<std::string> words;
    for (const auto& choice : choices) words.push_back(choice.is_string() ? choice.get<std::string>() : choice.dump());
    return fmt::format("one of {}", fmt::join(words, ", "));
  }
  if (type == "duration") return base::kDurationForm;
  if (type == "path") return "file or folder";
  if (type == "child") return child_kind;
  if (type == "children") return fmt::format("list of {}s", child_kind);
  if (type == "bools" || type == "ints" || type == "reals" || type == "strings") {
    const auto range = range_text(*this);
    return fmt::format("list of {}{}{}", type, range.empty() ? "" : ", each", range);
  }
  return type + range_text(*this);
}

Found Catalogue::find(const std::string& kind, const std::string& name) const {
  for (const auto& plugin : plugins)
    for (const auto& component : plugin.components)
      if (component.kind == kind && component.name == name) return {&component, &plugin};
  return {};
}

std::vector<const PluginFile*> Catalogue::shadowed(const std::string& kind, const std::string& name) const {
  std::vector<const PluginFile*> files;
  for (const auto& plugin : plugins)
    for (const auto& component : plugin.components)
      if (component.kind == kind && component.name == name) files.push_back(&plugin);
  if (!files.empty()) files.erase(files.begin());
  return files;
}

std::string Catalogue::kind_of(const std::string& name) const {
  for (const auto& plugin : plugins)
    for (const auto& component : plugin.components)
      if (component.name == name) return component.kind;
  return "";
}

std::vector<std::string> Catalogue::names_of(const std::string& kind) const {
  std::vector<std::string> names;
  for (const auto& plugin : plugins)
    for (const auto& component : plugin.components)
      if (component.kind == kind) names.push_back(component.name);
  std::sort(names.begin(), names.end());
  return names;
}

Catalogue parse_descriptors(const std::string& text, const std::string& origin) {
  try {
    const auto document = json::parse(text);
    Catalogue catalogue;
    catalogue.sdk = document.value("sdk", "");
    catalogue.training_code = document.value("training_code", "");
    for (const auto& plugin : document.at("plugins")) catalogue.plugins.push_back(parse_plugin(plugin));
    return catalogue;
  } catch (const json::exception& error) {
    throw UserError(fmt::format("{}: the text is not a valid description of plugins: {}", origin, error.what()));
  }
}

}  // namespace assay::schema
