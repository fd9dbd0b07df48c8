#include "config/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "config/nearest.h"
#include "config/parse.h"

namespace assay::config {
namespace {

using nlohmann::json;

const std::vector<std::string> kBounds{"min", "max", "above", "below"};

bool is_condition(const Table& table) {
  return !table.entries.empty() && std::all_of(table.entries.begin(), table.entries.end(), [](const Entry& entry) {
    return entry.key == "not" || std::find(kBounds.begin(), kBounds.end(), entry.key) != kBounds.end();
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

// Parts at `separator`, with what stands in quotes together (the quotes stay).
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

// key, operator and what follows; the operator is empty where there is none.
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
  if (wanted == value) return true;  // 8 and 8.0 are equal
  // Labels show reals by four digits, and what they show selects, too.
  return wanted.is_number_float() && value.is_number_float() &&
         fmt::format("{}", wanted.get<double>()) ==
             fmt::format("{}", std::stod(fmt::format("{:.4g}", value.get<double>())));
}

bool holds(const SelectorTerm& term, const json& value) {
  if (value.is_null()) return false;
  if (!term.wanted.is_object()) return equals(term.wanted, value);
  if (term.wanted.contains("not") && equals(term.wanted.at("not"), value)) return false;
  const auto within = [&](const char* bound, auto&& holds) {
    return !term.wanted.contains(bound) || (value.is_number() && holds(value, term.wanted.at(bound)));
  };
  return within("min", std::greater_equal<json>()) && within("max", std::less_equal<json>()) &&
         within("above", std::greater<json>()) && within("below", std::less<json>());
}

}  // namespace

json value_of(const KeyPath& path, const std::string& name, const json& line) {
  const auto& axes = line.at("axes");
  if (const auto axis = axes.find(name); axis != axes.end()) return *axis;
  if (name == "seed" || name == "experiment") return line.value(name, json());  // one run of many
  const json* at = &line.at("train");
  for (size_t i = 0; i < path.size(); ++i) {
    const auto& part = path[i];
    const auto key = i == 0 && is_labelled_section(part) ? part + "s" : part;
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
  if (!at->is_object()) return *at;
  // A component is named by its `use`, a file by what the experiment calls it.
  for (const char* named : {"use", "name"})
    if (at->contains(named) && (*named == 'u' || at->contains("sha256"))) return at->at(named);
  return *at;
}

Selector read_selector(const Node& table, Diagnostics& diagnostics) {
  Selector selector{{}, table.position};
  if (const auto* inner = table.as<Table>()) read_terms(*inner, {}, selector);
  if (selector.terms.empty())
    diagnostics.add(table.position, "a selector names at least one key: { positional = \"alibi\" }");
  for (const auto& term : selector.terms) {
    if (!term.wanted.is_object()) continue;
    for (const auto& end : kBounds)
      if (term.wanted.contains(end) && !term.wanted.at(end).is_number())
        diagnostics.add(term.position, fmt::format("'{}' of '{}' must be a number", end, term.name));
  }
  return selector;
}

Selector selector_of_text(const std::string& text, const std::string& origin, Diagnostics& diagnostics) {
  static const std::map<std::string, const char*> kWords{
      {"!=", "not"}, {"<", "below"}, {"<=", "max"}, {">", "above"}, {">=", "min"}};
  const Position position{std::make_shared<const std::string>(origin), 0, 0};
  Selector selector{{}, position};
  for (const auto& part : split(text, ' ')) {
    if (part.empty()) continue;
    const auto [key, comparison, value] = term_of(part);
    const auto word = kWords.find(comparison);
    if (key.empty() || value.empty() || (comparison != "=" && word == kWords.end())) {
      diagnostics.add(
          position, fmt::format("'{}' is no term of a selector; write positional=alibi,t5 or optimizer.lr<1e-2", part));
      continue;
    }
    json wanted = json::array();
    for (const auto& one : split(value, ','))
      wanted.push_back(to_json(parse_argument_value(one, position, diagnostics)));
    if (wanted.size() == 1) wanted = json(wanted[0]);
    const bool bound = word != kWords.end() && comparison != "!=";
    if (bound && !wanted.is_number()) {
      diagnostics.add(position, fmt::format("'{}': {} wants a number", part, comparison));
      continue;
    }
    const auto path = canonical_path(split_key(key));
    const auto name = short_name(path);
    if (word != kWords.end()) wanted = {{word->second, wanted}};
    const auto same = [&](const SelectorTerm& other) { return other.path == path && other.wanted.is_object(); };
    const auto before = std::find_if(selector.terms.begin(), selector.terms.end(), same);
    if (bound && before != selector.terms.end())
      before->wanted.update(wanted);  // lr>1e-3 lr<1e-2
    else
      selector.terms.push_back({path, name, std::move(wanted), position});
  }
  if (selector.terms.empty() && diagnostics.empty())
    diagnostics.add(position, "a selector names at least one key: positional=alibi");
  return selector;
}

bool matches(const SelectorTerm& term, const json& line) { return holds(term, value_of(term.path, term.name, line)); }

bool matches(const Selector& selector, const json& line) {
  return std::all_of(selector.terms.begin(), selector.terms.end(),
                     [&](const auto& term) { return matches(term, line); });
}

void require_match(const Selector& selector, const std::vector<json>& lines, const std::string& what,
                   Diagnostics& diagnostics) {
  SelectorUse use(selector);
  std::set<std::string> axes;
  for (const auto& line : lines) {
    use.matches([&](const SelectorTerm& term) { return value_of(term.path, term.name, line); });
    for (const auto& [axis, ignored] : line.at("axes").items()) axes.insert(axis);
  }
  use.require_match(what, axes, diagnostics);
}

bool SelectorUse::matches(const ValueOf& value_of) {
  bool all = true;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const auto value = value_of(selector_.terms[i]);
    const bool one = holds(selector_.terms[i], value);
    if (!value.is_null()) terms_[i].values.insert(value.is_string() ? value.get<std::string>() : value.dump());
    terms_[i].matched |= one;
    all &= one;
  }
  matched_ |= all;
  return all;
}

void SelectorUse::require_match(const std::string& what, const std::set<std::string>& axes,
                                Diagnostics& diagnostics) const {
  if (matched_) return;
  bool each_alone = true;
  for (size_t i = 0; i < terms_.size(); ++i) {
    if (terms_[i].matched) continue;
    each_alone = false;
    const auto& term = selector_.terms[i];
    const auto& values = terms_[i].values;
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
  if (each_alone)
    diagnostics.add(selector_.position,
                    fmt::format("{} matches no run: each key alone does, but no run has all of them", what));
}

}  // namespace assay::config
