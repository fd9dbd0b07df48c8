#include "schema/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"
#include "base/nearest.h"

namespace assay::schema {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;  // a component whose default child is itself must not recurse without end

// "real in [1, 64], default 8"
std::string shape_text(const Parameter& parameter) {
  if (parameter.required) return parameter.type_text() + ", required";
  const auto by_default = parameter.default_text();
  return parameter.type_text() + (by_default.empty() ? "" : ", default " + by_default);
}

std::string element_type(const std::string& list) {
  return list == "bools"     ? "bool"
         : list == "ints"    ? "int"
         : list == "reals"   ? "real"
         : list == "strings" ? "string"
                             : "";
}

// "a real in [1, 64]", "an int", "one of a, b"
std::string with_article(const std::string& type) {
  if (type.starts_with("one of ")) return type;
  return (std::string_view("aeio").find(type.front()) < 4 ? "an " : "a ") + type;
}

bool in_range(const Parameter& parameter, double value) {
  return (!parameter.min || value >= *parameter.min) && (!parameter.max || value <= *parameter.max);
}

}  // namespace

json Resolver::component(const document::Node& node, const std::string& kind,
                         const std::vector<std::string>& reserved) {
  document::Node expanded;
  const document::Node* source = &node;
  if (node.as<std::string>()) {
    expanded = node;
    document::expand_component_string(expanded);
    source = &expanded;
  }
  const auto* table = source->as<document::Table>();
  if (!table) {
    if (diagnostics_.has_at(node.position)) return nullptr;
    diagnostics_.add(node.position, fmt::format("a {} must be a name or a table with 'use', but is {}", kind,
                                                document::describe(node)));
    return nullptr;
  }
  const auto* use = table->find("use");
  const auto* name = use ? use->as<std::string>() : nullptr;
  if (!name) {
    diagnostics_.add(use ? use->position : source->position,
                     use ? fmt::format("'use' must be the name of a {}, but is {}", kind, document::describe(*use))
                         : fmt::format("this {} needs 'use'{}", kind,
                                       base::suggestion("", catalogue_.names_of(kind), "available: ")));
    return nullptr;
  }
  const auto found = catalogue_.find(kind, *name);
  if (!found) {
    unknown_component(use->position, kind, *name);
    return nullptr;
  }
  if (depth_ >= kMaxDepth) {
    diagnostics_.add(source->position,
                     fmt::format("components nest deeper than {} levels at {} '{}'", kMaxDepth, kind, *name));
    return nullptr;
  }
  ++depth_;
  used_.emplace(kind, *name);
  auto all_reserved = reserved;
  all_reserved.insert(all_reserved.end(), {"use", "keep"});
  auto result =
      keys(*table, source->position, found.component->parameters, fmt::format("{} '{}'", kind, *name), all_reserved);
  result["use"] = *name;
  --depth_;
  return result;
}

json Resolver::section(const document::Node& node, const std::vector<Parameter>& parameters, const std::string& owner) {
  if (const auto* table = node.as<document::Table>()) return keys(*table, node.position, parameters, owner, {});
  diagnostics_.add(node.position, fmt::format("{} must be a table, but is {}", owner, document::describe(node)));
  return json::object();
}

json Resolver::keys(const document::Table& table, const document::Position& position,
                    const std::vector<Parameter>& parameters, const std::string& owner,
                    const std::vector<std::string>& reserved) {
  auto result = json::object();
  for (const auto& entry : table.entries) {
    const auto has_name = [&](const Parameter& parameter) { return parameter.name == entry.key; };
    const auto parameter = std::find_if(parameters.begin(), parameters.end(), has_name);
    if (parameter == parameters.end()) {
      if (std::find(reserved.begin(), reserved.end(), entry.key) == reserved.end())
        unknown_key(entry, parameters, owner);
    } else {
      auto given = value(*parameter, entry.value, owner);
      note_duration(*parameter, given, owner);
      if (!parameter->added || given != parameter->default_value) result[entry.key] = std::move(given);
    }
  }
  for (const auto& parameter : parameters) {
    if (table.find(parameter.name) || parameter.added) continue;
    if (parameter.required) {
      diagnostics_.add(position, fmt::format("{} needs '{}' ({})", owner, parameter.name, parameter.type_text()));
    } else if (!parameter.default_value.is_null() || parameter.type == "child" || parameter.type == "path" ||
               parameter.type == "run") {
      result[parameter.name] = default_of(parameter, position);
      note_duration(parameter, result[parameter.name], owner);
    }
  }
  return result;
}

void Resolver::note_duration(const Parameter& parameter, const json& value, const std::string& owner) {
  if (parameter.type == "duration" && value.is_string())
    durations_.emplace_back(fmt::format("{}: {}", owner, parameter.name), value.get<std::string>());
}

void Resolver::unknown_key(const document::Entry& entry, const std::vector<Parameter>& parameters,
                           const std::string& owner) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters) names.push_back(parameter.name);
  auto message =
      fmt::format("unknown key '{}' for {}{}", entry.key, owner, base::suggestion(entry.key, names, "its keys are "));
  if (names.empty()) message += "; it has no keys";
  if (const auto near = base::nearest_name(entry.key, names)) {
    const auto parameter =
        std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.name == *near; });
    message += fmt::format(" ({})", shape_text(*parameter));
  }
  diagnostics_.add(entry.position, std::move(message));
}

void Resolver::unknown_component(const document::Position& position, const std::string& kind, const std::string& name) {
  const auto names = catalogue_.names_of(kind);
  auto message = fmt::format("unknown {} '{}'", kind, name);
  if (const auto near = base::nearest_name(name, names)) message += fmt::format("; did you mean '{}'?", *near);
  message += names.empty() ? "; no plugin provides " + with_article(kind) : " (available: ";
  for (size_t i = 0; i < names.size(); ++i) message += (i ? ", " : "") + names[i];
  if (!names.empty()) message += ")";
  if (const auto other = catalogue_.kind_of(name); !other.empty())
    message += fmt::format("; '{}' is {}", name, with_article(other));
  for (const auto& plugin : catalogue_.plugins)
    if (!plugin.ok)
      message += fmt::format("; plugin file {} cannot be loaded and may provide it: {}", plugin.file, plugin.error);
  diagnostics_.add(position, std::move(message));
}

void Resolver::wrong(const Parameter& parameter, const document::Node& node, const std::string& owner) {
  if (diagnostics_.has_at(node.position)) return;
  diagnostics_.add(node.position, fmt::format("'{}' of {} must be {}, but is {}", parameter.name, owner,
                                              with_article(parameter.type_text()), document::describe(node)));
}

json Resolver::value(const Parameter& parameter, const document::Node& node, const std::string& owner) {
  const auto& type = parameter.type;
  if (type == "any" || type == "table") {
    if (type == "table" && !node.is_table()) wrong(parameter, node, owner);
    return document::to_json(node);
  }
  if (type == "child") return child(parameter, node);
  if (type == "run") {
    const auto name = fmt::format("'{}' of {}", parameter.name, owner);
    if (inputs_) return inputs_->find(node, name, diagnostics_);
    diagnostics_.add(node.position,
                     fmt::format("{} takes another run as its input; only an experiment file can name a run", name));
    return nullptr;
  }
  if (type == "path") {
    if (const auto* name = node.as<std::string>()) return paths_.find(*name, node.position, diagnostics_);
    wrong(parameter, node, owner);
    return nullptr;
  }
  if (type == "children" || !element_type(type).empty()) return list(parameter, node, owner);
  auto result = scalar(parameter, type, node);
  if (result.is_null()) wrong(parameter, node, owner);
  return result;
}

// Null when the value has another type or is not allowed.
json Resolver::scalar(const Parameter& parameter, const std::string& type, const document::Node& node) {
  json result;
  if (type == "bool" && node.as<bool>()) result = *node.as<bool>();
  if (type == "string" && node.as<std::string>()) result = *node.as<std::string>();
  if (const auto* integer = node.as<int64_t>()) {
    if (!in_range(parameter, static_cast<double>(*integer))) return nullptr;
    if (type == "int") result = *integer;
    if (type == "real") result = static_cast<double>(*integer);
  }
  if (const auto* real = node.as<double>(); real && type == "real" && in_range(parameter, *real))
    result = *real + 0.0;  // -0.0 is 0.0
  if (type == "duration" && node.as<std::string>()) {
    const auto duration = base::parse_duration(*node.as<std::string>());
    const bool percent = duration && duration->unit == "%";
    if (duration && (!percent || in_range(parameter, duration->amount))) result = base::text_of(*duration);
  }
  const auto& choices = parameter.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), result) == choices.end()) return nullptr;
  return result;
}

json Resolver::list(const Parameter& parameter, const document::Node& node, const std::string& owner) {
  const auto* items = node.as<document::Array>();
  auto result = json::array();
  if (!items) {
    wrong(parameter, node, owner);
    return result;
  }
  for (const auto& item : *items) {
    auto element = parameter.type == "children" ? component(item, parameter.child_kind)
                                                : scalar(parameter, element_type(parameter.type), item);
    if (element.is_null() && parameter.type != "children") wrong(parameter, item, owner);
    result.push_back(std::move(element));
  }
  return result;
}

json Resolver::child(const Parameter& parameter, const document::Node& node) {
  const auto* text = node.as<std::string>();
  const auto* use = node.as<document::Table>() ? document::string_of(*node.as<document::Table>(), "use") : text;
  const bool absent = use && *use == "none" && !parameter.required && !catalogue_.find(parameter.child_kind, "none");
  return absent ? json() : component(node, parameter.child_kind);
}

json Resolver::default_of(const Parameter& parameter, const document::Position& position) {
  const auto& value = parameter.default_value;
  const auto* text = value.get_ptr<const json::string_t*>();
  if (parameter.type == "child") {
    if (!text || text->empty()) return nullptr;
    return child(parameter, {*text, position});
  }
  if (parameter.type == "path" || parameter.type == "run") {
    if (!text || text->empty()) return nullptr;
    return parameter.type == "path" ? paths_.find(*text, position, diagnostics_) : json();
  }
  if (parameter.type == "duration" && text) {
    const auto duration = base::parse_duration(*text);
    return duration ? base::text_of(*duration) : *text;
  }
  if (parameter.type == "real" && value.is_number_integer()) return static_cast<double>(value.get<int64_t>());
  if (parameter.type == "reals" && value.is_array()) {
    auto reals = json::array();
    for (const auto& item : value) reals.push_back(item.is_number() ? json(item.get<double>()) : item);
    return reals;
  }
  return value;
}

}  // namespace assay::schema
