#include "config/key_defaults.h"

#include <algorithm>

#include "config/sections.h"

namespace assay::config {
namespace {

const Parameter* find_parameter(const std::vector<Parameter>& parameters, const std::string& name) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

std::optional<Node> scalar(const Parameter* parameter) {
  if (!parameter) return std::nullopt;
  const auto& value = parameter->default_value;
  if (value.is_boolean()) return Node{value.get<bool>(), {}};
  if (value.is_string() && !value.get<std::string>().empty()) return Node{value.get<std::string>(), {}};
  if (value.is_number_integer() && parameter->type != "real") return Node{value.get<int64_t>(), {}};
  if (value.is_number()) return Node{value.get<double>(), {}};
  return std::nullopt;
}

// How many parts of a path name a component, and the component's kind; 0 for none.
std::pair<size_t, std::string> slot(const KeyPath& path) {
  const auto& first = path[0];
  if (first == "model" || first == "optimizer" || first == "scheduler") return {1, first};
  if (first == "data" && path.size() > 1 && (path[1] == "dataset" || path[1] == "tokenizer")) return {2, path[1]};
  if (is_labelled_section(first)) return {2, first == "evaluate" ? "evaluator" : first};
  return {0, ""};
}

}  // namespace

std::optional<Node> default_of_key(const Node& document, const Catalogue& catalogue, const KeyPath& path) {
  auto [depth, kind] = slot(path);
  if (depth == 0) {
    if (path.size() == 2 && (path[0] == "train" || path[0] == "resources" || path[0] == "log"))
      return scalar(find_parameter(section_parameters(path[0]), path[1]));
    return std::nullopt;
  }
  if (path.size() <= depth) return std::nullopt;
  const auto* node = find_path(document, {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth)});
  if (!node || !node->is_table()) return std::nullopt;
  if (path.size() == depth + 1 && is_labelled_section(path[0]))
    if (auto own = scalar(find_parameter(section_parameters(path[0]), path[depth]))) return own;
  const auto* use = string_of(*node->as<Table>(), "use");
  std::string name = use ? *use : "";
  for (;; ++depth) {
    const auto found = catalogue.find(kind, name);
    const auto* parameter = found ? find_parameter(found.component->parameters, path[depth]) : nullptr;
    if (!parameter || depth + 1 == path.size()) return scalar(parameter);
    if (parameter->type != "child") return std::nullopt;
    const auto* child = node && node->is_table() ? node->as<Table>()->find(path[depth]) : nullptr;
    const auto* named = child && child->is_table() ? string_of(*child->as<Table>(), "use")
                        : child                    ? child->as<std::string>()
                                                   : nullptr;
    name = named ? *named : parameter->default_value.is_string() ? parameter->default_value.get<std::string>() : "";
    kind = parameter->child_kind;
    node = child;
  }
}

}  // namespace assay::config
