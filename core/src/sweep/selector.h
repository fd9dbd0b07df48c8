// Which runs: a partial assignment such as { positional = "alibi", optimizer.lr = { min = 1e-3 } }.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"

namespace assay::sweep {

struct SelectorTerm {
  document::KeyPath path;  // canonical
  std::string name;
  nlohmann::json wanted;  // a value; a list: any of these; {"not": value}; {"min": a, "max": b}, both ends counted;
                          // {"above": a, "below": b}, neither
  document::Position position;
};

struct Selector {
  std::vector<SelectorTerm> terms;
  document::Position position;
};

Selector read_selector(const document::Node& table, document::Diagnostics& diagnostics);

// The form for command lines: terms apart by spaces, each key=a,b (any of these), key!=a, key<a, key<=a, key>a or
// key>=a; quotes keep spaces and commas together. `origin` stands for a file in messages ("--only").
Selector selector_of_text(const std::string& text, const std::string& origin, document::Diagnostics& diagnostics);

// What a plan line has at a key: of an axis its label, of any other key its resolved value (of a component its name);
// null when the run has no such key.
nlohmann::json value_of(const document::KeyPath& path, const std::string& name, const nlohmann::json& line);

// A number that is none of the values themselves, but what the label of exactly one of them shows (0.003162), becomes
// that value. Whoever matches lines settles the selector among all of them first.
void settle(SelectorTerm& term, const std::set<nlohmann::json>& values);
// Whether the term names a number that is none of the values.
bool names_another_number(const SelectorTerm& term, const std::set<nlohmann::json>& values);
Selector settled(Selector selector, const std::vector<const nlohmann::json*>& lines);
std::vector<const nlohmann::json*> pointers_to(const std::vector<nlohmann::json>& lines);

// `line` is a plan line. An axis counts by its label, any other key by its resolved value (a component by its name).
bool matches(const SelectorTerm& term, const nlohmann::json& line);
bool matches(const Selector& selector, const nlohmann::json& line);

// A selector that matches nothing is an error, and so is a value that no line has, alone, in a list or behind "not":
// the latter would select what its author did not mean. `what` names the selector ("baseline").
void require_match(const Selector& selector, const std::vector<const nlohmann::json*>& lines, const std::string& what,
                   document::Diagnostics& diagnostics);
// The second alone.
void require_known_values(const Selector& selector, const std::vector<const nlohmann::json*>& lines,
                          const std::string& what, document::Diagnostics& diagnostics);

// The same for what is no plan line yet: asked about one candidate after another, it can say in the end why it never
// matched.
class SelectorUse {
 public:
  // The value of a term's key, null where the candidate has none.
  using ValueOf = std::function<nlohmann::json(const SelectorTerm&)>;

  explicit SelectorUse(Selector selector) : selector_(std::move(selector)), terms_(selector_.terms.size()) {}
  bool matches(const ValueOf& value_of);
  // The selector, settled among the values of the candidates.
  Selector settled() const;
  // These are for a settled selector.
  void require_match(const std::string& what, const std::set<std::string>& axes,
                     document::Diagnostics& diagnostics) const;
  // False, and reported, where the selector names a value that no candidate had.
  bool require_known_values(const std::string& what, document::Diagnostics& diagnostics) const;
  const Selector& selector() const { return selector_; }

 private:
  struct Seen {
    bool matched = false;
    std::set<nlohmann::json> values;
    std::vector<std::string> names() const;  // of the values
  };
  // Each is false, and reported, where a term has no key, or a condition that no value satisfies.
  bool require_keys(const std::string& what, const std::set<std::string>& axes,
                    document::Diagnostics& diagnostics) const;
  bool require_satisfiable_conditions(const std::string& what, document::Diagnostics& diagnostics) const;

  Selector selector_;
  std::vector<Seen> terms_;
  bool matched_ = false;
};

}  // namespace assay::sweep
