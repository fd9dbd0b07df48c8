// Properties of every kind: a component can be constructed with its defaults and at the limits of each parameter, or
// reports why not.
#include <cmath>
#include <limits>

#include "check/subject.h"

namespace assay::check {
namespace {

using nlohmann::json;

void make(const Subject& subject, const json& given) {
  loader::Instances instances(subject.registry);
  const auto& component = subject.description();
  instances.create(component.kind, component.kind_hash, given, component.kind);
}

// A bound of 2^63 stands for the largest int64.
int64_t whole_bound(double bound) {
  return bound >= 0x1p63 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(bound);
}

// The values at which a parameter is checked besides its default.
std::vector<json> limits(const AssayParameter& parameter) {
  std::vector<json> values;
  const bool whole = parameter.type == ASSAY_INT || parameter.type == ASSAY_INTS;
  const bool list = parameter.type == ASSAY_INTS || parameter.type == ASSAY_REALS || parameter.type == ASSAY_STRINGS;
  if (parameter.type == ASSAY_BOOL) values = {false, true};
  for (size_t i = 0; i < parameter.choice_count; ++i) values.push_back(parameter.choices[i]);
  if (whole || parameter.type == ASSAY_REAL || parameter.type == ASSAY_REALS)
    for (const double bound : {parameter.min, parameter.max})
      if (!std::isnan(bound)) values.push_back(whole ? json(whole_bound(bound)) : json(bound));
  if (list)
    for (auto& value : values) value = json::array({value});
  return values;
}

std::string at_the_limits(const Subject& subject) {
  const auto& component = subject.description();
  for (size_t i = 0; i < component.parameter_count; ++i)
    for (const auto& value : limits(component.parameters[i])) {
      auto given = subject.given;
      given[component.parameters[i].name] = value;
      const auto where = std::string(component.parameters[i].name) + " = " + value.dump();
      try {
        make(subject, given);
      } catch (const PluginError& refusal) {
        // An error is allowed if it names the parameter.
        if (std::string(refusal.what()).find(component.parameters[i].name) == std::string::npos)
          return where + ", which is in its range, is rejected without naming the parameter: " + refusal.what();
      }
    }
  return "";
}

}  // namespace

void constructs(const Subject& subject) {
  subject.property("it can be constructed with its defaults", [&] {
    make(subject, subject.given);
    return "";
  });
  subject.property("it and every parameter have a description", [&]() -> std::string {
    const auto& component = subject.description();
    if (!*component.doc) return "it has no description; add schema.doc(..)";
    for (size_t i = 0; i < component.parameter_count; ++i)
      if (!*component.parameters[i].doc) return std::string(component.parameters[i].name) + " has no description";
    return "";
  });
  subject.property("it can be constructed at the limits of every parameter, or names the parameter that it rejects",
                   [&] { return at_the_limits(subject); });
}

}  // namespace assay::check
