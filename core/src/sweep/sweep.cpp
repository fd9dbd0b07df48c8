#include "sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "document/expression.h"
#include "document/merge.h"
#include "document/set_path.h"
#include "schema/key_defaults.h"
#include "sweep/overrides.h"
#include "sweep/range.h"

namespace assay::sweep {
namespace {

bool assigns(const std::vector<const Alternative*>& chosen, const document::KeyPath& path) {
  return std::any_of(chosen.begin(), chosen.end(), [&](const Alternative* one) {
    return std::any_of(one->sets.begin(), one->sets.end(), [&](const Assignment& set) { return set.path == path; });
  });
}

// Calls `use` with one alternative of each dimension, the last dimension varying fastest, until it returns false.
bool multiply(const std::vector<Dimension>& dimensions, size_t at, std::vector<const Alternative*>& chosen,
              const std::function<bool()>& use) {
  if (at == dimensions.size()) return use();
  bool continues = true;
  for (const auto& alternative : dimensions[at]) {
    chosen.push_back(&alternative);
    continues = multiply(dimensions, at + 1, chosen, use);
    chosen.pop_back();
    if (!continues) break;
  }
  return continues;
}

// The number of combinations before exclusion, capped at a value that is too large in any case.
size_t product_of(const std::vector<Dimension>& dimensions) {
  constexpr size_t kFarTooMany = 1000 * kMaxRuns;
  size_t product = 1;
  for (const auto& dimension : dimensions) product = std::min(product * dimension.size(), kFarTooMany);
  return product;
}

// If two were set, the last would win silently.
void require_one_budget(const std::vector<const Assignment*>& assignments, document::Diagnostics& diagnostics) {
  const Assignment* budget = nullptr;
  for (const auto* one : assignments) {
    if (one->path.size() != 2 || one->path[0] != "train" || !document::is_budget(one->path[1])) continue;
    if (budget && budget->path != one->path)
      return diagnostics.add(one->position,
                             fmt::format("one combination sets two budgets, '{}' and '{}'; a run must have one",
                                         document::short_name(budget->path), document::short_name(one->path)));
    budget = one;
  }
}

// Whether the chosen value is an expression. The label of a value, or of a case, is text.
bool is_expression(const Choice& choice, const std::vector<const Alternative*>& chosen) {
  return std::any_of(chosen.begin(), chosen.end(), [&](const Alternative* one) {
    return std::any_of(one->sets.begin(), one->sets.end(), [&](const Assignment& set) {
      return set.path == choice.path && document::is_expression(set.value);
    });
  });
}

// The values that combinations of a block can have at a key before expressions are evaluated.
struct AxisValues {
  std::set<nlohmann::json> values;
  bool are_all = false;  // the key is an axis and none of its values is an expression
};
AxisValues axis_values(const Block& block, const std::string& axis) {
  AxisValues found;
  const auto add = [&](const std::vector<Dimension>& dimensions, bool in_every_combination) {
    for (const auto& dimension : dimensions)
      for (const auto& alternative : dimension)
        for (const auto& choice : alternative.choices) {
          if (choice.axis != axis) continue;
          found.are_all = (found.are_all || found.values.empty()) && in_every_combination;
          found.are_all &= !is_expression(choice, {&alternative});
          found.values.insert(choice.shown);
        }
  };
  add(block.dimensions, true);
  for (const auto& when : block.whens) add(when.grid, false);
  return found;
}

// Settles the selector among the values of the block's axes. Returns false where a number may be a value that only
// combinations have: a default, or the value of an expression. Each number changes at most once, because the displayed
// form of a value is never another value with such a label.
bool resolve_in(const Block& block, Selector& selector) {
  bool resolved = true;
  for (auto& term : selector.terms) {
    const auto axis = axis_values(block, term.name);
    if (axis.are_all)
      resolve_number(term, axis.values);
    else
      resolved &= !names_another_number(term, axis.values);
  }
  return resolved;
}

// The choice with its value in this combination.
Choice evaluated(const Choice& choice, const document::Node& document) {
  const auto* node = document::find_path(document, choice.path);
  if (!node) return choice;
  document::Diagnostics ignored;
  const auto value = axis_value(*node, ignored);
  return {choice.axis, choice.path, value.shown, value.text};
}

}  // namespace

Sweep::Sweep(const document::Node& base, std::vector<Block> blocks, const std::vector<Override>& overrides,
             const schema::Catalogue& catalogue, document::Diagnostics& diagnostics)
    : base_(base),
      blocks_(std::move(blocks)),
      overrides_(overrides),
      catalogue_(catalogue),
      diagnostics_(diagnostics) {}

std::vector<std::string> Sweep::axes() const {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Dimension>& dimensions) {
    for (const auto& dimension : dimensions)
      for (const auto& alternative : dimension)
        for (const auto& choice : alternative.choices)
          if (std::find(names.begin(), names.end(), choice.axis) == names.end()) names.push_back(choice.axis);
  };
  for (const auto& block : blocks_) {
    add(block.dimensions);
    for (const auto& when : block.whens) add(when.grid);
  }
  return names;
}

void Sweep::for_each(size_t most, const std::function<void(Combination)>& use) {
  count_ = 0;
  most_ = most;
  use_ = &use;
  for (const auto& block : blocks_) {
    if (product_of(block.dimensions) > (block.excludes.empty() ? most_ - count_ : 100 * kMaxRuns)) {
      count_ = most_ + 1;
      break;
    }
    Conditions conditions;
    for (const auto& when : block.whens) conditions.whens.emplace_back(when.condition);
    for (const auto& exclude : block.excludes) conditions.excludes.emplace_back(exclude);
    resolve_selectors(block, conditions);
    Partial partial;
    multiply(block.dimensions, 0, partial.chosen, [&] {
      return expand(block, 0, partial, conditions.whens, [&] { return emit(partial, conditions.excludes); });
    });
    if (count_ > most_) break;
    require_matches(conditions.whens, "'if'");
    require_matches(conditions.excludes, "'exclude'");
  }
  if (count_ == 0 && diagnostics_.empty())
    diagnostics_.add(base_.position, "the sweep excludes every combination; at least one must remain");
  if (count_ > most_)
    diagnostics_.add(base_.position,
                     fmt::format("the sweep must have at most {} runs, but has more; make it smaller", kMaxRuns));
}

// An axis that --set has narrowed may leave a condition without a matching run; that is intended, not an error.
void Sweep::require_matches(const std::vector<SelectorUse>& uses, const char* what) const {
  const auto names = axes();
  for (const auto& use : uses)
    if (!is_narrowed(use.selector(), overrides_)) use.require_match(what, {names.begin(), names.end()}, diagnostics_);
}

// The selection of one condition determines which values a later condition sees, so this is repeated until nothing
// changes.
void Sweep::resolve_selectors(const Block& block, Conditions& conditions) const {
  bool resolved = true;
  for (auto* uses : {&conditions.whens, &conditions.excludes})
    for (auto& use : *uses) {
      auto selector = use.selector();
      resolved &= resolve_in(block, selector);
      use = SelectorUse(std::move(selector));
    }
  while (!resolved) {
    size_t seen = 0;
    Partial partial;
    const auto look = [&] {
      document::Diagnostics ignored;
      const auto combination = document_of(partial, ignored);
      for (auto& exclude : conditions.excludes) matches(exclude, combination);
      return ++seen < 100 * kMaxRuns;
    };
    multiply(block.dimensions, 0, partial.chosen, [&] { return expand(block, 0, partial, conditions.whens, look); });
    resolved = true;
    for (auto* uses : {&conditions.whens, &conditions.excludes})
      for (auto& use : *uses) {
        auto selector = use.resolved();
        for (size_t i = 0; i < selector.terms.size(); ++i)
          resolved &= selector.terms[i].wanted == use.selector().terms[i].wanted;
        use = SelectorUse(std::move(selector));
      }
  }
}

// Calls `use` with each completion of the partial choice, until it returns false.
bool Sweep::expand(const Block& block, size_t when, Partial& partial, std::vector<SelectorUse>& whens,
                   const std::function<bool()>& use) const {
  if (when == block.whens.size()) return use();
  document::Diagnostics of_it_so_far;  // reported when the combination is complete
  if (!matches(whens[when], document_of(partial, of_it_so_far))) return expand(block, when + 1, partial, whens, use);
  for (const auto& dimension : block.whens[when].grid)
    for (const auto& alternative : dimension)
      for (const auto& set : alternative.sets)
        if (assigns(partial.chosen, set.path)) {
          diagnostics_.add(set.position,
                           fmt::format("axis '{}' is given twice in one combination", document::short_name(set.path)));
          return true;
        }
  return multiply(block.whens[when].grid, 0, partial.chosen,
                  [&] { return expand(block, when + 1, partial, whens, use); });
}

bool Sweep::emit(const Partial& partial, std::vector<SelectorUse>& excludes) {
  document::Diagnostics found;
  auto combination = document_of(partial, found);
  bool is_dropped = false;  // every exclude is evaluated, because one that never matches is an error
  for (auto& exclude : excludes) is_dropped |= matches(exclude, combination);
  if (is_dropped) return true;
  diagnostics_.add_all(found);
  if (++count_ > most_) return false;
  (*use_)(std::move(combination));
  return true;
}

// Assignments nearer to the root are applied first, so that a swept component is set before its keys.
Combination Sweep::document_of(const Partial& partial, document::Diagnostics& diagnostics) const {
  std::vector<const Assignment*> assignments;
  Combination combination;
  for (const auto* alternative : partial.chosen) {
    for (const auto& set : alternative->sets) assignments.push_back(&set);
    combination.choices.insert(combination.choices.end(), alternative->choices.begin(), alternative->choices.end());
  }
  std::vector<Assignment> overrides;
  for (const auto& one : overrides_)
    if (!assigns(partial.chosen, one.path)) overrides.push_back({one.path, one.position, one.value});
  for (const auto& one : overrides) assignments.push_back(&one);
  require_one_budget(assignments, diagnostics);
  std::stable_sort(assignments.begin(), assignments.end(),
                   [](const auto* a, const auto* b) { return a->path.size() < b->path.size(); });
  combination.document = base_;
  for (const auto* one : assignments)
    document::set_path(combination.document, one->path, one->position, one->value, diagnostics);
  document::expand_shorthands(combination.document, diagnostics);  // a swept [[objective]] list may hold bare names
  const auto& document = combination.document;
  document::evaluate_expressions(
      combination.document,
      {.default_of = [&](const document::KeyPath& path) { return schema::default_of_key(document, catalogue_, path); },
       .is_text = [&](const document::KeyPath& path) { return schema::takes_text(document, catalogue_, path); }},
      diagnostics);
  for (auto& choice : combination.choices)
    if (is_expression(choice, partial.chosen)) choice = evaluated(choice, combination.document);
  return combination;
}

bool Sweep::matches(SelectorUse& use, const Combination& combination) const {
  return use.matches([&](const SelectorTerm& term) -> nlohmann::json {
    for (const auto& choice : combination.choices)
      if (choice.axis == term.name) return choice.shown;
    const auto* node = document::find_path(combination.document, term.path);
    const auto fallback = node ? std::nullopt : schema::default_of_key(combination.document, catalogue_, term.path);
    if (!node && !fallback) return nullptr;
    auto value = document::to_json(node ? *node : *fallback);
    return value.is_object() && value.contains("use") ? value.at("use") : value;
  });
}

}  // namespace assay::sweep
