#include "compare/table/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "assay/error.h"
#include "base/nearest.h"
#include "study/partners.h"

namespace assay::compare {
namespace {

std::vector<const record::PlanLine*> lines_in(const std::vector<RowSource>& rows) {
  std::vector<const record::PlanLine*> lines;
  for (const auto& row : rows) lines.push_back(&row.line);
  return lines;
}

std::vector<RowSource> tuned(const Results& results, const std::vector<Group>& groups, const CompareRequest& request) {
  study::CompareSettings settings;
  settings.tune = request.tune;
  settings.report = request.report;
  const study::Partners partners(lines_of(groups));
  std::vector<std::size_t> all(groups.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<RowSource> rows;
  for (const auto& one : tuned_rows(groups, partners, all, settings, direction_of(results, request.tune->by.name))) {
    // Without a choice the first trial represents its row, and its cells show what is missing.
    const auto shown = one.chosen.value_or(one.trials[0]);
    RowSource row{{shown},
                  *partners.rows()[shown],
                  TunedChoice{one.choice, one.trials.size(), one.trials_with_values, one.open, one.edges}};
    for (const auto& key : request.tune->over) row.line.axes.erase(key.name);
    rows.push_back(std::move(row));
  }
  return rows;
}

void require_axes(const std::vector<RowSource>& rows, const std::vector<std::string>& names) {
  std::set<std::string> axes;
  for (const auto& row : rows)
    for (const auto& [axis, value] : row.line.axes.items()) axes.insert(axis);
  for (const auto& name : names)
    if (!axes.count(name))
      throw UserError(fmt::format("--group {}: the rows have no axis of this name{}", name,
                                  base::suggestion(name, {axes.begin(), axes.end()}, "axes are ")));
}

std::vector<RowSource> pooled(std::vector<RowSource> rows, const std::vector<std::string>& names) {
  require_axes(rows, names);
  study::Partners::Free others;
  for (const auto& row : rows)
    for (const auto& [axis, value] : row.line.axes.items())
      if (std::find(names.begin(), names.end(), axis) == names.end()) others.push_back(axis);
  const study::Partners partners(lines_in(rows));
  std::vector<std::size_t> all(rows.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<RowSource> pooled;
  for (const auto& family : partners.families(all, others)) {
    RowSource one{{}, rows[family[0]].line, std::nullopt};
    for (const auto member : family)
      one.groups.insert(one.groups.end(), rows[member].groups.begin(), rows[member].groups.end());
    for (const auto& axis : others) one.line.axes.erase(axis);
    pooled.push_back(std::move(one));
  }
  return pooled;
}

}  // namespace

std::vector<RowSource> row_sources(const Results& results, const std::vector<Group>& groups,
                                   const CompareRequest& request) {
  std::vector<RowSource> rows;
  if (request.tune) {
    rows = tuned(results, groups, request);
  } else {
    for (std::size_t i = 0; i < groups.size(); ++i) rows.push_back({{i}, groups[i].front()->line, std::nullopt});
  }
  return request.pool_to.empty() ? rows : pooled(std::move(rows), request.pool_to);
}

std::vector<std::optional<std::size_t>> baselines_of(const std::vector<RowSource>& rows,
                                                     const CompareRequest& request) {
  std::vector<std::optional<std::size_t>> found(rows.size());
  if (!request.baseline) return found;
  const study::Partners partners(lines_in(rows));
  const auto candidates = partners.matching(*request.baseline);
  auto free = study::Partners::free_axes(nullptr, *request.baseline);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::find(candidates.begin(), candidates.end(), i) != candidates.end()) continue;
    auto best = partners.of(i, candidates, free);
    if (best.empty() && !request.others.empty()) {  // allow the baseline of another experiment
      free.push_back("experiment");
      best = partners.of(i, candidates, free);
      free.pop_back();
    }
    if (best.size() == 1) found[i] = best[0];
  }
  return found;
}

}  // namespace assay::compare
