#include "scaling/law_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "assay/error.h"

namespace assay::scaling {
namespace {

using nlohmann::json;

double number_of(const json& values, const char* key, const std::string& name) {
  if (values.contains(key) && values[key].is_number())
    if (const double value = values[key]; std::isfinite(value) && value > 0) return value;
  throw UserError(fmt::format("{}: a law needs the numbers A, B, E, alpha and beta, all above 0, but '{}' is {}", name,
                              key, values.contains(key) ? values[key].dump() : "missing"));
}

// The parametric quantities of a report, by group of runs.
std::map<std::string, json> laws_of(const json& report) {
  std::map<std::string, json> laws;
  for (const auto& quantity : report["quantities"])
    if (quantity.is_object() && quantity.value("approach", "") == "parametric")
      laws[quantity.value("runs", "")][quantity.value("quantity", "")] = quantity.value("value", json());
  return laws;
}

}  // namespace

PowerLaw parse_law(const std::string& text, const std::string& name, const std::string& runs) {
  auto values = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!values.is_object())
    throw UserError(
        name +
        ": the file is not a law; give the output of 'assay scaling fit --format json', or a JSON object with "
        "A, B, E, alpha and beta");
  if (values.contains("quantities") && values["quantities"].is_array()) {
    const auto laws = laws_of(values);
    if (laws.empty())
      throw UserError(name + ": the report has no parametric fit; add \"parametric\" to its approaches");
    std::vector<std::string> names;
    for (const auto& [group, law] : laws) names.push_back(group);
    const auto found = laws.size() == 1 && runs.empty() ? laws.begin() : laws.find(runs);
    if (found == laws.end())
      throw UserError(
          fmt::format("{}: the file has laws of {}; --runs must name one of them", name, fmt::join(names, ", ")));
    values = found->second;
  }
  return {.A = number_of(values, "A", name),
          .B = number_of(values, "B", name),
          .E = number_of(values, "E", name),
          .alpha = number_of(values, "alpha", name),
          .beta = number_of(values, "beta", name)};
}

}  // namespace assay::scaling
