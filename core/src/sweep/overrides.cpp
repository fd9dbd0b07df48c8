#include "sweep/overrides.h"

#include <fmt/format.h>

#include <algorithm>

#include "document/parse.h"
#include "sweep/range.h"

namespace assay::sweep {
namespace {

// A string that is the label of one of the axis's values stands for that value, else for itself.
AxisValue override_value(const Dimension& dimension, const Override& override_, document::Diagnostics& diagnostics) {
  const auto* word = override_.value.as<std::string>();
  for (const auto& alternative : dimension)
    for (const auto& choice : alternative.choices)
      if (word && choice.path == override_.path && choice.shown == *word)
        for (const auto& set : alternative.sets)
          if (set.path == override_.path) return {.value = set.value, .shown = choice.shown, .text = choice.text};
  return axis_value(override_.value, diagnostics);
}

void collapse(Dimension& dimension, const Override& override_) {
  document::Diagnostics ignored;  // the value itself is checked where it is resolved
  const auto value = override_value(dimension, override_, ignored);
  for (auto& alternative : dimension)
    for (auto& set : alternative.sets) {
      if (set.path != override_.path) continue;
      set.position = override_.position;
      auto made = value;
      for (auto& choice : alternative.choices)
        if (choice.path == set.path) choice = {choice.axis, choice.path, made.shown, made.text};
      set.value = std::move(made.value);
    }
  Dimension distinct;
  for (auto& alternative : dimension)
    if (std::none_of(distinct.begin(), distinct.end(),
                     [&](const Alternative& other) { return other.choices == alternative.choices; }))
      distinct.push_back(std::move(alternative));
  dimension = std::move(distinct);
}

}  // namespace

std::vector<Override> read_overrides(const std::vector<std::string>& assignments, document::Diagnostics& diagnostics) {
  std::vector<Override> overrides;
  for (const auto& assignment : assignments) {
    const document::Position position{std::make_shared<const std::string>("--set " + assignment), 0, 0};
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      diagnostics.add(position, "an assignment must have the form key=value, for instance optimizer.lr=1e-3");
      continue;
    }
    Override made;
    made.path = document::canonical_path(document::split_key(assignment.substr(0, equals)));
    made.name = document::short_name(made.path);
    made.position = position;
    made.value = document::parse_argument_value(assignment.substr(equals + 1), position, diagnostics);
    const bool twice =
        std::any_of(overrides.begin(), overrides.end(), [&](const Override& other) { return other.path == made.path; });
    if (twice) {
      diagnostics.add(position, fmt::format("'{}' is set twice", made.name));
    } else if (made.path[0] == "sweep" || made.path[0] == "extends") {
      diagnostics.add(position,
                      fmt::format("'{}' cannot be set on the command line; set the swept key itself", made.name));
    } else {
      overrides.push_back(std::move(made));
    }
  }
  return overrides;
}

void collapse_axes(std::vector<Block>& blocks, const std::vector<Override>& overrides) {
  for (auto& block : blocks)
    for (const auto& override_ : overrides) {
      for (auto& dimension : block.dimensions) collapse(dimension, override_);
      for (auto& when : block.whens)
        for (auto& dimension : when.grid) collapse(dimension, override_);
    }
}

bool is_narrowed(const Selector& selector, const std::vector<Override>& overrides) {
  return std::any_of(selector.terms.begin(), selector.terms.end(), [&](const SelectorTerm& term) {
    return std::any_of(overrides.begin(), overrides.end(), [&](const Override& one) { return one.path == term.path; });
  });
}

}  // namespace assay::sweep
