#include "sweep/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/nearest.h"
#include "document/parse.h"

namespace assay::sweep {
namespace {

using nlohmann::json;

const std::vector<std::string> kBounds{"min", "max", "above", "below"};

bool is_condition(const document::Table& table) {
  return !table.entries.empty() &&
         std::all_of(table.entries.begin(), table.entries.end(), [](const document::Entry& entry) {
           return entry.key == "not" || std::find(kBounds.begin(), kBounds.end(), entry.key) != kBounds.end();
         });
}

void read_terms(const document::Table& table, const document::KeyPath& parent, Selector& selector) {
  for (const auto& entry : table.entries) {
    auto path = parent;
    path.push_back(entry.key);
    const auto* inner = entry.value.as<document::Table>();
    if (inner && !is_condition(*inner)) {
      read_terms(*inner, path, selector);
    } else {
      path = document::canonical_path(path);
      selector.terms.push_back({path, document::short_name(path), document::to_json(entry.value), entry.position});
    }
  }
}

// Splits at `separator`, but not inside quotes. The quotes are kept.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  char quote = 0;
  for (const char c : text) {
    if (quote == 0 && c == separator) {
      parts.emplace_back();
      continue;
    }
    if (c == '"' || c == '\'') quote = quote == 0 ? c : quote == c ? '\0' : quote;
    parts.back() += c;
  }
  return parts;
}

// Key, operator and value; the operator is empty if there is none.
struct TextTerm {
  std::string key, comparison, value;
};
TextTerm term_of(const std::string& text) {
  const auto at = text.find_first_of("=!<>");
  if (at == std::string::npos) return {text, "", ""};
  const bool two = at + 1 < text.size() && text[at] != '=' && text[at + 1] == '=';
  return {text.substr(0, at), text.substr(at, two ? 2 : 1), text.substr(at + (two ? 2 : 1))};
}

bool equals(const json& wanted, const json& value) {
  if (wanted.is_array())
    return std::any_of(wanted.begin(), wanted.end(), [&](const json& one) { return equals(one, value); });
  return wanted == value;  // 8 and 8.0 are equal
}

// Calls `use` with each value that a term names: a single value, each value of a list, and the values after "not".
template <class Json, class Use>
void for_each_value(Json& wanted, const Use& use) {
  if (wanted.is_object()) {
    if (wanted.contains("not")) for_each_value(wanted.at("not"), use);
  } else if (wanted.is_array()) {
    for (auto& one : wanted) for_each_value(one, use);
  } else {
    use(wanted);
  }
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// Labels show reals with four digits if these distinguish them, so the shown form must also select the value.
const json* shown_as(const json& wanted, const std::set<json>& values) {
  if (!wanted.is_number()) return nullptr;
  const json* found = nullptr;
  for (const auto& value : values) {
    if (!value.is_number_float()) continue;
    if (std::stod(fmt::format("{:.4g}", value.get<double>())) != wanted.get<double>()) continue;
    if (found) return nullptr;
    found = &value;
  }
  return found;
}

bool satisfies(const SelectorTerm& term, const json& value) {
  if (value.is_null()) return false;
  if (!term.wanted.is_object()) return equals(term.wanted, value);
  if (term.wanted.contains("not") && equals(term.wanted.at("not"), value)) return false;
  const auto within = [&](const char* bound, auto&& compare) {
    return !term.wanted.contains(bound) || (value.is_number() && compare(value, term.wanted.at(bound)));
  };
  return within("min", std::greater_equal<json>()) && within("max", std::less_equal<json>()) &&
         within("above", std::greater<json>()) && within("below", std::less<json>());
}

// Where a section is one component, its configuration as it is, without a copy.
const json* component_of(const record::TrainConfig& train, const std::string& section) {
  return section == "model"       ? &train.model
         : section == "optimizer" ? &train.optimizer
         : section == "scheduler" ? &train.scheduler
                                  : nullptr;
}

}  // namespace

json value_of(const document::KeyPath& path, const std::string& name, const record::PlanLine& line) {
  if (const auto axis = line.axes.find(name); axis != line.axes.end()) return *axis;
  if (name == "seed") return line.seed;  // one run of many
  if (name == "experiment") return line.experiment;
  if (path.empty()) return nullptr;  // not configuration
  const auto& train = line.train;
  json made;
  const auto* at = component_of(train, path[0]);
  if (!at) at = &(made = train.section(document::is_labelled_section(path[0]) ? path[0] + "s" : path[0]));
  for (size_t i = 1; i < path.size(); ++i) {
    const auto& part = path[i];
    if (at->is_array()) {
      const auto found = std::find_if(at->begin(), at->end(), [&](const json& item) {
        return item.is_object() && item.value("label", "") == part;
      });
      if (found == at->end()) return nullptr;
      at = &*found;
    } else {
      if (!at->is_object() || !at->contains(part)) return nullptr;
      at = &at->at(part);
    }
  }
  if (!at->is_object()) return *at;
  // A component is identified by its `use`, a file by its name in the experiment.
  for (const char* named : {"use", "name"})
    if (at->contains(named) && (*named == 'u' || at->contains("sha256"))) return at->at(named);
  return *at;
}

Selector read_selector(const document::Node& table, document::Diagnostics& diagnostics) {
  Selector selector{{}, table.position};
  if (const auto* inner = table.as<document::Table>()) read_terms(*inner, {}, selector);
  if (selector.terms.empty())
    diagnostics.add(table.position, "a selector must name at least one key, for instance { positional = \"alibi\" }");
  for (const auto& term : selector.terms) {
    if (!term.wanted.is_object()) continue;
    for (const auto& end : kBounds)
      if (term.wanted.contains(end) && !term.wanted.at(end).is_number())
        diagnostics.add(term.position, fmt::format("'{}' of '{}' must be a number", end, term.name));
  }
  return selector;
}

Selector selector_of_text(const std::string& text, const std::string& origin, document::Diagnostics& diagnostics) {
  static const std::map<std::string, const char*> kWords{
      {"!=", "not"}, {"<", "below"}, {"<=", "max"}, {">", "above"}, {">=", "min"}};
  const document::Position position{std::make_shared<const std::string>(origin), 0, 0};
  Selector selector{{}, position};
  for (const auto& part : split(text, ' ')) {
    if (part.empty()) continue;
    const auto [key, comparison, value] = term_of(part);
    const auto word = kWords.find(comparison);
    if (key.empty() || value.empty() || (comparison != "=" && word == kWords.end())) {
      diagnostics.add(
          position,
          fmt::format("'{}' is not a valid selector term; write positional=alibi,t5 or optimizer.lr<1e-2", part));
      continue;
    }
    json wanted = json::array();
    for (const auto& one : split(value, ','))
      wanted.push_back(document::to_json(document::parse_argument_value(one, position, diagnostics)));
    if (wanted.size() == 1) wanted = json(wanted[0]);
    const bool bound = word != kWords.end() && comparison != "!=";
    if (bound && !wanted.is_number()) {
      diagnostics.add(position, fmt::format("'{}': {} needs a number", part, comparison));
      continue;
    }
    const auto path = document::canonical_path(document::split_key(key));
    const auto name = document::short_name(path);
    if (word != kWords.end()) wanted = {{word->second, wanted}};
    const auto same = [&](const SelectorTerm& other) { return other.path == path && other.wanted.is_object(); };
    const auto before = std::find_if(selector.terms.begin(), selector.terms.end(), same);
    if (bound && before != selector.terms.end())
      before->wanted.update(wanted);  // lr>1e-3 lr<1e-2
    else
      selector.terms.push_back({path, name, std::move(wanted), position});
  }
  if (selector.terms.empty() && diagnostics.empty())
    diagnostics.add(position, "a selector must name at least one key, for instance positional=alibi");
  return selector;
}

void resolve_number(SelectorTerm& term, const std::set<json>& values) {
  for_each_value(term.wanted, [&](json& wanted) {
    if (values.contains(wanted)) return;
    if (const auto* value = shown_as(wanted, values)) wanted = *value;
  });
}

bool names_another_number(const SelectorTerm& term, const std::set<json>& values) {
  bool found = false;
  for_each_value(term.wanted, [&](const json& wanted) { found |= wanted.is_number() && !values.contains(wanted); });
  return found;
}

Selector resolved(Selector selector, const std::vector<const record::PlanLine*>& lines) {
  for (auto& term : selector.terms) {
    std::set<json> values;
    for (const auto* line : lines) values.insert(value_of(term.path, term.name, *line));
    resolve_number(term, values);
  }
  return selector;
}

std::vector<const record::PlanLine*> pointers_to(const std::vector<record::PlanLine>& lines) {
  std::vector<const record::PlanLine*> pointers;
  for (const auto& line : lines) pointers.push_back(&line);
  return pointers;
}

bool matches(const SelectorTerm& term, const record::PlanLine& line) {
  return satisfies(term, value_of(term.path, term.name, line));
}

bool matches(const Selector& selector, const record::PlanLine& line) {
  return std::all_of(selector.terms.begin(), selector.terms.end(),
                     [&](const auto& term) { return matches(term, line); });
}

namespace {

SelectorUse use_among(const Selector& selector, const std::vector<const record::PlanLine*>& lines) {
  SelectorUse use(resolved(selector, lines));
  for (const auto* line : lines)
    use.matches([&](const SelectorTerm& term) { return value_of(term.path, term.name, *line); });
  return use;
}

}  // namespace

void require_match(const Selector& selector, const std::vector<const record::PlanLine*>& lines, const std::string& what,
                   document::Diagnostics& diagnostics) {
  std::set<std::string> axes;
  for (const auto* line : lines)
    for (const auto& [axis, ignored] : line->axes.items()) axes.insert(axis);
  use_among(selector, lines).require_match(what, axes, diagnostics);
}

void require_known_values(const Selector& selector, const std::vector<const record::PlanLine*>& lines,
                          const std::string& what, document::Diagnostics& diagnostics) {
  use_among(selector, lines).require_known_values(what, diagnostics);
}

bool SelectorUse::matches(const ValueOf& value_of) {
  bool all = true;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const auto value = value_of(selector_.terms[i]);
    const bool one = satisfies(selector_.terms[i], value);
    if (!value.is_null()) terms_[i].values.insert(value);
    terms_[i].matched |= one;
    all &= one;
  }
  matched_ |= all;
  return all;
}

Selector SelectorUse::resolved() const {
  auto selector = selector_;
  for (size_t i = 0; i < terms_.size(); ++i) resolve_number(selector.terms[i], terms_[i].values);
  return selector;
}

std::vector<std::string> SelectorUse::Seen::names() const {
  std::vector<std::string> names;
  for (const auto& value : values) names.push_back(text_of(value));
  return names;
}

bool SelectorUse::require_known_values(const std::string& what, document::Diagnostics& diagnostics) const {
  bool known = true;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const auto& seen = terms_[i];
    const auto& term = selector_.terms[i];
    if (seen.values.empty()) continue;
    for_each_value(term.wanted, [&](const json& wanted) {
      if (seen.values.contains(wanted)) return;
      known = false;
      diagnostics.add(term.position,
                      fmt::format("{}{}: no run has {} = {}{}", what, matched_ ? "" : " matches no run", term.name,
                                  text_of(wanted), base::suggestion(text_of(wanted), seen.names(), "its values are ")));
    });
  }
  return known;
}

bool SelectorUse::require_keys(const std::string& what, const std::set<std::string>& axes,
                               document::Diagnostics& diagnostics) const {
  bool known = true;
  const std::vector<std::string> names(axes.begin(), axes.end());
  for (size_t i = 0; i < terms_.size(); ++i) {
    if (!terms_[i].values.empty()) continue;
    known = false;
    const auto& term = selector_.terms[i];
    diagnostics.add(term.position, fmt::format("{}: no run has a key '{}'{}", what, term.name,
                                               base::suggestion(term.name, names, "the axes are ")));
  }
  return known;
}

bool SelectorUse::require_satisfiable_conditions(const std::string& what, document::Diagnostics& diagnostics) const {
  bool satisfiable = true;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const auto& seen = terms_[i];
    const auto& term = selector_.terms[i];
    const bool is_condition = term.wanted.is_object() || term.wanted.empty();
    if (seen.values.empty() || seen.matched || !is_condition) continue;
    satisfiable = false;
    diagnostics.add(term.position, fmt::format("{} matches no run: no value of '{}' satisfies {}{}", what, term.name,
                                               term.wanted.dump(),
                                               base::suggestion(term.wanted.dump(), seen.names(), "its values are ")));
  }
  return satisfiable;
}

void SelectorUse::require_match(const std::string& what, const std::set<std::string>& axes,
                                document::Diagnostics& diagnostics) const {
  bool each_alone = require_known_values(what, diagnostics);
  if (matched_) return;
  each_alone &= require_keys(what, axes, diagnostics);
  each_alone &= require_satisfiable_conditions(what, diagnostics);
  if (each_alone)
    diagnostics.add(
        selector_.position,
        fmt::format("{} matches no run: each key alone matches a run, but no run matches all of them", what));
}

}  // namespace assay::sweep
