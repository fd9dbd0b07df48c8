// A table as Markdown.
#include <fmt/format.h>

#include "compare/cell_text.h"
#include "compare/format.h"

namespace assay {

std::string escaped_markdown(const std::string& text) {
  std::string result;
  for (const char one : text) {
    if (one == '|' || one == '*') result += '\\';
    result += one;
  }
  return result;
}

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
  auto text = fmt::format("**{}**: {}\n\n", table.experiment, spread_text(table.spread));
  text += piped(text_grid(table)) + piped(tuned_grid(table)) + piped(comparison_grid(table));
  for (const auto& note : table.notes) text += "- " + escaped_markdown(note) + "\n";
  for (const auto& [name, value] : table.provenance)
    text += fmt::format("- {}: {}\n", name, name == "command" ? "`" + value + "`" : escaped_markdown(value));
  return text;
}

}  // namespace assay
