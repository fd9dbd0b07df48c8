#include "compare/cell_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

constexpr double kPlainBelow = 1e9;  // larger numbers read better as 4.17e+12

std::string single(double value) {
  if (std::abs(value) >= kPlainBelow) return fmt::format("{:.4g}", value);
  return value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.5g}", value);
}

bool all_equal(const Summary& summary) { return summary.deviation.value_or(0) == 0; }

}  // namespace

std::string count_text(const Count& count) {
  std::vector<std::string> reasons;
  const auto add = [&](int number, const char* why) {
    if (number > 0) reasons.push_back(fmt::format("{} {}", number, why));
  };
  add(count.failed, "failed");
  add(count.diverged, "diverged");
  add(count.missing, "missing");
  add(count.not_applicable, "n/a");
  add(count.stale, "stale");
  auto text = count.present == count.planned ? fmt::format("{}", count.planned)
                                             : fmt::format("{}/{}", count.present, count.planned);
  if (!reasons.empty()) text += fmt::format(" ({})", fmt::join(reasons, ", "));
  return text;
}

std::string summary_text(const Summary& summary, const Column& column) {
  const double mean = summary.mean * column.shown_factor;
  if (!summary.half_width || (column.exact && all_equal(summary))) return single(mean);
  const double half_width = *summary.half_width * column.shown_factor;
  if (half_width == 0) return single(mean) + " \u00b1 0";
  const int decimals = std::max(0, 1 - static_cast<int>(std::floor(std::log10(half_width))));
  if (decimals > 12 || std::abs(mean) >= kPlainBelow) return fmt::format("{:.4g} \u00b1 {:.2g}", mean, half_width);
  return fmt::format("{:.{}f} \u00b1 {:.{}f}", mean, decimals, half_width, decimals);
}

std::string cell_text(const Cell& cell, const Column& column, const Count& row) {
  if (cell.count.present == 0) return cell.count.not_applicable == cell.count.planned ? "n/a" : count_text(cell.count);
  auto text = summary_text(cell.summary, column);
  if (cell.count != row) text += "  n=" + count_text(cell.count);
  return text;
}

std::string row_label(const Row& row) {
  const auto label = row.label.empty() ? std::string("all") : row.label;
  return row.baseline ? label + " (baseline)" : label;
}

std::vector<std::vector<std::string>> text_grid(const Table& table) {
  std::vector<std::vector<std::string>> grid{{"run"}};
  for (const auto& column : table.columns) grid[0].push_back(column.title);
  grid[0].push_back("n");
  for (const auto& row : table.rows) {
    auto& line = grid.emplace_back(std::vector<std::string>{row_label(row)});
    for (size_t i = 0; i < table.columns.size(); ++i)
      line.push_back(cell_text(row.cells[i], table.columns[i], row.count));
    line.push_back(count_text(row.count));
  }
  return grid;
}

}  // namespace assay
