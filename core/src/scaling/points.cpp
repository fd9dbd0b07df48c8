#include "scaling/points.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "assay/error.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/text.h"

namespace assay::scaling {
namespace {

constexpr std::size_t kMaxNamed = 20;  // rows that a message names

// Collects what is wrong with rows, and throws once.
class Findings {
 public:
  explicit Findings(std::string name) : name_(std::move(name)) {}
  void add(const std::string& row, const std::string& what) { lines_.push_back(fmt::format("  {}: {}", row, what)); }
  void stop_if_any() const {
    if (lines_.empty()) return;
    auto text = fmt::format("{}: {} cannot be fitted; correct or remove them, nothing is fitted before:", name_,
                            base::plural(static_cast<std::int64_t>(lines_.size()), "row"));
    for (std::size_t i = 0; i < std::min(lines_.size(), kMaxNamed); ++i) text += "\n" + lines_[i];
    if (lines_.size() > kMaxNamed) text += fmt::format("\n  and {} more", lines_.size() - kMaxNamed);
    throw UserError(text);
  }

 private:
  std::string name_;
  std::vector<std::string> lines_;
};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::size_t> place_of(const CsvTable& table, const std::string& column, bool is_needed,
                                    const std::string& name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (trimmed(table.columns[i]) == column) return i;
  if (!is_needed) return std::nullopt;
  throw UserError(
      fmt::format("{}: there is no column '{}'{}; --columns N=..,D=..,loss=.. names the columns (C= in place "
                  "of D= for FLOPs)",
                  name, column, base::suggestion(column, table.columns, "the columns are ")));
}

std::string what_is_wrong(double value) {
  if (std::isnan(value)) return "is not a number";
  if (std::isinf(value)) return "is infinite";
  return fmt::format("is {:g}, but must be above 0", value);
}

bool is_fit(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

ColumnNames column_names(const std::string& text) {
  ColumnNames columns;
  static const std::vector<std::string> keys{"N", "D", "C", "loss"};
  const auto key_at = [&](std::size_t at) -> std::optional<std::string> {
    for (const auto& key : keys)
      if (text.compare(at, key.size() + 1, key + "=") == 0) return key;
    return std::nullopt;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto key = key_at(at);
    if (!key)
      throw UserError(
          fmt::format("--columns '{}': '{}' does not begin with N=, D=, C= or loss=", text, text.substr(at)));
    // The name ends at a comma before the next key.
    const auto begin = at + key->size() + 1;
    auto end = text.find(',', begin);
    while (end != std::string::npos && !key_at(end + 1)) end = text.find(',', end + 1);
    const auto column = text.substr(begin, end == std::string::npos ? end : end - begin);
    if (column.empty()) throw UserError(fmt::format("--columns '{}': {}= names no column", text, *key));
    (*key == "N"   ? columns.parameters
     : *key == "D" ? columns.tokens
     : *key == "C" ? columns.flops
                   : columns.loss) = column;
    columns.tokens_given |= *key == "D";
    columns.flops_given |= *key == "C";
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return columns;
}

std::vector<Point> points_of(const CsvTable& table, const ColumnNames& columns, const std::string& name) {
  const auto size = place_of(table, columns.parameters, true, name), loss = place_of(table, columns.loss, true, name);
  const auto flops = place_of(table, columns.flops, columns.flops_given, name);
  const auto tokens = place_of(table, columns.tokens, columns.tokens_given || !flops, name);
  Findings findings(name);
  std::vector<Point> points;
  for (const auto& row : table.rows) {
    const auto line = fmt::format("line {}", row.line);
    const auto number = [&](std::optional<std::size_t> place, double other) {
      if (!place) return other;
      const auto text = trimmed(row.cells[*place]);
      const auto value = base::parse_number<double>(text);
      if (text.empty())
        findings.add(line, fmt::format("{} is empty", table.columns[*place]));
      else if (!value)
        findings.add(line, fmt::format("{} is '{}', which is not a number", table.columns[*place], text));
      else if (!is_fit(*value))
        findings.add(line, table.columns[*place] + " " + what_is_wrong(*value));
      return value.value_or(1);
    };
    Point point{.parameters = number(size, 1),
                .tokens = number(tokens, 0),
                .flops = number(flops, 0),
                .loss = number(loss, 1),
                .name = line};
    if (!tokens) point.tokens = point.flops / (6 * point.parameters);
    if (!flops) point.flops = 6 * point.parameters * point.tokens;
    points.push_back(std::move(point));
  }
  findings.stop_if_any();
  return points;
}

void check_points(const std::vector<Point>& points, const std::string& name, bool keep_duplicates) {
  Findings findings(name);
  std::map<std::tuple<double, double, double>, std::string> seen;
  for (const auto& point : points) {
    for (const auto& [what, value] : {std::pair("N", point.parameters), std::pair("D", point.tokens),
                                      std::pair("C", point.flops), std::pair("loss", point.loss)})
      if (!is_fit(value)) findings.add(point.name, fmt::format("{} {}", what, what_is_wrong(value)));
    if (keep_duplicates) continue;
    const auto [first, is_new] = seen.emplace(std::tuple(point.parameters, point.tokens, point.loss), point.name);
    if (!is_new)
      findings.add(point.name, fmt::format("N, D and loss equal those of {}; --keep-duplicates takes both as runs of "
                                           "their own",
                                           first->second));
  }
  findings.stop_if_any();
}

std::string names_of(const std::vector<Point>& points, const std::vector<std::size_t>& rows) {
  std::string names, previous;
  for (const auto row : rows) {
    const auto& name = points[row].name;
    const auto end = name.rfind(" seed=");
    const auto label = end == std::string::npos ? "" : name.substr(0, end);
    if (!names.empty()) names += ", ";
    names += !label.empty() && label == previous ? std::to_string(points[row].seed) : name;
    previous = label;
  }
  return names;
}

std::string outside_of(const std::vector<Point>& points, const Optimum& optimum) {
  for (const auto& [name, member, value] :
       {std::tuple("C", &Point::flops, optimum.flops), std::tuple("N", &Point::parameters, optimum.parameters),
        std::tuple("D", &Point::tokens, optimum.tokens)}) {
    const auto [least, most] = std::ranges::minmax(points, {}, member);
    if (!(value >= least.*member && value <= most.*member))
      return fmt::format("{} from {:.4g} to {:.4g}", name, least.*member, most.*member);
  }
  return "";
}

}  // namespace assay::scaling
