#include "compare/table/rearrange.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/nearest.h"
#include "compare/table/cells.h"
#include "compare/table/labels.h"

namespace assay::compare {
namespace {

std::size_t column_named(const Table& table, const std::string& name) {
  std::vector<std::string> names{"label"};
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    names.push_back(column.name);
    if (column.name == name || column.title == name) return i;
    if (column.name.find(name) != std::string::npos) found.push_back(i);
  }
  if (found.size() == 1) return found[0];
  throw UserError(fmt::format("--sort {}: {} has this name{}", name,
                              found.empty() ? "no column" : "more than one column",
                              base::suggestion(name, names, "columns are ")));
}

}  // namespace

void sort_rows(Table& table, const std::string& by) {
  const bool down = by.starts_with('-');
  const auto name = down ? by.substr(1) : by;
  if (name == "label") {
    std::stable_sort(table.rows.begin(), table.rows.end(),
                     [&](const Row& a, const Row& b) { return down ? b.label < a.label : a.label < b.label; });
    return;
  }
  const auto column = column_named(table, name);
  std::stable_sort(table.rows.begin(), table.rows.end(), [&](const Row& a, const Row& b) {
    const auto &one = a.cells[column].summary, &other = b.cells[column].summary;
    if (one.n == 0 || other.n == 0) return one.n > 0 && other.n == 0;
    return down ? other.mean < one.mean : one.mean < other.mean;
  });
}

void pivot(Table& table, const std::string& axis) {
  const auto known = std::find(table.axes.begin(), table.axes.end(), axis);
  if (known == table.axes.end())
    throw UserError(fmt::format("--pivot {}: the rows do not differ in an axis of this name{}", axis,
                                base::suggestion(axis, table.axes, "axes are ")));
  table.axes.erase(known);
  std::vector<std::string> values;
  const auto value_of = [&](const Row& row) { return row.axes.count(axis) ? row.axes.at(axis) : std::string("-"); };
  for (const auto& row : table.rows)
    if (std::find(values.begin(), values.end(), value_of(row)) == values.end()) values.push_back(value_of(row));
  std::vector<std::size_t> metrics;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].direction != "none") metrics.push_back(i);

  Table turned = table;
  turned.columns.clear();
  turned.rows.clear();
  for (const auto metric : metrics)
    for (const auto& value : values) {
      auto column = table.columns[metric];
      column.name += fmt::format(" {}={}", axis, value);
      column.title += fmt::format(" {}={}", axis, value);
      turned.columns.push_back(std::move(column));
    }
  for (const auto& row : table.rows) {
    auto others = row.axes;
    others.erase(axis);
    auto same =
        std::find_if(turned.rows.begin(), turned.rows.end(), [&](const Row& one) { return one.axes == others; });
    if (same == turned.rows.end()) {
      Row made = row;
      made.axes = others;
      made.label = others.empty() ? "all" : label_of_axes(row.label, nlohmann::json(row.axes), table.axes);
      made.cells.assign(turned.columns.size(), {});
      made.baseline = false;
      made.count = {};
      made.compared_with = made.shared = "";
      made.tuned.reset();  // each column has its own
      turned.rows.push_back(std::move(made));
      same = std::prev(turned.rows.end());
    }
    same->count = added(same->count, row.count);
    const auto at = static_cast<std::size_t>(std::find(values.begin(), values.end(), value_of(row)) - values.begin());
    for (std::size_t i = 0; i < metrics.size(); ++i) same->cells[i * values.size() + at] = row.cells[metrics[i]];
  }
  table = std::move(turned);
}

}  // namespace assay::compare
