#include "compare/formats/cell_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "compare/statistics/exact_tests.h"

namespace assay::compare {
namespace {

constexpr double kPlainBelow = 1e9;  // larger numbers are printed as 4.17e+12

std::string single(double value) {
  if (std::abs(value) >= kPlainBelow) return fmt::format("{:.4g}", value);
  return value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.5g}", value);
}

bool all_equal(const Summary& summary) { return summary.deviation.value_or(0) == 0; }

}  // namespace

std::string spread_text(Spread spread) {
  const char* what = spread == Spread::kStd   ? "standard deviation"
                     : spread == Spread::kSem ? "standard error of the mean"
                                              : "half-width of the 95% Student-t interval";
  return fmt::format("mean \u00b1 {} over seeds, n runs", what);
}

std::string spread_name(Spread spread) {
  return spread == Spread::kStd ? "std" : spread == Spread::kSem ? "sem" : "ci95";
}

std::optional<double> spread_of(const Summary& summary, Spread spread) {
  if (spread == Spread::kCi95 || !summary.deviation) return summary.half_width;
  return spread == Spread::kStd ? *summary.deviation : *summary.deviation / std::sqrt(static_cast<double>(summary.n));
}

std::string summary_text(const Summary& summary, const Column& column, Spread spread) {
  const double mean = summary.mean * column.shown_factor;
  const auto found = spread_of(summary, spread);
  if (!found || (column.exact && all_equal(summary))) return single(mean);
  const double half_width = *found * column.shown_factor;
  if (half_width == 0) return single(mean) + " \u00b1 0";
  const int decimals = std::max(0, 1 - static_cast<int>(std::floor(std::log10(half_width))));
  if (decimals > 12 || std::abs(mean) >= kPlainBelow) return fmt::format("{:.4g} \u00b1 {:.2g}", mean, half_width);
  return fmt::format("{:.{}f} \u00b1 {:.{}f}", mean, decimals, half_width, decimals);
}

std::string cell_text(const Cell& cell, const Column& column, const Count& row, Spread spread) {
  if (cell.count.present == 0) return cell.count.not_applicable == cell.count.planned ? "n/a" : count_text(cell.count);
  auto text = summary_text(cell.summary, column, spread);
  if (cell.count != row) text += "  n=" + count_text(cell.count);
  return text;
}

std::string row_label(const Row& row) {
  const auto label = row.label.empty() ? std::string("all") : row.label;
  return row.baseline ? label + " (baseline)" : label;
}

Grid text_grid(const Table& table) {
  Grid grid{{"run"}};
  for (const auto& column : table.columns) grid[0].push_back(column.title);
  grid[0].push_back("n");
  for (const auto& row : table.rows) {
    auto& line = grid.emplace_back(std::vector<std::string>{row_label(row)});
    for (size_t i = 0; i < table.columns.size(); ++i)
      line.push_back(cell_text(row.cells[i], table.columns[i], row.count, table.spread));
    line.push_back(count_text(row.count));
  }
  return grid;
}

std::string p_text(double p) { return p < 0.0001 ? "<0.0001" : fmt::format("{:.2g}", p); }

namespace {

std::string difference_text(const Difference& difference, const Column& column) {
  Summary shown;
  shown.n = difference.test.n_left;
  shown.mean = difference.test.difference;
  shown.half_width = half_width(difference.test);
  return summary_text(shown, column);
}

std::string pairs_text(const Comparison& comparison) {
  const auto& test = comparison.difference.test;
  if (!comparison.difference.paired)
    return fmt::format("{}, {} unpaired (Welch){}", test.n_left, test.n_right,
                       is_complete(comparison.pairs) ? "" : fmt::format(": {}", reasons_text(comparison.pairs)));
  auto text = is_complete(comparison.pairs)
                  ? fmt::format("{}", test.n_left)
                  : fmt::format("{} of {}: {}", test.n_left, comparison.pairs.planned, reasons_text(comparison.pairs));
  if (comparison.open_trials > 0)
    text += fmt::format(", {} trial{} incomplete", comparison.open_trials, comparison.open_trials == 1 ? "" : "s");
  return text;
}

// The adjusted p within its column, or the reason why nothing is decided.
std::string holm_text(const Comparison& comparison) {
  if (!comparison.is_complete()) return "incomplete";
  if (comparison.difference.too_few) return "n too small";
  return p_text(comparison.p_holm) + (comparison.separable ? " *" : "");
}

}  // namespace

Grid comparison_grid(const Table& table) {
  Grid grid{
      {"run", "metric", "difference", "p", "Holm p", "sign-flip p (floor)", "pairs", "r", "over documents", "shared"}};
  for (const auto& row : table.rows)
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& found = row.cells[i].comparison;
      if (!found) continue;
      const auto& difference = found->difference;
      const auto& column = table.columns[i];
      const auto exact = difference.sign_flip_p ? fmt::format("{} ({})", p_text(*difference.sign_flip_p),
                                                              p_text(sign_flip_floor(difference.test.n_left)))
                                                : "-";
      const auto documents = found->documents
                                 ? fmt::format("[{:.4g}, {:.4g}]", found->documents->low * column.shown_factor,
                                               found->documents->high * column.shown_factor)
                                 : "-";
      grid.push_back({row.label, column.title, difference_text(difference, column), p_text(difference.p),
                      holm_text(*found), exact, pairs_text(*found),
                      difference.correlation ? fmt::format("{:.2f}", *difference.correlation) : "-", documents,
                      row.shared});
    }
  return grid.size() > 1 ? grid : Grid{};
}

Grid tuned_grid(const Table& table) {
  Grid grid{{"run", "chosen", "trials", "edge"}};
  for (const auto& row : table.rows) {
    if (!row.tuned) continue;
    const auto trials = row.tuned->trials_with_values == row.tuned->trials
                            ? fmt::format("{}", row.tuned->trials)
                            : fmt::format("{} of {} with results", row.tuned->trials_with_values, row.tuned->trials);
    grid.push_back({row.label, row.tuned->choice.empty() ? "none yet" : row.tuned->choice, trials,
                    row.tuned->edges.empty() ? "-" : fmt::format("edge: {}", fmt::join(row.tuned->edges, ", "))});
  }
  return grid.size() > 1 ? grid : Grid{};
}

}  // namespace assay::compare
