#include "sweep/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace assay::sweep {
namespace {

constexpr int64_t kMaxPoints = 10'000;

std::optional<double> number_of(const document::Node& node) {
  if (const auto* integer = node.as<int64_t>()) return static_cast<double>(*integer);
  if (const auto* real = node.as<double>()) return *real;
  return std::nullopt;
}

double point(bool log, double from, double to, int64_t i, int64_t n) {
  if (i == 0) return from;
  if (i == n - 1) return to;  // the end exactly as given
  const double share = static_cast<double>(i) / static_cast<double>(n - 1);
  return log ? from * std::pow(to / from, share) : from + (to - from) * share;
}

// Integer ends give integers when every point is an integer (up to rounding), so that int parameters can be swept too.
document::Array points(bool log, const document::Node& first, const document::Node& last, int64_t n,
                       const document::Position& position) {
  const double from = *number_of(first), to = *number_of(last);
  bool whole = first.as<int64_t>() && last.as<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    const double value = point(log, from, to, i, n);
    whole = whole && std::abs(value - std::round(value)) <= 1e-9 * std::max(1.0, std::abs(value));
  }
  document::Array values;
  for (int64_t i = 0; i < n; ++i) {
    const double value = point(log, from, to, i, n);
    if (whole) {
      values.push_back({static_cast<int64_t>(std::llround(value)), position});
    } else {
      values.push_back({value, position});
    }
  }
  return values;
}

document::Array range_values(const document::Node& node, const std::string& axis, document::Diagnostics& diagnostics) {
  const auto& table = *node.as<document::Table>();
  if (const auto* values = table.find("values")) {
    if (const auto* list = values->as<document::Array>()) return *list;
    diagnostics.add(values->position,
                    fmt::format("'values' of axis '{}' must be a list, but is {}", axis, document::describe(*values)));
    return {};
  }
  const bool log = table.find("log") != nullptr;
  const char* word = log ? "log" : "linear";
  const auto& ends_node = *table.find(word);
  const auto* ends = ends_node.as<document::Array>();
  if (!ends || ends->size() != 2 || !number_of((*ends)[0]) || !number_of((*ends)[1])) {
    diagnostics.add(ends_node.position, fmt::format("'{}' of axis '{}' must be two numbers: [from, to]", word, axis));
    return {};
  }
  const auto* n_node = table.find("n");
  const auto* n = n_node ? n_node->as<int64_t>() : nullptr;
  if (!n || *n < 2 || *n > kMaxPoints) {
    diagnostics.add(
        n_node ? n_node->position : node.position,
        fmt::format("a {} range needs 'n', the number of values with both ends included (an int in [2, {}])", word,
                    kMaxPoints));
    return {};
  }
  if (log && (*number_of((*ends)[0]) <= 0 || *number_of((*ends)[1]) <= 0)) {
    diagnostics.add(ends_node.position,
                    fmt::format("both ends of the log range of axis '{}' must be above zero", axis));
    return {};
  }
  return points(log, (*ends)[0], (*ends)[1], *n, node.position);
}

// Uses short forms of reals if they still distinguish the values.
void shorten_texts(std::vector<AxisValue>& values) {
  std::set<std::string> texts;
  std::vector<std::string> shortened;
  for (const auto& value : values) {
    shortened.push_back(value.shown.is_number_float() ? fmt::format("{:.4g}", value.shown.get<double>()) : value.text);
    texts.insert(shortened.back());
  }
  if (texts.size() != values.size()) return;
  for (size_t i = 0; i < values.size(); ++i) values[i].text = shortened[i];
}

}  // namespace

bool is_range(const document::Node& node) {
  const auto* table = node.as<document::Table>();
  if (!table || table->entries.empty()) return false;
  const bool has_ends = table->find("log") || table->find("linear");
  const size_t known = (table->find("log") || table->find("linear") ? 1u : 0u) + (table->find("n") ? 1u : 0u);
  return (has_ends && known == table->entries.size()) || (table->find("values") && table->entries.size() == 1);
}

AxisValue axis_value(document::Node value, document::Diagnostics& diagnostics) {
  AxisValue result;
  if (auto* table = value.as<document::Table>()) {
    if (const auto* label = table->find("label")) {
      if (!label->as<std::string>())
        diagnostics.add(label->position,
                        fmt::format("'label' must be a string, but is {}", document::describe(*label)));
      result.shown = document::to_json(*label);
      table->erase("label");
    } else if (const auto* use = document::string_of(*table, "use")) {
      result.shown = *use;
    }
  }
  if (result.shown.is_null()) result.shown = document::to_json(value);
  if (result.shown.is_structured()) result.shown = result.shown.dump();
  result.text = result.shown.is_string()         ? result.shown.get<std::string>()
                : result.shown.is_number_float() ? fmt::format("{}", result.shown.get<double>())
                                                 : result.shown.dump();
  result.value = std::move(value);
  return result;
}

void read_axis_values(const document::Node& node, Axis& axis, document::Diagnostics& diagnostics, bool may_repeat) {
  document::Array values;
  if (const auto* list = node.as<document::Array>()) {
    values = *list;
    if (values.empty()) diagnostics.add(node.position, fmt::format("axis '{}' has no values", axis.name));
  } else if (is_range(node)) {
    values = range_values(node, axis.name, diagnostics);
  } else {
    diagnostics.add(
        node.position,
        fmt::format("axis '{}' must be a list of values or a range ({{ log = [1e-3, 1e-2], n = 3 }}), but is {}",
                    axis.name, document::describe(node)));
  }
  std::map<nlohmann::json, nlohmann::json> seen;  // shown: value
  for (auto& value : values) {
    const auto position = value.position;
    auto made = axis_value(std::move(value), diagnostics);
    const auto value_json = document::to_json(made.value);
    const auto [before, is_new] = seen.emplace(made.shown, value_json);
    if (!is_new && !(may_repeat && before->second == value_json)) {
      diagnostics.add(position, fmt::format("axis '{}' has the value '{}' twice; give one of them another label ({{ "
                                            "label = \"..\", use = \"..\" }}) or remove it",
                                            axis.name, made.text));
      continue;
    }
    axis.values.push_back(std::move(made));
  }
  shorten_texts(axis.values);
}

}  // namespace assay::sweep
