// A table as CSV (RFC 4180), one line a row; every metric has its mean, half-width and n. Nothing is rounded.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compare/format.h"

namespace assay {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char one : text) result += one == '"' ? "\"\"" : std::string(1, one);
  return result + "\"";
}

std::string number(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

std::string line_of(const std::vector<std::string>& fields) {
  std::vector<std::string> safe;
  for (const auto& field : fields) safe.push_back(quoted(field));
  return fmt::format("{}\n", fmt::join(safe, ","));
}

}  // namespace

std::string format_csv(const Table& table) {
  std::vector<std::string> header{"label"};
  header.insert(header.end(), table.axes.begin(), table.axes.end());
  for (const char* name : {"baseline", "planned", "n", "failed", "diverged", "missing", "stale"})
    header.push_back(name);
  for (const auto& column : table.columns) {
    header.push_back(column.name);
    if (column.exact) continue;
    header.push_back(column.name + " half_width");
    header.push_back(column.name + " n");
  }
  auto text = line_of(header);
  for (const auto& row : table.rows) {
    std::vector<std::string> fields{row.label};
    for (const auto& axis : table.axes) fields.push_back(row.axes.count(axis) ? row.axes.at(axis) : "");
    fields.push_back(row.baseline ? "1" : "0");
    for (const int count : {row.count.planned, row.count.present, row.count.failed, row.count.diverged,
                            row.count.missing, row.count.stale})
      fields.push_back(fmt::format("{}", count));
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& summary = row.cells[i].summary;
      fields.push_back(summary.n > 0 ? number(summary.mean) : "");
      if (table.columns[i].exact) continue;
      fields.push_back(number(summary.half_width));
      fields.push_back(fmt::format("{}", summary.n));
    }
    text += line_of(fields);
  }
  text += fmt::format("# {}: {}\n", table.experiment, kSpread);
  for (const auto& note : table.notes) text += "# " + note + "\n";
  for (const auto& [name, value] : table.provenance) text += "# " + name + ": " + value + "\n";
  return text;
}

}  // namespace assay
