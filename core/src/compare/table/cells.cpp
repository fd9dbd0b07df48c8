#include "compare/table/cells.h"

#include <algorithm>
#include <map>

namespace assay::compare {
namespace {

void add_run(const RunResult& run, const Column& column, Cell& cell) {
  const auto presence = presence_of(run, column.name);
  add_one(presence, cell.count);
  cell.seeds.emplace_back(run.seed, presence);
  if (presence != Presence::kPresent) return;
  const auto& value = run.values.at(column.name);
  cell.count.stale += value.stale;
  cell.count.skipping += run.steps.skipped > 0;
  cell.values.emplace_back(run.seed, value.value);
}

// The seeds with which every group is planned; one is present if each group has its value.
SeedPresence pooled(const std::vector<SeedPresence>& groups) {
  std::map<std::int64_t, std::pair<Presence, size_t>> known;  // in this many groups
  for (const auto& group : groups)
    for (const auto& [seed, presence] : group) {
      auto& [joint, count] = known.try_emplace(seed, Presence::kPresent, 0).first->second;
      joint = joined(joint, presence);
      ++count;
    }
  SeedPresence seeds;
  for (const auto& [seed, one] : known)
    if (one.second == groups.size()) seeds.emplace_back(seed, one.first);
  return seeds;
}

}  // namespace

Cell cell_of(const RowSource& source, const std::vector<Group>& groups, const Column& column,
             const std::vector<std::int64_t>& reported) {
  Cell cell;
  std::map<std::int64_t, std::pair<double, size_t>> sums;  // sum per seed, and over how many groups
  std::vector<SeedPresence> seeds;                         // one per group
  for (const auto group : source.groups) {
    Cell one;
    for (const auto* run : groups[group])
      if (is_reported(run->seed, reported)) add_run(*run, column, one);
    cell.count = added(cell.count, one.count);
    seeds.push_back(one.seeds);
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
  cell.seeds = pooled(seeds);
  std::vector<double> values;
  for (const auto& [seed, value] : cell.values) values.push_back(value);
  cell.summary = summarise(values);
  return cell;
}

std::map<std::int64_t, std::size_t> planned_seeds(const RowSource& source, const std::vector<Group>& groups,
                                                  const std::vector<std::int64_t>& reported) {
  std::map<std::int64_t, std::size_t> planned;
  for (const auto group : source.groups)
    for (const auto* run : groups[group])
      if (is_reported(run->seed, reported)) ++planned[run->seed];
  return planned;
}

Count count_of(const RowSource& source, const std::vector<Group>& groups, const std::vector<std::int64_t>& reported) {
  Count count;
  for (const auto group : source.groups)
    for (const auto* run : groups[group]) {
      if (!is_reported(run->seed, reported)) continue;
      add_one(presence_of(*run), count);
      if (run->status != record::RunStatus::kDone) continue;
      count.skipping += run->steps.skipped > 0;
      count.stale +=
          std::any_of(run->values.begin(), run->values.end(), [](const auto& one) { return one.second.stale; });
    }
  return count;
}

}  // namespace assay::compare
