// A table as Markdown.
#include <fmt/format.h>

#include "compare/formats/cell_text.h"
#include "compare/formats/escape.h"
#include "compare/formats/format.h"

namespace assay::compare {

namespace {

std::string piped(const Grid& grid) {
  if (grid.empty()) return "";
  std::string text;
  for (size_t number = 0; number < grid.size(); ++number) {
    for (const auto& cell : grid[number]) text += "| " + escaped_markdown(cell) + " ";
    text += "|\n";
    if (number > 0) continue;
    for (size_t i = 0; i < grid[0].size(); ++i) text += i == 0 ? "|:--" : "|--:";
    text += "|\n";
  }
  return text + "\n";
}

}  // namespace

std::string format_markdown(const Table& table) {
  auto text = fmt::format("**{}**: {}\n\n", escaped_markdown(table.experiment), spread_text(table.spread));
  text += piped(text_grid(table)) + piped(tuned_grid(table)) + piped(comparison_grid(table));
  for (const auto& note : table.notes) text += "- " + markdown_line(note) + "\n";
  for (const auto& [name, value] : table.provenance)
    text += fmt::format("- {}: {}\n", name, name == "command" ? markdown_code(value) : escaped_markdown(value));
  return text;
}

}  // namespace assay::compare
