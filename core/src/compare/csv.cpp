#include "compare/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {
namespace {

std::string quoted(const std::string& text) {
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

}  // namespace assay
