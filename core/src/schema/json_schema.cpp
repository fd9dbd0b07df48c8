#include "schema/json_schema.h"

#include <nlohmann/json.hpp>
#include <set>

#include "document/key_path.h"
#include "schema/sections.h"

namespace assay::schema {
namespace {

using nlohmann::json;

json reference(const std::string& kind) { return {{"$ref", "#/definitions/" + kind}}; }

// A number, or arithmetic over other keys.
json number(const char* type, const Parameter& parameter) {
  json plain = {{"type", type}};
  if (parameter.min) plain["minimum"] = *parameter.min;
  if (parameter.max) plain["maximum"] = *parameter.max;
  return {{"anyOf", {plain, {{"type", "string"}, {"pattern", "^="}}}}};
}

json scalar(const std::string& type, const Parameter& parameter) {
  if (!parameter.choices.empty()) return {{"enum", parameter.choices}};
  if (type == "bool") return {{"type", "boolean"}};
  if (type == "int") return number("integer", parameter);
  if (type == "real") return number("number", parameter);
  if (type == "duration") return {{"type", "string"}, {"pattern", "^(=|[0-9.e+]+ *(%|steps?|tokens?)$)"}};
  return {{"type", "string"}};
}

json type_of(const Parameter& parameter) {
  const auto& type = parameter.type;
  if (type == "any") return json::object();
  if (type == "table") return {{"type", "object"}};
  if (type == "run") return {{"type", "object"}};
  if (type == "child") return reference(parameter.child_kind);
  if (type == "children") return {{"type", "array"}, {"items", reference(parameter.child_kind)}};
  if (type == "bools" || type == "ints" || type == "reals" || type == "strings")
    return {{"type", "array"}, {"items", scalar(type.substr(0, type.size() - 1), parameter)}};
  return scalar(type, parameter);
}

json properties(const std::vector<Parameter>& parameters) {
  json all = json::object();
  for (const auto& parameter : parameters) {
    auto& one = all[parameter.name] = type_of(parameter);
    if (!parameter.doc.empty()) one["description"] = parameter.doc;
    if (!parameter.default_value.is_null() && parameter.default_value != "") one["default"] = parameter.default_value;
  }
  return all;
}

// No additional keys, except dotted keys, which refer to keys of inner tables.
json table(json keys) {
  return {{"type", "object"},
          {"properties", std::move(keys)},
          {"patternProperties", {{"\\.", json::object()}}},
          {"additionalProperties", false}};
}

// The forms of a component of this kind: its name, a table with `use`, or a table without `use`, which changes some
// keys of an inherited component. They are alternatives (anyOf), because editors support that (draft 4 of JSON Schema).
json component(const std::string& kind, const std::vector<const Component*>& components, json entry_keys,
               bool may_be_none) {
  json names = json::array(), changed = entry_keys;
  if (may_be_none) names.push_back("none");
  json given = json::array();
  for (const auto* one : components) {
    if (one->name != "none" || !may_be_none) names.push_back(one->name);
    auto keys = properties(one->parameters);
    for (const auto& [key, shape] : keys.items()) changed[key]["anyOf"].push_back(shape);
    keys.update(entry_keys);
    keys["use"] = {{"enum", {one->name}}};
    keys["keep"] = {{"type", "array"}, {"items", {{"type", "string"}}}};
    auto shape = table(std::move(keys));
    shape["description"] = one->doc;
    shape["required"] = {"use"};
    given.push_back(std::move(shape));
  }
  if (may_be_none)
    given.push_back({{"type", "object"}, {"properties", {{"use", {{"enum", {"none"}}}}}}, {"required", {"use"}}});
  if (!names.empty()) given.insert(given.begin(), json{{"enum", names}});
  given.push_back(table(std::move(changed)));
  return {{"description", "a " + kind}, {"anyOf", given}};
}

// The kind of the components in [[objective]] and similar sections.
std::string kind_of_section(const std::string& section) { return section == "evaluate" ? "evaluator" : section; }

}  // namespace

json json_schema(const Catalogue& catalogue) {
  std::map<std::string, std::vector<const Component*>> kinds;
  for (const char* kind : {"callback", "dataset", "evaluator", "exchange", "model", "objective", "optimizer",
                           "positional", "scheduler", "tokenizer", "tracker", "transform"})
    kinds[kind];
  std::set<std::pair<std::string, std::string>> seen;  // the first component of a name wins
  for (const auto& plugin : catalogue.plugins)
    for (const auto& one : plugin.components) {
      if (seen.emplace(one.kind, one.name).second) kinds[one.kind].push_back(&one);
      for (const auto& parameter : one.parameters)
        if (!parameter.child_kind.empty()) kinds[parameter.child_kind];
    }

  std::map<std::string, json> entry_keys;  // by kind
  json top = {{"extends", {{"type", "array"}, {"items", {{"type", "string"}}}}},
              {"positional", reference("positional")}};
  for (const auto& [section, shape] : top_sections()) {
    if (document::is_labelled_section(section)) {
      const auto kind = kind_of_section(section);
      entry_keys[kind] = properties(section_parameters(section));
      entry_keys[kind]["remove"] = {{"type", "boolean"}};
      top[section] = {{"anyOf", {{{"type", "array"}, {"items", reference(kind)}}, reference(kind)}}};
    } else if (kinds.count(section)) {
      top[section] = reference(section);
    } else if (section == "sweep") {
      const json one = {{"type", "object"}}, several = {{"anyOf", {one, {{"type", "array"}, {"items", one}}}}};
      const json block = table({{"grid", one},
                                {"zip", several},
                                {"ladder", several},
                                {"case", several},
                                {"when", several},
                                {"exclude", several}});
      top[section] = {{"anyOf", {block, {{"type", "array"}, {"items", block}}}}};
    } else {
      auto one = table(properties(section_parameters(section)));
      if (section == "scaling") one["properties"]["grid"] = table(properties(section_parameters("grid")));
      if (section == "resources") one["properties"]["mesh"] = table(properties(section_parameters("mesh")));
      top[section] = shape == Shape::kEntries ? json{{"type", "array"}, {"items", one}} : one;
    }
  }
  auto schema = table(top);
  schema["$schema"] = "http://json-schema.org/draft-04/schema#";
  schema["title"] = "An assay experiment";
  for (const auto& [kind, components] : kinds) {
    const bool has_section = top.count(kind) || entry_keys.count(kind) || kind == "dataset" || kind == "tokenizer";
    schema["definitions"][kind] =
        component(kind, components, entry_keys.count(kind) ? entry_keys[kind] : json::object(), !has_section);
  }
  return schema;
}

}  // namespace assay::schema
