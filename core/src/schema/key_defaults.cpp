#include "schema/key_defaults.h"

#include <algorithm>
#include <cstdlib>

#include "schema/sections.h"

namespace assay::schema {
namespace {

const Parameter* find_parameter(const std::vector<Parameter>& parameters, const std::string& name) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

std::optional<document::Node> scalar(const Parameter* parameter) {
  if (!parameter) return std::nullopt;
  const auto& value = parameter->default_value;
  if (value.is_boolean()) return document::Node{value.get<bool>(), {}};
  if (value.is_string() && !value.get<std::string>().empty()) return document::Node{value.get<std::string>(), {}};
  if (value.is_number_integer() && parameter->type != "real") return document::Node{value.get<int64_t>(), {}};
  if (value.is_number()) return document::Node{value.get<double>(), {}};
  return std::nullopt;
}

// How many parts of a path name a component, and the component's kind; 0 if none do.
std::pair<size_t, std::string> slot(const document::KeyPath& path) {
  const auto& first = path[0];
  if (first == "model" || first == "optimizer" || first == "scheduler") return {1, first};
  if (first == "data" && path.size() > 1 && (path[1] == "dataset" || path[1] == "tokenizer")) return {2, path[1]};
  if (document::is_labelled_section(first)) return {2, first == "evaluate" ? "evaluator" : first};
  return {0, ""};
}

// The parameter that a key sets; null if it is unknown.
const Parameter* parameter_of_key(const document::Node& document, const Catalogue& catalogue,
                                  const document::KeyPath& path) {
  if (path.size() == 3 && path[0] == "resources" && path[1] == "mesh")
    return find_parameter(section_parameters("mesh"), path[2]);
  auto [depth, kind] = slot(path);
  if (depth == 0) {
    const bool is_section =
        path[0] == "data" || path[0] == "init" || path[0] == "train" || path[0] == "resources" || path[0] == "log";
    return is_section && path.size() == 2 ? find_parameter(section_parameters(path[0]), path[1]) : nullptr;
  }
  if (path.size() <= depth) return nullptr;
  const auto* node = document::find_path(document, {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth)});
  if (!node || !node->is_table()) return nullptr;
  if (path.size() == depth + 1 && document::is_labelled_section(path[0]))
    if (const auto* own = find_parameter(section_parameters(path[0]), path[depth])) return own;
  const auto name_in = [](const document::Node* component) {
    const auto* table = component ? component->as<document::Table>() : nullptr;
    return table ? document::string_of(*table, "use") : component ? component->as<std::string>() : nullptr;
  };
  const auto* use = name_in(node);
  std::string name = use ? *use : "";
  for (;; ++depth) {
    const auto found = catalogue.find(kind, name);
    const auto* parameter = found ? find_parameter(found.component->parameters, path[depth]) : nullptr;
    if (!parameter || depth + 1 == path.size()) return parameter;
    const auto* child = node && node->is_table() ? node->as<document::Table>()->find(path[depth]) : nullptr;
    if (parameter->type == "children") {
      const auto* list = child ? child->as<document::Array>() : nullptr;
      const auto index = static_cast<size_t>(std::strtoull(path[++depth].c_str(), nullptr, 10));
      child = list && index < list->size() ? &(*list)[index] : nullptr;
      if (depth + 1 == path.size()) return parameter;
    } else if (parameter->type != "child") {
      return parameter;  // a list element belongs to the list
    }
    const auto* named = name_in(child);
    name = named ? *named : parameter->default_value.is_string() ? parameter->default_value.get<std::string>() : "";
    kind = parameter->child_kind;
    node = child;
  }
}

}  // namespace

std::optional<document::Node> default_of_key(const document::Node& document, const Catalogue& catalogue,
                                             const document::KeyPath& path) {
  return scalar(parameter_of_key(document, catalogue, path));
}

bool takes_text(const document::Node& document, const Catalogue& catalogue, const document::KeyPath& path) {
  if (path.back() == "use") return true;
  const auto* parameter = parameter_of_key(document, catalogue, path);
  if (!parameter) return false;
  const auto& type = parameter->type;
  return type != "int" && type != "ints" && type != "real" && type != "reals";
}

}  // namespace assay::schema
