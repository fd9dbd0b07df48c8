// A table as CSV, one line per row; every metric has its mean, half-width and n. Nothing is rounded.
#include <fmt/format.h>

#include <algorithm>

#include "compare/formats/csv.h"
#include "compare/formats/format.h"

namespace assay::compare {
namespace {

std::string number(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

// Columns in which some row is compared with the baseline also have these.
const std::vector<std::string> kCompared{"difference",  "difference half_width", "p",
                                         "p_holm",      "sign_flip_p",           "pairs",
                                         "correlation", "documents_low",         "documents_high"};

bool is_compared(const Table& table, size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const Row& row) { return row.cells[column].comparison; });
}

void add_comparison(const std::optional<Comparison>& comparison, std::vector<std::string>& fields) {
  if (!comparison) {
    fields.insert(fields.end(), kCompared.size(), "");
    return;
  }
  const auto& difference = comparison->difference;
  const auto& documents = comparison->documents;
  fields.push_back(number(difference.test.difference));
  fields.push_back(number(half_width(difference.test)));
  fields.push_back(number(difference.p));
  fields.push_back(comparison->is_decided()    ? number(comparison->p_holm)
                   : comparison->is_complete() ? "n too small"
                                               : "incomplete");
  fields.push_back(number(difference.sign_flip_p));
  fields.push_back(difference.paired ? fmt::format("{}", difference.test.n_left) : "unpaired");
  fields.push_back(number(difference.correlation));
  fields.push_back(documents ? number(documents->low) : "");
  fields.push_back(documents ? number(documents->high) : "");
}

std::string spread_column(Spread spread) { return spread == Spread::kCi95 ? "half_width" : spread_name(spread); }

}  // namespace

std::string format_csv(const Table& table) {
  std::vector<std::string> header{"label"};
  header.insert(header.end(), table.axes.begin(), table.axes.end());
  for (const char* name :
       {"baseline", "planned", "n", "failed", "diverged", "pruned", "missing", "not_applicable", "stale"})
    header.push_back(name);
  const bool skipping =
      std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.count.skipping > 0; });
  if (skipping) header.push_back("with_skipped_steps");
  const bool is_tuned = std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.tuned; });
  if (is_tuned) header.insert(header.end(), {"chosen", "trials", "edge"});
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    header.push_back(column.name);
    if (column.exact) continue;
    header.push_back(column.name + " " + spread_column(table.spread));
    header.push_back(column.name + " n");
    if (is_compared(table, i))
      for (const auto& name : kCompared) header.push_back(column.name + " " + name);
  }
  std::vector<std::string> notes{spread_text(table.spread)};
  notes.insert(notes.end(), table.notes.begin(), table.notes.end());
  const auto constant = constant_columns(table.experiment, notes, table.provenance);
  for (const auto& [name, value] : constant) header.push_back(name);
  auto text = csv_line(header);
  for (const auto& row : table.rows) {
    std::vector<std::string> fields{row.label};
    for (const auto& axis : table.axes) fields.push_back(row.axes.count(axis) ? row.axes.at(axis) : "");
    fields.push_back(row.baseline ? "1" : "0");
    for (const int count : {row.count.planned, row.count.present, row.count.failed, row.count.diverged,
                            row.count.pruned, row.count.missing, row.count.not_applicable, row.count.stale})
      fields.push_back(fmt::format("{}", count));
    if (skipping) fields.push_back(fmt::format("{}", row.count.skipping));
    if (is_tuned) {
      const auto tuned = row.tuned.value_or(TunedChoice{});
      fields.push_back(tuned.choice);
      fields.push_back(fmt::format("{}", tuned.trials));
      fields.push_back(fmt::format("{}", fmt::join(tuned.edges, " ")));
    }
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& summary = row.cells[i].summary;
      fields.push_back(summary.n > 0 ? number(summary.mean) : "");
      if (table.columns[i].exact) continue;
      fields.push_back(number(spread_of(summary, table.spread)));
      fields.push_back(fmt::format("{}", summary.n));
      if (is_compared(table, i)) add_comparison(row.cells[i].comparison, fields);
    }
    for (const auto& [name, value] : constant) fields.push_back(value);
    text += csv_line(fields);
  }
  return text;
}

}  // namespace assay::compare
