#include "compare/table/notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "compare/results/origin.h"
#include "study/equal_cost.h"

namespace assay::compare {
namespace {

void add_units(Table& table) {
  std::set<std::string> noted;
  for (const auto& column : table.columns) {
    const auto base = column.title.substr(0, column.title.find('@'));
    if ((column.unit.empty() && column.direction == "none") || !noted.insert(base).second) continue;
    const auto better = column.direction == "none" ? "" : column.direction + " is better";
    table.notes.push_back(
        fmt::format("{}: {}{}{}", base, column.unit, column.unit.empty() || better.empty() ? "" : ", ", better));
  }
}

// Adds the evaluators' notes on the shown values, with the rows if a note does not apply to all rows that have the
// metric; columns with the same note are named together.
void note_metrics(const Results& results, Table& table) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> columns_of;  // note, rows
  for (const auto& column : table.columns) {
    std::map<std::string, std::set<std::string>> groups_of;  // note
    std::set<std::string> having;
    for (const auto& run : results.runs) {
      const auto note = run.notes.find(column.name);
      if (note != run.notes.end()) groups_of[note->second].insert(run.group);
      if (note != run.notes.end() || run.values.contains(column.name)) having.insert(run.group);
    }
    for (const auto& [note, groups] : groups_of) {
      std::vector<std::string> rows;
      std::set<std::string> noted;
      if (groups != having)
        for (const auto& run : results.runs)
          if (groups.contains(run.group) && noted.insert(run.group).second) rows.push_back(run.label);
      columns_of[{note, fmt::format("{}", fmt::join(rows, "; "))}].push_back(column.title);
    }
  }
  for (const auto& [said, titles] : columns_of)
    table.notes.push_back(
        fmt::format("{}{}: {}", fmt::join(titles, ", "), said.second.empty() ? "" : " of " + said.second, said.first));
}

void mark_timings(const Results& results, Table& table) {
  const auto conditions = timing_conditions(results);
  const bool has_timings =
      std::any_of(table.columns.begin(), table.columns.end(), [](const auto& one) { return one.timing; });
  if (conditions.size() < 2 || !has_timings) return;
  for (auto& column : table.columns)
    if (column.timing) column.title += " *";
  table.notes.push_back(
      fmt::format("* not comparable: measured under different conditions: {}", fmt::join(conditions, "; ")));
  // The runs of one row may also differ in conditions; then its spread has no meaning either.
  std::map<std::string, std::set<std::string>> of_row;
  std::map<std::string, std::string> label;
  for (const auto& run : results.runs)
    if (run.trained) {
      of_row[run.group].insert(run.origin.conditions);
      label[run.group] = run.label;
    }
  std::vector<std::string> mixing;
  for (const auto& [group, kinds] : of_row)
    if (kinds.size() > 1) mixing.push_back(label[group]);
  if (!mixing.empty())
    table.notes.push_back(fmt::format("* rows whose own runs mix conditions: {}", fmt::join(mixing, "; ")));
}

void check_costs(const CompareRequest& request, const Results& results, Table& table) {
  for (const auto& equal : request.equal) {
    std::vector<study::Cost> costs;
    for (const auto& run : results.runs)
      if (const auto found = run.values.find(equal.name); found != run.values.end())
        costs.push_back({run.label, found->second.value});
    if (const auto gap = study::excessive_gap(equal, costs))
      table.notes.push_back(fmt::format(
          "the rows are not equal in {}: {} has {:.4g} and {} {:.4g}, {:.1f}% more; {:.4g}% is allowed", equal.name,
          gap->least.label, gap->least.cost, gap->most.label, gap->most.cost, gap->percent, gap->allowed));
  }
}

void note_skipped_steps(const Results& results, Table& table) {
  std::vector<std::string> runs;
  for (const auto& run : results.runs)
    if (run.steps.skipped > 0)
      runs.push_back(fmt::format("{}{}seed {} ({} of {})", run.label, run.label.empty() ? "" : " ", run.seed,
                                 run.steps.skipped, run.steps.steps));
  if (!runs.empty())
    table.notes.push_back(fmt::format("skipped steps, which did not change the weights (NaN, infinity or a spike): {}",
                                      fmt::join(runs, "; ")));
}

void note_choices(const CompareRequest& request, Table& table) {
  if (!request.tune) return;
  std::vector<std::string> over;
  for (const auto& key : request.tune->over) over.push_back(key.name);
  auto note =
      fmt::format("tuned over {} by {} on {}", fmt::join(over, ", "), request.tune->by.name, request.tune->split);
  if (request.report && request.report->split) note += fmt::format("; reported on {}", *request.report->split);
  if (request.report && !request.report->seeds.empty())
    note += fmt::format("; reported on seeds {}, chosen on the others", fmt::join(request.report->seeds, ", "));
  table.notes.push_back(note);
}

// If the command line has narrowed a plan, the baseline may name values that none of its runs has.
void note_unknown_baseline(const Results& results, const CompareRequest& request, Table& table) {
  if (!request.baseline) return;
  std::vector<const record::PlanLine*> lines;
  for (const auto& run : results.runs) lines.push_back(&run.line);
  document::Diagnostics unknown;
  sweep::require_known_values(*request.baseline, lines, "[compare] baseline", unknown);
  if (!unknown.empty()) table.notes.push_back(unknown.first().message);
}

void note_comparison(const CompareRequest& request, Table& table) {
  if (!request.baseline) return;
  std::vector<std::string> alone;
  bool tested = false;
  for (const auto& row : table.rows) {
    if (row.compared_with.empty() && !row.baseline) alone.push_back(row.label);
    for (const auto& cell : row.cells) tested |= cell.comparison.has_value();
  }
  if (tested)
    table.notes.push_back(
        "against the baseline: difference \u00b1 half-width of its 95% interval; "
        "paired t test over seeds (Welch's if a row is marked unpaired), on this held-out text; Holm within a column; "
        "the sign-flip test is exact up to 20 seeds, and its floor is 2/2^n; "
        "the t test assumes normally distributed differences, so its p may be below the floor, "
        "and without spread the exact test's p is used; "
        "a pair with a run without a value leaves the comparison undecided; "
        "over documents: 95% bootstrap interval for fixed runs");
  if (!alone.empty() && !request.drop_unmatched)
    table.notes.push_back(
        fmt::format("rows without exactly one row of the baseline to compare with: {}", fmt::join(alone, "; ")));
}

// Rows of the data that break a rule, as the dataset counted them.
void note_data(const Results& results, Table& table) {
  std::map<std::string, std::set<std::string>> groups_of;  // warning
  std::set<std::string> trained;
  for (const auto& run : results.runs) {
    if (run.trained) trained.insert(run.label);
    for (const auto& warning : run.origin.data_warnings) groups_of[warning].insert(run.label);
  }
  for (const auto& [warning, labels] : groups_of)
    table.notes.push_back(labels == trained ? "data: " + warning
                                            : fmt::format("data of {}: {}", fmt::join(labels, "; "), warning));
}

}  // namespace

void add_notes(const Results& results, const CompareRequest& request, Table& table) {
  if (!request.note.empty()) table.notes.push_back(request.note);
  add_units(table);
  note_metrics(results, table);
  mark_timings(results, table);
  note_choices(request, table);
  note_unknown_baseline(results, request, table);
  note_comparison(request, table);
  check_costs(request, results, table);
  note_skipped_steps(results, table);
  note_data(results, table);
  std::map<std::int64_t, size_t> accepted;  // steps -> runs
  for (const auto& run : results.runs)
    if (run.accepted_to > 0) ++accepted[run.accepted_to];
  for (const auto& [steps, runs] : accepted)
    table.notes.push_back(fmt::format(
        "{} run{} trained by other code, accepted because today's code is bitwise equal up to step {} (assay recheck)",
        runs, runs == 1 ? "" : "s", steps));
  for (const auto& difference : code_differences(results)) table.notes.push_back("mixed code: " + difference);
}

}  // namespace assay::compare
