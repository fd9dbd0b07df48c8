// A table as LaTeX.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compare/formats/cell_text.h"
#include "compare/formats/escape.h"
#include "compare/formats/format.h"

namespace assay::compare {

std::string format_latex(const Table& table) {
  auto text = latex_comment(table.experiment + ": " + spread_text(table.spread));
  text += latex_comment("needs \\usepackage{booktabs}");
  const auto grid = text_grid(table);
  text += fmt::format("\\begin{{tabular}}{{l{}}}\n\\toprule\n", std::string(grid[0].size() - 1, 'r'));
  for (std::size_t number = 0; number < grid.size(); ++number) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < grid[number].size(); ++i) {
      const bool is_value = number > 0 && i > 0 && i <= table.columns.size();
      const bool bold = is_value && table.rows[number - 1].cells[i - 1].best;
      const auto cell = escaped_latex(grid[number][i]);
      cells.push_back(bold ? "\\textbf{" + cell + "}" : cell);
    }
    text += fmt::format("{} \\\\\n", fmt::join(cells, " & "));
    if (number == 0) text += "\\midrule\n";
  }
  text += "\\bottomrule\n\\end{tabular}\n";
  text += latex_comment(
      "bold: the best of its column, by a paired t test against every other complete row with p times their number "
      "below 0.05");
  for (const auto& note : table.notes) text += latex_comment(note);
  for (const auto& [name, value] : table.provenance) text += latex_comment(name + ": " + value);
  return text;
}

}  // namespace assay::compare
