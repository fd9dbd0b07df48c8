#include "compare/cells.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "config/metric_name.h"

namespace assay {
namespace {

void count_absent(RunStatus status, Count& count) {
  switch (status) {
    case RunStatus::kComplete:
      ++count.not_applicable;
      break;
    case RunStatus::kFailed:
      ++count.failed;
      break;
    case RunStatus::kDiverged:
      ++count.diverged;
      break;
    case RunStatus::kPruned:
      ++count.pruned;
      break;
    case RunStatus::kMissing:
      ++count.missing;
      break;
  }
}

void add_run(const RunResult& run, const Column& column, Cell& cell) {
  const auto label = config::owner_of(column.name);
  ++cell.count.planned;
  const auto found = run.values.find(column.name);
  if (found == run.values.end()) {
    // A run that lacks another evaluation may well have this one, and not this metric in it.
    const auto evaluation = run.evaluated.find(label);
    const bool recorded = evaluation != run.evaluated.end() ? evaluation->second : run.trained;
    count_absent(recorded ? RunStatus::kComplete : run.status, cell.count);
    if (!recorded && run.status == RunStatus::kDiverged) cell.diverged.push_back(run.seed);
  } else if (!std::isfinite(found->second.value)) {
    ++cell.count.diverged;
    cell.diverged.push_back(run.seed);
  } else {
    ++cell.count.present;
    cell.count.stale += found->second.stale;
    cell.values.emplace_back(run.seed, found->second.value);
  }
}

}  // namespace

Count added(Count sum, const Count& more) {
  for (const auto part : {&Count::planned, &Count::present, &Count::failed, &Count::diverged, &Count::pruned,
                          &Count::missing, &Count::not_applicable, &Count::stale})
    sum.*part += more.*part;
  return sum;
}

Cell cell_of(const RowSource& source, const std::vector<Group>& groups, const Column& column,
             const std::vector<std::int64_t>& reported) {
  Cell cell;
  std::map<std::int64_t, std::pair<double, size_t>> sums;  // of a seed: over how many groups
  for (const auto group : source.groups) {
    Cell one;
    for (const auto* run : groups[group])
      if (is_reported(run->seed, reported)) add_run(*run, column, one);
    cell.count = added(cell.count, one.count);
    cell.diverged.insert(cell.diverged.end(), one.diverged.begin(), one.diverged.end());
    for (const auto& [seed, value] : one.values) {
      sums[seed].first += value;
      ++sums[seed].second;
    }
    if (source.groups.size() == 1) cell.values = one.values;
  }
  if (source.groups.size() > 1)
    for (const auto& [seed, sum] : sums)
      if (sum.second == source.groups.size())
        cell.values.emplace_back(seed, sum.first / static_cast<double>(sum.second));
  std::vector<double> values;
  for (const auto& [seed, value] : cell.values) values.push_back(value);
  cell.summary = summarise(values);
  return cell;
}

Count count_of(const RowSource& source, const std::vector<Group>& groups, const std::vector<std::int64_t>& reported) {
  Count count;
  for (const auto group : source.groups)
    for (const auto* run : groups[group]) {
      if (!is_reported(run->seed, reported)) continue;
      ++count.planned;
      const bool complete = run->status == RunStatus::kComplete;
      if (complete) {
        ++count.present;
      } else {
        count_absent(run->status, count);
      }
      count.stale += complete && std::any_of(run->values.begin(), run->values.end(),
                                             [](const auto& one) { return one.second.stale; });
    }
  return count;
}

}  // namespace assay
