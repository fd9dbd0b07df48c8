#include "config/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/nearest.h"

namespace assay::config {
namespace {

using nlohmann::json;

bool is_condition(const Table& table) {
  return !table.entries.empty() && std::all_of(table.entries.begin(), table.entries.end(), [](const Entry& entry) {
    return entry.key == "not" || entry.key == "min" || entry.key == "max";
  });
}

void read_terms(const Table& table, const KeyPath& parent, Selector& selector) {
  for (const auto& entry : table.entries) {
    auto path = parent;
    path.push_back(entry.key);
    const auto* inner = entry.value.as<Table>();
    if (inner && !is_condition(*inner)) {
      read_terms(*inner, path, selector);
    } else {
      path = canonical_path(path);
      selector.terms.push_back({path, short_name(path), to_json(entry.value), entry.position});
    }
  }
}

// Null when the run has no such key.
json value_of(const SelectorTerm& term, const json& line) {
  const auto& axes = line.at("axes");
  if (const auto axis = axes.find(term.name); axis != axes.end()) return *axis;
  const json* at = &line.at("train");
  for (size_t i = 0; i < term.path.size(); ++i) {
    const auto& part = term.path[i];
    const auto key = i == 0 && (part == "objective" || part == "transform") ? part + "s" : part;
    if (at->is_array()) {
      const auto found = std::find_if(at->begin(), at->end(), [&](const json& item) {
        return item.is_object() && item.value("label", "") == part;
      });
      if (found == at->end()) return nullptr;
      at = &*found;
    } else {
      if (!at->is_object() || !at->contains(key)) return nullptr;
      at = &at->at(key);
    }
  }
  return at->is_object() && at->contains("use") ? at->at("use") : *at;
}

bool equals(const json& wanted, const json& value) {
  if (wanted.is_array())
    return std::any_of(wanted.begin(), wanted.end(), [&](const json& one) { return equals(one, value); });
  return wanted == value;  // 8 and 8.0 are equal
}

}  // namespace

Selector read_selector(const Node& table, Diagnostics& diagnostics) {
  Selector selector{{}, table.position};
  if (const auto* inner = table.as<Table>()) read_terms(*inner, {}, selector);
  if (selector.terms.empty())
    diagnostics.add(table.position, "a selector names at least one key: { positional = \"alibi\" }");
  for (const auto& term : selector.terms) {
    if (!term.wanted.is_object()) continue;
    for (const char* end : {"min", "max"})
      if (term.wanted.contains(end) && !term.wanted.at(end).is_number())
        diagnostics.add(term.position, fmt::format("'{}' of '{}' must be a number", end, term.name));
  }
  return selector;
}

bool matches(const SelectorTerm& term, const json& line) {
  const auto value = value_of(term, line);
  if (value.is_null()) return false;
  if (!term.wanted.is_object()) return equals(term.wanted, value);
  if (term.wanted.contains("not") && equals(term.wanted.at("not"), value)) return false;
  if (term.wanted.contains("min") && !(value.is_number() && value >= term.wanted.at("min"))) return false;
  if (term.wanted.contains("max") && !(value.is_number() && value <= term.wanted.at("max"))) return false;
  return true;
}

bool matches(const Selector& selector, const json& line) {
  return std::all_of(selector.terms.begin(), selector.terms.end(),
                     [&](const auto& term) { return matches(term, line); });
}

void require_match(const Selector& selector, const std::vector<json>& lines, const std::string& what,
                   Diagnostics& diagnostics) {
  bool each_alone = true;
  for (const auto& term : selector.terms) {
    if (std::any_of(lines.begin(), lines.end(), [&](const json& line) { return matches(term, line); })) continue;
    each_alone = false;
    std::set<std::string> values, axes;
    for (const auto& line : lines) {
      const auto value = value_of(term, line);
      if (!value.is_null()) values.insert(value.is_string() ? value.get<std::string>() : value.dump());
      for (const auto& [axis, ignored] : line.at("axes").items()) axes.insert(axis);
    }
    const std::vector<std::string> value_names(values.begin(), values.end()), axis_names(axes.begin(), axes.end());
    const auto wanted = term.wanted.is_string() ? term.wanted.get<std::string>() : term.wanted.dump();
    if (values.empty()) {
      diagnostics.add(term.position, fmt::format("{}: no run has a key '{}'{}", what, term.name,
                                                 suggestion(term.name, axis_names, "the axes are ")));
    } else {
      diagnostics.add(term.position, fmt::format("{} matches no run: '{}' is never {}{}", what, term.name, wanted,
                                                 suggestion(wanted, value_names, "it is ")));
    }
  }
  const auto whole = [&](const json& line) { return matches(selector, line); };
  if (each_alone && std::none_of(lines.begin(), lines.end(), whole))
    diagnostics.add(selector.position,
                    fmt::format("{} matches no run: each key alone does, but no run has all of them", what));
}

}  // namespace assay::config
