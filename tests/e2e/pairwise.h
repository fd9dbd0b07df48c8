// Rows in which every pair of options of different choices occurs at least once: a test of all combinations would find
// the same faults of two options, but needs many more rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace assay::testing {

// counts: number of options per choice; a row has one option per choice. The search is greedy: for each choice, a row
// takes the option that adds the most new pairs. The result is deterministic.
inline std::vector<std::vector<size_t>> pairwise(const std::vector<size_t>& counts) {
  using Option = std::pair<size_t, size_t>;  // choice, its option
  std::set<std::pair<Option, Option>> missing;
  for (size_t a = 0; a < counts.size(); ++a)
    for (size_t b = a + 1; b < counts.size(); ++b)
      for (size_t i = 0; i < counts[a]; ++i)
        for (size_t j = 0; j < counts[b]; ++j) missing.insert({{a, i}, {b, j}});
  std::vector<std::vector<size_t>> rows;
  while (!missing.empty()) {
    // Every row contains the first missing pair, so that each row adds at least one.
    const auto [one, other] = *missing.begin();
    std::vector<size_t> row(counts.size());
    std::vector<Option> taken{one, other};
    for (size_t choice = 0; choice < counts.size(); ++choice) {
      if (choice == one.first || choice == other.first) continue;
      size_t best = 0, most = 0;
      for (size_t option = 0; option < counts[choice]; ++option) {
        size_t made = 0;
        for (const auto& there : taken) made += missing.count(std::minmax(there, Option{choice, option}));
        if (made > most) best = option, most = made;
      }
      taken.push_back({choice, best});
    }
    for (const auto& [choice, option] : taken) row[choice] = option;
    for (const auto& a : taken)
      for (const auto& b : taken) missing.erase(std::pair{a, b});
    rows.push_back(row);
  }
  return rows;
}

}  // namespace assay::testing
