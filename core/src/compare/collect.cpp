#include "compare/collect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.h"
#include "compare/columns.h"
#include "compare/origin.h"
#include "compare/run_results.h"

namespace assay {
namespace {

using Group = std::vector<const RunResult*>;

std::vector<Group> groups_of(const Results& results) {
  std::vector<Group> groups;
  std::map<std::string, size_t> index;
  for (const auto& run : results.runs) {
    const auto [found, is_new] = index.try_emplace(run.group, groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(&run);
  }
  return groups;
}

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
    case RunStatus::kMissing:
      ++count.missing;
      break;
  }
}

Cell cell_of(const Group& group, const Column& column) {
  Cell cell;
  const auto label = column.name.substr(0, column.name.find('.'));
  std::vector<double> values;
  for (const auto* run : group) {
    ++cell.count.planned;
    const auto found = run->values.find(column.name);
    if (found == run->values.end()) {
      // A run that lacks another evaluation may well have this one, and not this metric in it.
      const auto evaluation = run->evaluated.find(label);
      const bool recorded = evaluation != run->evaluated.end() ? evaluation->second : run->trained;
      count_absent(recorded ? RunStatus::kComplete : run->status, cell.count);
    } else if (!std::isfinite(found->second.value)) {
      ++cell.count.diverged;
    } else {
      ++cell.count.present;
      cell.count.stale += found->second.stale;
      cell.values.emplace_back(run->seed, found->second.value);
      values.push_back(found->second.value);
    }
  }
  cell.summary = summarise(values);
  return cell;
}

Count count_of(const Group& group) {
  Count count;
  for (const auto* run : group) {
    ++count.planned;
    if (run->status == RunStatus::kComplete)
      ++count.present;
    else
      count_absent(run->status, count);
    count.stale += run->status == RunStatus::kComplete && std::any_of(run->values.begin(), run->values.end(),
                                                                      [](const auto& one) { return one.second.stale; });
  }
  return count;
}

void require_baseline(const CompareRequest& request, const Table& table) {
  if (!request.baseline ||
      std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.baseline; }))
    return;
  std::vector<std::string> wanted, labels;
  for (const auto& term : request.baseline->terms) wanted.push_back(term.name + " = " + scalar_text(term.wanted));
  for (const auto& row : table.rows) labels.push_back(row.label);
  throw UserError(fmt::format("{}: [compare] baseline ({}) matches no row; rows: {}", request.baseline->position.text(),
                              fmt::join(wanted, ", "), fmt::join(labels, "; ")));
}

void add_notes(const Results& results, const std::vector<std::string>& mixed, Table& table) {
  std::set<std::string> told;
  for (const auto& column : table.columns) {
    const auto base = column.title.substr(0, column.title.find('@'));
    if ((column.unit.empty() && column.direction == "none") || !told.insert(base).second) continue;
    const auto better = column.direction == "none" ? "" : column.direction + " is better";
    table.notes.push_back(
        fmt::format("{}: {}{}{}", base, column.unit, column.unit.empty() || better.empty() ? "" : ", ", better));
  }
  const auto conditions = timing_conditions(results);
  const bool has_timings =
      std::any_of(table.columns.begin(), table.columns.end(), [](const auto& one) { return one.timing; });
  if (conditions.size() > 1 && has_timings) {
    for (auto& column : table.columns)
      if (column.timing) column.title += " *";
    table.notes.push_back(
        fmt::format("* not comparable: taken under different conditions: {}", fmt::join(conditions, "; ")));
  }
  for (const auto& difference : mixed) table.notes.push_back("mixed code: " + difference);
}

}  // namespace

Table collect(const CompareRequest& request) {
  const auto results = read_results(request.experiment, request.current_code);
  const auto mixed = code_differences(results);
  if (!mixed.empty() && !request.mixed_code)
    throw MixedCode(
        fmt::format("the records of '{}' were made by different code, so their differences may be the code's:\n  {}\n"
                    "Run the old ones again (remove their folders under {}), or give --mixed-code.",
                    results.experiment, fmt::join(mixed, "\n  "), (request.experiment.folder() / "runs").string()));
  Table table;
  table.experiment = results.experiment;
  table.columns = choose_columns(results, request.metrics);
  std::set<std::string> axes;
  for (const auto& group : groups_of(results)) {
    const auto& first = *group.front();
    Row row{.label = first.label,
            .group = first.group,
            .axes = first.axes,
            .baseline = request.baseline && config::matches(*request.baseline, first.line),
            .count = count_of(group),
            .cells = {}};
    for (const auto& column : table.columns) row.cells.push_back(cell_of(group, column));
    for (const auto& [axis, value] : row.axes) axes.insert(axis);
    table.rows.push_back(std::move(row));
  }
  table.axes.assign(axes.begin(), axes.end());
  require_baseline(request, table);
  add_notes(results, mixed, table);
  table.provenance = provenance_of(results, request.command);
  return table;
}

}  // namespace assay
