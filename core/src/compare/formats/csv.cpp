#include "compare/formats/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/printable.h"

namespace assay::compare {
namespace {

std::string quoted(const std::string& field) {
  std::string text;
  for (const char one : base::valid_utf8(field)) text += one == '\0' ? "\uFFFD" : std::string(1, one);
  if (text.find_first_of(",\"\n\r") == std::string::npos && !text.starts_with('#')) return text;
  std::string result = "\"";
  for (const char one : text) result += one == '"' ? "\"\"" : std::string(1, one);
  return result + "\"";
}

}  // namespace

std::string csv_line(const std::vector<std::string>& fields) {
  std::vector<std::string> safe;
  for (const auto& field : fields) safe.push_back(quoted(field));
  return fmt::format("{}\n", fmt::join(safe, ","));
}

ConstantColumns constant_columns(const std::string& experiment, const std::vector<std::string>& notes,
                                 const ConstantColumns& provenance) {
  auto columns = constant_columns(experiment, provenance);
  columns.insert(columns.begin() + 1, {"table.notes", fmt::format("{}", fmt::join(notes, "; "))});
  return columns;
}

ConstantColumns constant_columns(const std::string& experiment, const ConstantColumns& provenance) {
  ConstantColumns columns{{"table.experiment", experiment}};
  for (const auto& [name, value] : provenance) {
    auto column = "provenance." + name;
    std::replace(column.begin(), column.end(), ' ', '_');
    columns.emplace_back(std::move(column), value);
  }
  return columns;
}

}  // namespace assay::compare
