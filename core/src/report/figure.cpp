#include "report/figure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "assay/error.h"
#include "base/number.h"
#include "base/printable.h"
#include "compare/results/run_results.h"
#include "document/key_path.h"
#include "report/configuration.h"

namespace assay::report {
namespace {

using nlohmann::json;

// "lm.bits_per_byte@length=64,stride=32"
struct MetricAt {
  std::string base;
  std::map<std::string, std::string> coordinates;
};

MetricAt parsed(const std::string& name) {
  const auto at = name.find('@');
  MetricAt metric{name.substr(0, at), {}};
  for (size_t from = at; from != std::string::npos;) {
    const auto end = name.find(',', from + 1);
    const auto part = name.substr(from + 1, end == std::string::npos ? end : end - from - 1);
    const auto equals = part.find('=');
    metric.coordinates[part.substr(0, equals)] = equals == std::string::npos ? "" : part.substr(equals + 1);
    from = end;
  }
  return metric;
}

// The value of an axis or a configuration key; null if the run has neither.
json value_at(const std::string& key, const record::PlanLine& line) {
  if (line.axes.contains(key)) return line.axes.at(key);
  const auto flat = flat_configuration(line);
  const auto found = flat.find(document::short_name(document::canonical_path(document::split_key(key))));
  return found == flat.end() ? json() : found->second;
}

// One plan line per row of the table; an empty object if the plan has none.
std::vector<const record::PlanLine*> line_of_each_row(const compare::Table& table,
                                                      const std::vector<record::PlanLine>& plan_lines) {
  std::vector<const record::PlanLine*> lines;
  for (const auto& row : table.rows) {
    const auto line = std::ranges::find(plan_lines, row.group, &record::PlanLine::group);
    lines.push_back(line == plan_lines.end() ? nullptr : &*line);
  }
  return lines;
}

class FigureMaker {
 public:
  FigureMaker(const study::FigureSettings& settings, const compare::Table& table,
              const std::vector<record::PlanLine>& plan_lines)
      : settings_(settings), table_(table), lines_(line_of_each_row(table, plan_lines)) {
    figure_ = {.name = settings.name,
               .experiment = table.experiment,
               .x = settings.x,
               .y = settings.y,
               .unit = {},
               .categories = false,
               .series = {},
               .unplaced = {},
               .provenance = table.provenance};
  }

  Figure make() {
    const auto texts = x_of_rows();
    const auto columns = columns_of_y(/*by_coordinate=*/texts.empty());
    for (size_t row = 0; row < table_.rows.size(); ++row) {
      if (texts.empty()) {
        for (const auto column : columns)
          add(row, parsed(table_.columns[column].name).coordinates.at(settings_.x), column);
      } else {
        if (columns.size() > 1) open_coordinates(columns);
        if (!texts[row].empty())
          add(row, texts[row], columns.front());
        else if (const auto& count = table_.rows[row].cells[columns.front()].count; compare::lacks_values(count))
          figure_.unplaced.emplace_back(base::printable(table_.rows[row].label), count);
      }
    }
    place_on_axis();
    for (auto& series : figure_.series)
      std::stable_sort(series.points.begin(), series.points.end(),
                       [](const auto& a, const auto& b) { return a.x < b.x; });
    return std::move(figure_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: figure '{}': {}", settings_.position.text(), settings_.name, message));
  }
  [[noreturn]] void open_coordinates(const std::vector<size_t>& columns) const {
    std::vector<std::string> names;
    for (const auto column : columns) names.push_back(table_.columns[column].name);
    fail(fmt::format("y = \"{}\" leaves a coordinate open; name one of {}", settings_.y, fmt::join(names, ", ")));
  }

  // The x of each row if x is a key or a metric; empty if x is a coordinate of y.
  std::vector<std::string> x_of_rows() const {
    std::vector<std::string> texts;
    bool is_key = false;
    for (const auto* line : lines_) {
      const auto value = line ? value_at(settings_.x, *line) : json();
      is_key |= !value.is_null();
      texts.push_back(value.is_null() ? "" : value.is_number() ? value.dump() : record::scalar_text(value));
    }
    if (is_key) return texts;
    const auto column = std::find_if(table_.columns.begin(), table_.columns.end(),
                                     [&](const compare::Column& one) { return one.name == settings_.x; });
    if (column == table_.columns.end()) return {};
    texts.clear();
    for (const auto& row : table_.rows) {
      const auto& summary = row.cells[static_cast<size_t>(column - table_.columns.begin())].summary;
      texts.push_back(summary.n > 0 ? fmt::format("{}", summary.mean) : "");
    }
    return texts;
  }

  // The columns of y's metric at y's coordinates; if x is a coordinate, only those that have it and leave no other
  // coordinate open.
  std::vector<size_t> columns_of_y(bool by_coordinate) {
    const auto wanted = parsed(settings_.y);
    std::vector<size_t> columns;
    std::set<std::string> names;
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      const auto metric = parsed(table_.columns[i].name);
      if (metric.base != wanted.base) continue;
      for (const auto& [coordinate, value] : metric.coordinates) names.insert(coordinate);
      const bool has_x = metric.coordinates.contains(settings_.x);
      const bool fits = std::all_of(wanted.coordinates.begin(), wanted.coordinates.end(), [&](const auto& one) {
        return metric.coordinates.contains(one.first) && metric.coordinates.at(one.first) == one.second;
      });
      if (fits && (has_x || !by_coordinate)) columns.push_back(i);
    }
    if (columns.empty() && by_coordinate && names.empty())
      fail(fmt::format("no record has the metric '{}', and no run has the key '{}'", settings_.y, settings_.x));
    if (columns.empty())
      fail(fmt::format("x = \"{}\" is not a coordinate of '{}' (which has {}), a key of the runs or a metric",
                       settings_.x, settings_.y, fmt::join(names, ", ")));
    figure_.unit = table_.columns[columns.front()].unit;
    return columns;
  }

  std::string series_of(size_t row) const {
    auto axes = settings_.series;
    if (axes.empty())
      for (const auto& axis : table_.axes)
        if (axis != settings_.x) axes.push_back(axis);
    std::vector<std::string> parts;
    for (const auto& axis : axes) {
      const auto found = table_.rows[row].axes.find(axis);
      const auto value = found == table_.rows[row].axes.end() ? std::string("-") : base::printable(found->second);
      parts.push_back(axes.size() == 1 ? value : axis + "=" + value);
    }
    return parts.empty() ? settings_.y : fmt::format("{}", fmt::join(parts, " "));
  }

  void add(size_t row, const std::string& x_written, size_t column) {
    const auto x = base::printable(x_written);  // gnuplot reads CSV line by line, even within quotes
    const auto label = series_of(row);
    auto series = std::find_if(figure_.series.begin(), figure_.series.end(),
                               [&](const FigureSeries& one) { return one.label == label; });
    if (series == figure_.series.end()) series = figure_.series.insert(series, {label, {}});
    if (std::any_of(series->points.begin(), series->points.end(), [&](const auto& one) { return one.x_text == x; }))
      fail(
          fmt::format("series '{}' has two values at {} = {}, one of them from {}; "
                      "an axis or a coordinate of y is left open: name it in series (a list of axes) or in y",
                      label, settings_.x, x, table_.rows[row].label));
    const auto& cell = table_.rows[row].cells[column];
    series->points.push_back({.x = 0, .x_text = x, .summary = cell.summary, .count = cell.count});
  }

  // Numbers if all x are numbers; otherwise indices of the texts, in the order in which they appear.
  void place_on_axis() {
    std::vector<std::string> places;
    for (auto& series : figure_.series)
      for (auto& point : series.points) {
        const auto number = base::parse_number<double>(point.x_text);
        figure_.categories |= !number;
        point.x = number.value_or(0);
        if (std::find(places.begin(), places.end(), point.x_text) == places.end()) places.push_back(point.x_text);
      }
    if (!figure_.categories) return;
    for (auto& series : figure_.series)
      for (auto& point : series.points)
        point.x = static_cast<double>(std::find(places.begin(), places.end(), point.x_text) - places.begin());
  }

  const study::FigureSettings& settings_;
  const compare::Table& table_;
  std::vector<const record::PlanLine*> lines_;  // one per row
  Figure figure_;
};

}  // namespace

std::vector<std::string> metrics_of(const study::FigureSettings& figure,
                                    const std::vector<record::PlanLine>& plan_lines) {
  std::vector<std::string> metrics{parsed(figure.y).base};
  const bool is_key = std::any_of(plan_lines.begin(), plan_lines.end(),
                                  [&](const record::PlanLine& line) { return !value_at(figure.x, line).is_null(); });
  if (figure.x.starts_with("train.") && !is_key) metrics.push_back(figure.x);
  return metrics;
}

Figure make_figure(const study::FigureSettings& settings, const compare::Table& table,
                   const std::vector<record::PlanLine>& plan_lines) {
  return FigureMaker(settings, table, plan_lines).make();
}

}  // namespace assay::report
