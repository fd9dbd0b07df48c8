// Selects runs by a partial assignment such as { positional = "alibi", optimizer.lr = { min = 1e-3 } }.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"
#include "record/plan_line/plan_line.h"

namespace assay::sweep {

struct SelectorTerm {
  document::KeyPath path;  // canonical
  std::string name;
  nlohmann::json wanted;  // a value; a list: any of these; {"not": value}; {"min": a, "max": b}, both ends included;
  // {"above": a, "below": b}, both ends excluded
  document::Position position;
};

struct Selector {
  std::vector<SelectorTerm> terms;
  document::Position position;
};

Selector read_selector(const document::Node& table, document::Diagnostics& diagnostics);

// The form for command lines: terms separated by spaces, each key=a,b (any of these), key!=a, key<a, key<=a, key>a or
// key>=a; spaces and commas inside quotes do not separate. Messages name `origin` ("--only") in place of a file.
Selector selector_of_text(const std::string& text, const std::string& origin, document::Diagnostics& diagnostics);

// The value of a key in a plan line: for an axis its label, for any other key its resolved value (for a component its
// name); null when the run has no such key.
nlohmann::json value_of(const document::KeyPath& path, const std::string& name, const record::PlanLine& line);

// Replaces a number that is not itself one of the values, but is the displayed form of exactly one of them (0.003162),
// by that value. The caller settles the selector among all lines before it matches them.
void resolve_number(SelectorTerm& term, const std::set<nlohmann::json>& values);
// Whether the term names a number that is not one of the values.
bool names_another_number(const SelectorTerm& term, const std::set<nlohmann::json>& values);
Selector resolved(Selector selector, const std::vector<const record::PlanLine*>& lines);
std::vector<const record::PlanLine*> pointers_to(const std::vector<record::PlanLine>& lines);

// `line` is a plan line. An axis is compared by its label, any other key by its resolved value (a component by its
// name).
bool matches(const SelectorTerm& term, const record::PlanLine& line);
bool matches(const Selector& selector, const record::PlanLine& line);

// Reports a selector that matches nothing, and a value that no line has (a single value, in a list or after "not"),
// because such a selector would not select what its author means. `what` names the selector ("baseline").
void require_match(const Selector& selector, const std::vector<const record::PlanLine*>& lines, const std::string& what,
                   document::Diagnostics& diagnostics);
// Only the second of these checks.
void require_known_values(const Selector& selector, const std::vector<const record::PlanLine*>& lines,
                          const std::string& what, document::Diagnostics& diagnostics);

// The same for candidates that are not plan lines yet: it is matched against one candidate after another and can then
// report why it never matched.
class SelectorUse {
 public:
  // The value of a term's key, null if the candidate does not have the key.
  using ValueOf = std::function<nlohmann::json(const SelectorTerm&)>;

  explicit SelectorUse(Selector selector) : selector_(std::move(selector)), terms_(selector_.terms.size()) {}
  bool matches(const ValueOf& value_of);
  // The selector, resolved among the values of the candidates.
  Selector resolved() const;
  // The next two require a resolved selector.
  void require_match(const std::string& what, const std::set<std::string>& axes,
                     document::Diagnostics& diagnostics) const;
  // Reports values of the selector that no candidate had; returns false if there are any.
  bool require_known_values(const std::string& what, document::Diagnostics& diagnostics) const;
  const Selector& selector() const { return selector_; }

 private:
  struct Seen {
    bool matched = false;
    std::set<nlohmann::json> values;
    std::vector<std::string> names() const;  // of the values
  };
  // These report terms whose key no candidate has, or whose condition no value satisfies; they return false if there
  // are any.
  bool require_keys(const std::string& what, const std::set<std::string>& axes,
                    document::Diagnostics& diagnostics) const;
  bool require_satisfiable_conditions(const std::string& what, document::Diagnostics& diagnostics) const;

  Selector selector_;
  std::vector<Seen> terms_;
  bool matched_ = false;
};

}  // namespace assay::sweep
