#include "compare/table/collect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.h"
#include "compare/results/origin.h"
#include "compare/results/run_results.h"
#include "compare/results/step_values.h"
#include "compare/table/cells.h"
#include "compare/table/columns.h"
#include "compare/table/comparison.h"
#include "compare/table/labels.h"
#include "compare/table/notes.h"
#include "compare/table/rows.h"
#include "record/metric_name.h"

namespace assay::compare {
namespace {

Results read_all(const CompareRequest& request) {
  auto results = read_results(request.experiment, request.current_code);
  for (const auto& other : request.others) {
    auto more = read_results(other, request.current_code);
    results.plan_hashes.push_back(more.plan_hashes.at(0));
    results.runs.insert(results.runs.end(), std::make_move_iterator(more.runs.begin()),
                        std::make_move_iterator(more.runs.end()));
    for (auto [into, from] : {std::pair{&results.evaluation, &more.evaluation}, {&results.training, &more.training}})
      for (const auto& metric : *from)
        if (std::none_of(into->begin(), into->end(), [&](const auto& known) { return known.name == metric.name; }))
          into->push_back(metric);
    results.experiment += " + " + more.experiment;
  }
  if (!request.others.empty())  // an axis like any other, so that equal rows of two experiments remain separate
    for (auto& run : results.runs) run.line.axes["experiment"] = run.experiment;
  auto metrics = request.metrics;
  if (request.tune) metrics.push_back(request.tune->by.name);
  add_step_values(results, metrics);
  return results;
}

CompareRequest with_resolved_baseline(CompareRequest request, const Results& results) {
  if (!request.baseline) return request;
  std::vector<const record::PlanLine*> lines;
  for (const auto& run : results.runs) lines.push_back(&run.line);
  request.baseline = sweep::resolved(std::move(*request.baseline), lines);
  return request;
}

void require_baseline(const CompareRequest& request, const Table& table) {
  if (!request.baseline ||
      std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.baseline; }))
    return;
  std::vector<std::string> wanted, labels;
  for (const auto& term : request.baseline->terms)
    wanted.push_back(term.name + " = " + record::scalar_text(term.wanted));
  for (const auto& row : table.rows) labels.push_back(row.label);
  throw UserError(fmt::format("{}: [compare] baseline ({}) matches no row; the rows are {}",
                              request.baseline->position.text(), fmt::join(wanted, ", "), fmt::join(labels, "; ")));
}

// For tuned rows, the columns that the report's split allows: those that are not from an evaluation, or are from one of
// that split.
std::vector<Column> reported_columns(std::vector<Column> columns, const Results& results,
                                     const CompareRequest& request) {
  if (!request.tune || !request.report || !request.report->split) return columns;
  std::set<std::string> others;  // labels of the evaluations of another split
  for (const auto& run : results.runs)
    for (const auto& evaluation : run.line.evaluate)
      if (evaluation.split != *request.report->split) others.insert(evaluation.label);
  std::erase_if(columns, [&](const Column& column) { return others.count(record::owner_of(column.name)); });
  return columns;
}

// Empty: all seeds.
std::vector<std::int64_t> reported_seeds(const CompareRequest& request) {
  return request.tune && request.report ? request.report->seeds : std::vector<std::int64_t>{};
}

void add_rows(const std::vector<RowSource>& sources, const std::vector<Group>& groups, const CompareRequest& request,
              Table& table) {
  std::vector<const nlohmann::json*> axes;
  for (const auto& source : sources) axes.push_back(&source.line.axes);
  auto shown = differing_axes(axes);
  std::set<std::string> all;
  for (const auto* one : axes)
    for (const auto& [axis, value] : one->items()) all.insert(axis);
  if (request.all_columns) shown.assign(all.begin(), all.end());
  table.axes = shown;
  const auto reported = reported_seeds(request);
  for (const auto& source : sources) {
    const auto& line = source.line;
    const bool keeps_label =
        !request.tune && request.pool_to.empty() && shown.size() == all.size() && request.others.empty();
    auto named = groups[source.groups[0]].front()->line.axes;  // the axes that the plan's label may contain
    named.update(line.axes);
    Row row{.label = keeps_label ? line.label : label_of_axes(line.label, named, shown),
            .group = line.group,
            .axes = {},
            .baseline = request.baseline && sweep::matches(*request.baseline, line),
            .count = count_of(source, groups, reported),
            .cells = {}};
    for (const auto& [axis, value] : line.axes.items()) row.axes[axis] = record::scalar_text(value);
    row.experiment = groups[source.groups[0]].front()->experiment;
    row.tuned = source.tuned;
    for (const auto& column : table.columns) row.cells.push_back(cell_of(source, groups, column, reported));
    table.rows.push_back(std::move(row));
  }
}

// Notes the seeds with which only some groups of a pooled row are planned: the row has no mean over its groups there.
void note_dropped_seeds(const std::vector<RowSource>& sources, const std::vector<Group>& groups,
                        const CompareRequest& request, Table& table) {
  const auto reported = reported_seeds(request);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::vector<std::int64_t> dropped;
    for (const auto& [seed, count] : planned_seeds(sources[i], groups, reported))
      if (count < sources[i].groups.size()) dropped.push_back(seed);
    if (!dropped.empty())
      table.notes.push_back(fmt::format(
          "{}: the row leaves out seed{} {}, with which not all of its {} pooled rows are planned", table.rows[i].label,
          dropped.size() == 1 ? "" : "s", fmt::join(dropped, ", "), sources[i].groups.size()));
  }
}

}  // namespace

Table collect(const CompareRequest& given) {
  const auto results = read_all(given);
  const auto request = with_resolved_baseline(given, results);
  refuse_mixed_code(results, request.experiment, request.mixed_code);
  Table table;
  table.experiment = results.experiment;
  table.spread = request.spread;
  table.columns = reported_columns(choose_columns(results, request.metrics, request.all_columns), results, request);
  const auto groups = groups_of(results);
  const auto sources = row_sources(results, groups, request);
  add_rows(sources, groups, request, table);
  require_baseline(request, table);
  compare_with_baseline(table, sources, baselines_of(sources, request), groups, reported_seeds(request));
  mark_best(table);
  add_notes(results, request, table);
  note_dropped_seeds(sources, groups, request, table);
  table.provenance = provenance_of(results, request.command);
  return table;
}

}  // namespace assay::compare
