// A report of fits as text, Markdown, CSV, JSON and LaTeX.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/text.h"
#include "compare/formats/csv.h"
#include "compare/formats/escape.h"
#include "scaling/quantity.h"

namespace assay::scaling {
namespace {

using Line = std::vector<std::string>;

std::string short_number(double value) { return fmt::format("{:.7g}", value); }

std::string interval_text(const Quantity& quantity) {
  if (!quantity.interval) return "";
  return fmt::format("{:.7g} to {:.7g} ({:.0f}%)", quantity.interval->low, quantity.interval->high,
                     100 * quantity.confidence);
}

bool has_groups(const Report& report) {
  return std::any_of(report.quantities.begin(), report.quantities.end(),
                     [](const Quantity& one) { return !one.group.empty(); });
}

// The lines of the formats for people; columns in which every cell is empty are left out.
std::vector<Line> grid_of(const Report& report) {
  std::vector<Line> grid{{"runs", "approach", "quantity", "value", "std", "interval", "note"}};
  for (const auto& one : report.quantities)
    grid.push_back({one.group, one.approach, one.name, short_number(one.value),
                    one.deviation ? short_number(*one.deviation) : "", interval_text(one), one.note});
  for (std::size_t column = grid[0].size(); column-- > 0;)
    if (std::all_of(grid.begin() + 1, grid.end(), [&](const Line& line) { return line[column].empty(); }))
      for (auto& line : grid) line.erase(line.begin() + static_cast<std::ptrdiff_t>(column));
  return grid;
}

}  // namespace

std::string format_text(const Report& report) {
  auto text = base::printable(report.title) + "\n\n";
  auto grid = grid_of(report);
  std::vector<std::size_t> widths(grid[0].size());
  for (auto& line : grid)
    for (std::size_t i = 0; i < line.size(); ++i) {
      line[i] = base::printable(line[i]);
      widths[i] = std::max(widths[i], base::width_of(line[i]));
    }
  for (const auto& line : grid) {
    std::string printed;
    for (std::size_t i = 0; i < line.size(); ++i)
      printed += (i ? "  " : "") + line[i] + std::string(widths[i] - base::width_of(line[i]), ' ');
    printed.erase(printed.find_last_not_of(' ') + 1);
    text += printed + "\n";
  }
  if (!report.notes.empty()) text += "\n";
  for (const auto& note : report.notes) text += base::printable(note) + "\n";
  for (const auto& [name, value] : report.provenance) text += fmt::format("{}: {}\n", name, base::printable(value));
  return text;
}

std::string format_markdown(const Report& report) {
  auto text = fmt::format("**{}**\n\n", compare::escaped_markdown(report.title));
  const auto grid = grid_of(report);
  for (std::size_t number = 0; number < grid.size(); ++number) {
    for (const auto& cell : grid[number]) text += "| " + compare::escaped_markdown(cell) + " ";
    text += "|\n";
    if (number > 0) continue;
    for (const auto& name : grid[0]) text += name == "value" || name == "std" ? "|--:" : "|:--";
    text += "|\n";
  }
  text += "\n";
  for (const auto& note : report.notes) text += "- " + compare::markdown_line(note) + "\n";
  for (const auto& [name, value] : report.provenance)
    text += fmt::format("- {}: {}\n", name,
                        name == "command" ? compare::markdown_code(value) : compare::escaped_markdown(value));
  return text;
}

std::string format_csv(const Report& report) {
  Line header{"runs", "approach", "quantity", "value", "std", "low", "high", "confidence", "note"};
  const auto constant = compare::constant_columns(report.title, report.provenance);
  for (const auto& [name, value] : constant) header.push_back(name);
  auto text = compare::csv_line(header);
  const auto number = [](std::optional<double> value) { return value ? fmt::format("{}", *value) : ""; };
  for (const auto& one : report.quantities) {
    const auto ends = [&](double compare::Interval::*end) {
      return one.interval ? fmt::format("{}", (*one.interval).*end) : "";
    };
    Line line{one.group,
              one.approach,
              one.name,
              number(one.value),
              number(one.deviation),
              ends(&compare::Interval::low),
              ends(&compare::Interval::high),
              one.interval ? fmt::format("{}", one.confidence) : "",
              one.note};
    for (const auto& [name, value] : constant) line.push_back(base::printable(value));
    text += compare::csv_line(line);
  }
  return text;
}

std::string format_json(const Report& report) {
  auto lines = nlohmann::ordered_json::array();
  for (const auto& one : report.quantities) {
    nlohmann::ordered_json line;
    if (has_groups(report)) line["runs"] = one.group;
    line["approach"] = one.approach;
    line["quantity"] = one.name;
    line["value"] = one.value;
    if (one.deviation) line["std"] = *one.deviation;
    if (one.interval) {
      line["interval"] = {one.interval->low, one.interval->high};
      line["confidence"] = one.confidence;
    }
    if (!one.note.empty()) line["note"] = one.note;
    lines.push_back(std::move(line));
  }
  nlohmann::ordered_json provenance = nlohmann::ordered_json::object();
  for (const auto& [name, value] : report.provenance) provenance[name] = value;
  const nlohmann::ordered_json document{
      {"title", report.title}, {"quantities", lines}, {"notes", report.notes}, {"provenance", provenance}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string format_latex(const Report& report) {
  auto text = compare::latex_comment(report.title) + compare::latex_comment("needs \\usepackage{booktabs}");
  const auto grid = grid_of(report);
  std::string places;
  for (const auto& name : grid[0]) places += name == "value" || name == "std" ? 'r' : 'l';
  text += fmt::format("\\begin{{tabular}}{{{}}}\n\\toprule\n", places);
  for (std::size_t number = 0; number < grid.size(); ++number) {
    Line cells;
    for (const auto& cell : grid[number]) cells.push_back(compare::escaped_latex(cell));
    text += fmt::format("{} \\\\\n", fmt::join(cells, " & "));
    if (number == 0) text += "\\midrule\n";
  }
  text += "\\bottomrule\n\\end{tabular}\n";
  for (const auto& note : report.notes) text += compare::latex_comment(note);
  for (const auto& [name, value] : report.provenance) text += compare::latex_comment(name + ": " + value);
  return text;
}

}  // namespace assay::scaling
