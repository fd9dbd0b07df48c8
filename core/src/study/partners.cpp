#include "study/partners.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace assay::study {

using nlohmann::json;

std::vector<const record::PlanLine*> first_lines(const std::vector<record::PlanLine>& lines) {
  std::vector<const record::PlanLine*> first;
  std::set<std::string> known;
  for (const auto& line : lines)
    if (known.insert(line.group).second) first.push_back(&line);
  return first;
}

Partners::Partners(std::vector<const record::PlanLine*> rows) : rows_(std::move(rows)) {
  std::map<std::string, std::map<std::string, int>> numbers;  // axis -> text of a value -> its number
  for (const auto* row : rows_)
    for (const auto& [axis, value] : row->axes.items()) {
      auto& known = numbers[axis];
      known.try_emplace(value.dump(), static_cast<int>(known.size()));
    }
  for (const auto& [axis, ignored] : numbers) axes_.push_back(axis);
  for (const auto* row : rows_) {
    auto& values = values_.emplace_back();
    const auto& axes = row->axes;
    for (const auto& axis : axes_) {
      const auto found = axes.find(axis);
      values.push_back(found == axes.end() ? kAbsent : numbers[axis].at(found->dump()));
    }
  }
}

std::vector<size_t> Partners::matching(const sweep::Selector& selector) const {
  const auto exact = sweep::resolved(selector, rows_);
  std::vector<size_t> found;
  for (size_t i = 0; i < rows_.size(); ++i)
    if (sweep::matches(exact, *rows_[i])) found.push_back(i);
  return found;
}

Partners::Free Partners::free_axes(const sweep::Selector* left, const sweep::Selector& right) {
  const auto term_of = [](const sweep::Selector* selector, const std::string& name) -> const json* {
    if (selector)
      for (const auto& term : selector->terms)
        if (term.name == name) return &term.wanted;
    return nullptr;
  };
  Free free;
  const auto consider = [&](const sweep::Selector* selector) {
    if (!selector) return;
    for (const auto& term : selector->terms) {
      const auto *a = term_of(left, term.name), *b = term_of(&right, term.name);
      const bool alike = a && b && *a == *b;
      const bool fixed = !left || (a && a->is_primitive()) || (b && b->is_primitive());
      if (!alike && (fixed || (a && b))) free.push_back(term.name);
    }
  };
  consider(left);
  consider(&right);
  return free;
}

std::vector<bool> Partners::bound_axes(const Free& free) const {
  std::vector<bool> bound;
  for (const auto& axis : axes_) bound.push_back(std::find(free.begin(), free.end(), axis) == free.end());
  return bound;
}

// Counts the axes that only one of two rows has and whose resolved values exist in both and differ.
size_t Partners::disagreements(size_t row, size_t other, const std::vector<bool>& bound) const {
  size_t count = 0;
  for (size_t i = 0; i < axes_.size(); ++i) {
    if (!bound[i] || (values_[row][i] == kAbsent) == (values_[other][i] == kAbsent)) continue;
    const auto path = document::canonical_path(document::split_key(axes_[i]));
    const auto a = sweep::value_of(path, axes_[i], *rows_[row]), b = sweep::value_of(path, axes_[i], *rows_[other]);
    count += !a.is_null() && !b.is_null() && a != b;
  }
  return count;
}

std::vector<size_t> Partners::of(size_t row, const std::vector<size_t>& candidates, const Free& free) const {
  const auto bound = bound_axes(free);
  std::vector<size_t> agreeing;
  for (const auto candidate : candidates) {
    bool agrees = true;
    for (size_t i = 0; agrees && i < axes_.size(); ++i) {
      const int a = values_[row][i], b = values_[candidate][i];
      agrees = !bound[i] || a == b || a == kAbsent || b == kAbsent;
    }
    if (agrees) agreeing.push_back(candidate);
  }
  if (agreeing.size() < 2) return agreeing;
  std::vector<size_t> counts;
  for (const auto candidate : agreeing) counts.push_back(disagreements(row, candidate, bound));
  const auto fewest = *std::min_element(counts.begin(), counts.end());
  std::vector<size_t> best;
  for (size_t i = 0; i < agreeing.size(); ++i)
    if (counts[i] == fewest) best.push_back(agreeing[i]);
  return best;
}

std::vector<std::vector<size_t>> Partners::families(const std::vector<size_t>& rows, const Free& free) const {
  const auto bound = bound_axes(free);
  std::vector<std::vector<size_t>> families;
  std::map<std::vector<int>, size_t> index;
  for (const auto row : rows) {
    auto key = values_[row];
    for (size_t i = 0; i < key.size(); ++i)
      if (!bound[i]) key[i] = kAbsent;
    const auto [found, is_new] = index.try_emplace(key, families.size());
    if (is_new) families.emplace_back();
    families[found->second].push_back(row);
  }
  return families;
}

std::string Partners::why_none(size_t row, const std::vector<size_t>& candidates, const Free& free) const {
  const auto bound = bound_axes(free);
  for (size_t i = 0; i < axes_.size(); ++i) {
    if (!bound[i] || values_[row][i] == kAbsent) continue;
    const auto same = [&](size_t other) {
      return values_[other][i] == values_[row][i] || values_[other][i] == kAbsent;
    };
    if (std::none_of(candidates.begin(), candidates.end(), same))
      return fmt::format("no row there has {} = {}", axes_[i], rows_[row]->axes.at(axes_[i]).dump());
  }
  return "no row there agrees with it in every other axis";
}

}  // namespace assay::study
