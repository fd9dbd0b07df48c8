// A table as aligned text.
#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "base/text.h"
#include "compare/formats/cell_text.h"
#include "compare/formats/format.h"

namespace assay::compare {
namespace {

std::string spaces(size_t count) { return std::string(count, ' '); }

std::string aligned(Grid grid) {
  if (grid.empty()) return "";
  for (auto& line : grid)
    for (auto& cell : line) cell = base::printable(cell);
  std::vector<size_t> widths(grid[0].size());
  for (const auto& line : grid)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], base::width_of(line[i]));
  std::string text;
  for (size_t number = 0; number < grid.size(); ++number) {
    std::string printed;
    for (size_t i = 0; i < grid[number].size(); ++i) {
      const auto& cell = grid[number][i];
      const auto pad = spaces(widths[i] - base::width_of(cell));
      printed += i == 0 ? cell + pad : "  " + pad + cell;
    }
    text += printed + "\n";
    if (number > 0) continue;
    size_t total = 2 * (widths.size() - 1);
    for (const auto width : widths) total += width;
    text += std::string(total, '-') + "\n";
  }
  return text + "\n";
}

}  // namespace

std::string format_text(const Table& table) {
  auto text = fmt::format("{}: {}\n\n", base::printable(table.experiment), spread_text(table.spread));
  text += aligned(text_grid(table)) + aligned(tuned_grid(table)) + aligned(comparison_grid(table));
  for (const auto& note : table.notes) text += base::printable(note) + "\n";
  for (const auto& [name, value] : table.provenance) text += name + ": " + base::printable(value) + "\n";
  return text;
}

}  // namespace assay::compare
