#include "record/metric.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace assay::record {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr const char *kNan = "NaN", *kInfinity = "Infinity", *kMinusInfinity = "-Infinity";

// Coordinates are mostly counts: 512 reads better than 512.0 and names the same column.
nlohmann::json number(double value) {
  if (std::abs(value) < kExactIntegers && value == std::trunc(value)) return static_cast<std::int64_t>(value);
  return value;
}

// JSON cannot represent non-finite numbers; these strings follow protobuf's JSON mapping, which most languages parse.
nlohmann::json value_or_text(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? kNan : value > 0 ? kInfinity : kMinusInfinity;
}

}  // namespace

nlohmann::json to_json(const std::vector<RecordedMetric>& metrics) {
  auto list = nlohmann::json::array();
  for (const auto& metric : metrics) {
    auto coordinates = nlohmann::json::object();
    for (const auto& [name, value] : metric.coordinates) coordinates[name] = number(value);
    const bool not_applicable = std::isnan(metric.value) && std::isfinite(metric.sum);
    list.push_back({{"name", metric.name},
                    {"value", not_applicable ? nlohmann::json() : value_or_text(metric.value)},
                    {"sum", value_or_text(metric.sum)},
                    {"weight", metric.weight},
                    {"unit", metric.unit},
                    {"direction", metric.direction},
                    {"coordinates", coordinates}});
    if (!metric.note.empty()) list.back()["note"] = metric.note;
  }
  return list;
}

std::string metric_name(const std::string& label, const nlohmann::json& metric) {
  auto name = label + "." + metric.at("name").get<std::string>();
  char separator = '@';
  const auto coordinates = metric.value("coordinates", nlohmann::json::object());
  for (const auto& [coordinate, value] : coordinates.items()) {
    name += separator + coordinate + "=" + scalar_text(value);
    separator = ',';
  }
  return name;
}

std::string scalar_text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:g}", value.get<double>()) : value.dump();
}

bool is_applicable(const nlohmann::json& metric) {
  return !metric.at("value").is_null() || !metric.value("sum", nlohmann::json()).is_number();
}

double number_or_nan(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return value == kInfinity ? infinity : value == kMinusInfinity ? -infinity : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace assay::record
